"""What notes and assignments are asked: the part of `schema.context.Actions` that is about them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from hub.people import Assigned, Writer
from hub.store.notes import Note


@dataclass(frozen=True, slots=True, kw_only=True)
class AssignRequest:
    """Customers for a CSM; csm_email None: for nobody."""

    customer_ids: tuple[str, ...]
    csm_email: str | None
    reason: str | None
    by: str
    dry_run: bool = False


class PeopleActions(Protocol):
    """See hub.people."""

    async def write_note(self, customer_id: str, body: str, *, by: str, now: datetime) -> Note: ...

    async def edit_note(self, note_id: str, body: str, *, writer: Writer, now: datetime) -> Note: ...

    async def delete_note(self, note_id: str, *, writer: Writer, now: datetime) -> Note: ...

    async def assign(self, request: AssignRequest, *, now: datetime) -> Sequence[Assigned]: ...

    async def unassign(
        self, customer_ids: Sequence[str], *, by: str, dry_run: bool, now: datetime
    ) -> Sequence[Assigned]: ...
