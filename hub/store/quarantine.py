"""Rows of sources that could not become records: kept with the reason, until they can."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import delete, select
from sqlalchemy.dialects import postgresql, sqlite

from hub.model.records import Quarantined
from hub.store.among import among
from hub.store.store import Connection
from hub.store.tables import quarantine

KEY_LENGTH = 240
NUL, INSTEAD = "\x00", "\ufffd"


def kept_key(key: str) -> str:
    """A row's id as it can be kept: whatever a source calls its rows, a bad one must not stop the good ones beside it."""
    return key.replace(NUL, INSTEAD)[:KEY_LENGTH]


async def put_quarantine(
    connection: Connection, name: str, stream: str, rows: Sequence[Quarantined], *, now: datetime
) -> None:
    """Keep bad rows with their reason; the same row seen again is one entry, seen once more."""
    if not rows:
        return
    insert = (sqlite if connection.dialect.name == "sqlite" else postgresql).insert(quarantine)
    statement = insert.on_conflict_do_update(
        index_elements=[quarantine.c.id],
        set_={
            "reason": insert.excluded.reason,
            "field": insert.excluded.field,
            "raw": insert.excluded.raw,
            "last_seen_at": insert.excluded.last_seen_at,
            "seen": quarantine.c.seen + 1,
        },
    )
    await connection.execute(
        statement,
        [
            {
                "id": f"{name}:{stream}:{kept_key(row.key)}",
                "source": name,
                "stream": stream,
                "key": kept_key(row.key),
                "field": row.field,
                "reason": row.reason.replace(NUL, INSTEAD),
                "raw": dict(row.raw),
                "seen": 1,
                "first_seen_at": now,
                "last_seen_at": now,
            }
            for row in rows
        ],
    )


async def release_quarantine(connection: Connection, name: str, stream: str, keys: Sequence[str]) -> None:
    """Forget entries whose rows have become good."""
    held = (
        await connection.execute(
            select(quarantine.c.key).where(quarantine.c.source == name, quarantine.c.stream == stream)
        )
    ).scalars()
    if good := set(held) & {kept_key(key) for key in keys}:
        await connection.execute(
            delete(quarantine).where(
                quarantine.c.source == name, quarantine.c.stream == stream, quarantine.c.key.in_(sorted(good))
            )
        )


@dataclass(frozen=True, slots=True)
class Entry:
    """raw: as the source sent it; where only a record could not be kept, what was made of it."""

    id: str
    key: str
    raw: Mapping[str, Any]


async def find_entries(connection: Connection, name: str, stream: str, *, after: str, most: int) -> list[Entry]:
    """The next entries of a stream in the order of their ids, beyond `after`."""
    c = quarantine.c
    statement = select(c.id, c.key, c.raw).where(c.source == name, c.stream == stream, c.id > after)
    return [Entry(*row) for row in await connection.execute(statement.order_by(c.id).limit(most))]


async def delete_entries(connection: Connection, ids: Sequence[str]) -> None:
    """Of rows that have become good."""
    if ids:
        await connection.execute(delete(quarantine).where(among(connection, quarantine.c.id, ids)))
