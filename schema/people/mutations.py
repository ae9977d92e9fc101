"""Write, edit and delete notes on customers."""

from collections.abc import Mapping
from typing import Any

import strawberry

from hub.access.viewer import RANK
from hub.people import Writer
from schema.customers.types import Customer
from schema.enums import Role
from schema.errors import MutationError
from schema.loaders import ApiInfo, load_one
from schema.nodes import global_id, key_of
from schema.people.types import Note
from schema.performing import Outcome, answering, perform
from schema.permissions import root

_KEY = "The same key does it once, however often it is sent."
_BODY = "1 to 10,000 characters, as plain text."


@strawberry.input
class NoteCreateInput:
    customer_id: strawberry.ID
    body: str = strawberry.field(description=_BODY)
    idempotency_key: str | None = strawberry.field(default=None, description=_KEY)


@strawberry.input
class NoteUpdateInput:
    id: strawberry.ID
    body: str = strawberry.field(description=_BODY)
    idempotency_key: str | None = strawberry.field(default=None, description=_KEY)


@strawberry.input
class NoteDeleteInput:
    id: strawberry.ID
    idempotency_key: str | None = strawberry.field(default=None, description=_KEY)


@strawberry.type
class _NotePayload:
    outcome: strawberry.Private[Outcome]

    @answering
    async def note(self, info: ApiInfo) -> Note | None:
        """The note as it is now; null where nothing was written."""
        if (key := self.outcome.result.get("note_id")) is None:
            return None
        found: Note | None = await load_one(info, "note", key)
        return found

    @answering
    def errors(self) -> list[MutationError]:
        return self.outcome.errors


@strawberry.type
class NoteCreatePayload(_NotePayload):
    pass


@strawberry.type
class NoteUpdatePayload(_NotePayload):
    pass


@strawberry.type
class NoteDeletePayload:
    outcome: strawberry.Private[Outcome]

    @answering
    def deleted_id(self) -> strawberry.ID | None:
        """Id of the note that is gone; null where nothing was deleted."""
        key = self.outcome.result.get("note_id")
        return None if key is None else strawberry.ID(global_id("note", key))

    @answering
    async def customer(self, info: ApiInfo) -> Customer | None:
        """Whose note it was."""
        if (key := self.outcome.result.get("customer_id")) is None:
            return None
        found: Customer | None = await load_one(info, "customer", key)
        return found

    @answering
    def errors(self) -> list[MutationError]:
        return self.outcome.errors


@strawberry.type
class NoteMutations:
    @root(Role.CSM, description="Write a note on a customer.")
    async def note_create(self, info: ApiInfo, input: NoteCreateInput) -> NoteCreatePayload:  # noqa: A002 - the API's word
        context = info.context

        async def run() -> Mapping[str, Any]:
            made = await context.actions.write_note(key, input.body, by=context.viewer.actor, now=context.now)
            return {"note_id": made.id}

        with Outcome.collecting(of="customerId") as outcome:
            key = key_of(input.customer_id, "customer", field="customerId")
            await perform(
                outcome,
                info,
                "noteCreate",
                subject=key,
                request={"customer": key, "body": input.body},
                run=run,
                key=input.idempotency_key,
                about={"customer": [key]},
            )
        return NoteCreatePayload(outcome=outcome)

    @root(Role.CSM, description="Give a note of your own another body; managers and admins edit those of others, too.")
    async def note_update(self, info: ApiInfo, input: NoteUpdateInput) -> NoteUpdatePayload:  # noqa: A002 - the API's word
        context = info.context

        async def run() -> Mapping[str, Any]:
            made = await context.actions.edit_note(key, input.body, writer=_writer(info), now=context.now)
            return {"note_id": made.id}

        with Outcome.collecting(of="id") as outcome:
            key = key_of(input.id, "note", field="id")
            await perform(
                outcome,
                info,
                "noteUpdate",
                subject=key,
                request={"note": key, "body": input.body},
                run=run,
                key=input.idempotency_key,
                about={"note": [key]},
            )
        return NoteUpdatePayload(outcome=outcome)

    @root(
        Role.CSM, description="Delete a note of your own, and what it said; managers and admins those of others, too."
    )
    async def note_delete(self, info: ApiInfo, input: NoteDeleteInput) -> NoteDeletePayload:  # noqa: A002 - the API's word
        context = info.context

        async def run() -> Mapping[str, Any]:
            gone = await context.actions.delete_note(key, writer=_writer(info), now=context.now)
            return {"note_id": gone.id, "customer_id": gone.customer_id}

        with Outcome.collecting(of="id") as outcome:
            key = key_of(input.id, "note", field="id")
            await perform(
                outcome,
                info,
                "noteDelete",
                subject=key,
                request={"note": key},
                run=run,
                key=input.idempotency_key,
                about={"note": [key]},
            )
        return NoteDeletePayload(outcome=outcome)


def _writer(info: ApiInfo) -> Writer:
    viewer = info.context.viewer
    return Writer(viewer.actor, steward=RANK[viewer.role] >= RANK[Role.MANAGER])
