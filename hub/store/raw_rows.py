"""Rows of sources as they came, compressed: what a mapping is replayed over.

The same row again is one entry, seen again: its id is a digest of what it is. `at` is when it came last.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from hashlib import blake2b
from typing import Any

import orjson
from sqlalchemy import delete, func, select, tuple_

from hub.store.bulk import write_rows
from hub.store.quarantine import kept_key
from hub.store.store import Connection
from hub.store.tables import raw_row

Place = tuple[datetime, str]
"""Where a reader has come to: the time and the id of the last row it had."""


@dataclass(frozen=True, slots=True)
class RawRow:
    id: str
    stream: str
    key: str
    at: datetime
    raw: Mapping[str, Any]


async def keep(
    connection: Connection,
    source: str,
    stream: str,
    rows: Iterable[tuple[str, Mapping[str, Any]]],
    *,
    run_id: str,
    now: datetime,
) -> None:
    """Keep rows: (id at the vendor, row)."""
    kept: dict[str, dict[str, Any]] = {}
    for key, raw in rows:
        whole = orjson.dumps([source, stream, key, raw], default=str, option=orjson.OPT_NON_STR_KEYS)
        id_ = blake2b(whole, digest_size=16).hexdigest()
        kept[id_] = {
            "id": id_,
            "source": source,
            "stream": stream,
            "key": kept_key(key),
            "run_id": run_id,
            "at": now,
            "raw": dict(raw),
        }
    await write_rows(connection, raw_row, list(kept.values()), replace=True)


async def find(
    connection: Connection, source: str, stream: str, *, since: datetime | None, after: Place | None, most: int
) -> list[RawRow]:
    """The next rows of a stream in the order in which they came, beyond `after`."""
    c = raw_row.c
    statement = select(c.id, c.stream, c.key, c.at, c.raw).where(c.source == source, c.stream == stream)
    if since is not None:
        statement = statement.where(c.at >= since)
    if after is not None:
        statement = statement.where(tuple_(c.at, c.id) > tuple_(*after))
    return [RawRow(*row) for row in await connection.execute(statement.order_by(c.at, c.id).limit(most))]


async def count(connection: Connection, source: str) -> int:
    return (await connection.execute(select(func.count()).where(raw_row.c.source == source))).scalar_one()


async def prune(connection: Connection, source: str, *, before: datetime, most: int) -> int:
    """Delete some of those that came last before then; how many."""
    c = raw_row.c
    old = select(c.id).where(c.source == source, c.at < before).limit(most)
    return (await connection.execute(delete(raw_row).where(c.id.in_(old)))).rowcount
