"""Notes and assignments as the GraphQL mutations call them; the caller has checked who may."""

from collections.abc import Sequence
from datetime import datetime

from hub import people
from hub.compose.hub import Hub
from hub.people import Assigned, Writer
from hub.store.notes import Note
from schema.people.asking import AssignRequest


class PeopleActions:
    _hub: Hub

    async def write_note(self, customer_id: str, body: str, *, by: str, now: datetime) -> Note:
        return await people.write_note(self._hub.store, customer_id, body, by=by, now=now)

    async def edit_note(self, note_id: str, body: str, *, writer: Writer, now: datetime) -> Note:
        return await people.edit_note(self._hub.store, note_id, body, writer=writer, now=now)

    async def delete_note(self, note_id: str, *, writer: Writer, now: datetime) -> Note:
        return await people.delete_note(self._hub.store, note_id, writer=writer, now=now)

    async def assign(self, request: AssignRequest, *, now: datetime) -> Sequence[Assigned]:
        members = self._hub.settings.team.members
        known = {email.lower(): each.name for email, each in members.items()}
        return await people.assign(
            self._hub.store,
            request.customer_ids,
            request.csm_email,
            csm_name=known.get((request.csm_email or "").strip().lower()),
            reason=request.reason,
            by=request.by,
            now=now,
            dry_run=request.dry_run,
        )

    async def unassign(
        self, customer_ids: Sequence[str], *, by: str, dry_run: bool, now: datetime
    ) -> Sequence[Assigned]:
        return await people.unassign(self._hub.store, customer_ids, by=by, now=now, dry_run=dry_run)
