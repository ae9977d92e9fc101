"""Notes that our people write of customers. One that is deleted stays as a row, without what it said."""

from dataclasses import asdict, dataclass
from datetime import datetime

from sqlalchemy import select, update

from hub.errors import NotFoundError
from hub.store.store import Connection
from hub.store.tables import note


@dataclass(frozen=True, slots=True, kw_only=True)
class Note:
    """What somebody wrote of a customer; edited: by whom last."""

    id: str
    customer_id: str
    body: str
    by: str
    at: datetime
    edited_at: datetime | None = None
    edited_by: str | None = None


async def add_note(connection: Connection, made: Note) -> None:
    await connection.execute(note.insert(), [asdict(made)])


async def get_note(connection: Connection, id_: str) -> Note:
    """The note; nobody else changes it until the transaction ends. NotFoundError for one that is none, or was deleted."""
    statement = select(*(note.c[name] for name in Note.__dataclass_fields__)).where(
        note.c.id == id_, note.c.deleted_at.is_(None)
    )
    row = (await connection.execute(statement.with_for_update())).mappings().one_or_none()
    if row is None:
        raise NotFoundError(f"there is no note {id_!r}")
    return Note(**row)


async def find_notes(connection: Connection, customer_id: str, *, limit: int) -> list[Note]:
    """Those of a customer that were not deleted, the newest first."""
    statement = (
        select(*(note.c[name] for name in Note.__dataclass_fields__))
        .where(note.c.customer_id == customer_id, note.c.deleted_at.is_(None))
        .order_by(note.c.at.desc(), note.c.id)
        .limit(limit)
    )
    return [Note(**row) for row in (await connection.execute(statement)).mappings()]


async def edit_note(connection: Connection, id_: str, body: str, *, by: str, now: datetime) -> None:
    await connection.execute(update(note).where(note.c.id == id_).values(body=body, edited_at=now, edited_by=by))


async def empty_note(connection: Connection, id_: str, *, by: str, now: datetime) -> None:
    """Delete it: what it said goes, that there was one stays."""
    await connection.execute(update(note).where(note.c.id == id_).values(body="", deleted_at=now, deleted_by=by))
