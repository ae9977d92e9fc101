"""Writing notes. Whoever wrote one edits and deletes it; stewards (managers and admins) those of others, too."""

import secrets
from dataclasses import dataclass, replace
from datetime import datetime

from hub.errors import RefusedError
from hub.store import Store, notes
from hub.store.customers import get_customer
from hub.store.notes import Note

LONGEST = 10_000


@dataclass(frozen=True, slots=True)
class Writer:
    """Who writes. `steward`: may change what others wrote."""

    name: str
    steward: bool = False


async def write_note(store: Store, customer: str, body: str, *, by: str, now: datetime) -> Note:
    """A new note on the customer of this id, domain or name."""
    said = _checked(body)
    async with store.transaction() as connection:
        who = await get_customer(connection, customer)
        made = Note(id=f"note_{secrets.token_hex(10)}", customer_id=who.id, body=said, by=by, at=now)
        await notes.add_note(connection, made)
    return made


async def edit_note(store: Store, note_id: str, body: str, *, writer: Writer, now: datetime) -> Note:
    """Give a note another body; RefusedError where it is somebody else's, NotFoundError for none."""
    said = _checked(body)
    async with store.transaction() as connection:
        before = await notes.get_note(connection, note_id)
        _may(before, writer, "edit")
        await notes.edit_note(connection, note_id, said, by=writer.name, now=now)
    return replace(before, body=said, edited_at=now, edited_by=writer.name)


async def delete_note(store: Store, note_id: str, *, writer: Writer, now: datetime) -> Note:
    """Delete a note and what it said; return it as it was. Errors as `edit_note`."""
    async with store.transaction() as connection:
        before = await notes.get_note(connection, note_id)
        _may(before, writer, "delete")
        await notes.empty_note(connection, note_id, by=writer.name, now=now)
    return before


def _checked(body: str) -> str:
    said = body.strip()
    if not 0 < len(said) <= LONGEST:
        raise RefusedError(f"a note has 1 to {LONGEST:,} characters, not {len(said):,}", about="body")
    return said


def _may(note: Note, writer: Writer, do: str) -> None:
    if not writer.steward and note.by != writer.name:
        raise RefusedError(f"{note.by} wrote this note: that person, a manager or an admin may {do} it")
