"""How true a source's streams are: how far each is complete, and what the last comparison with the vendor found.

Each change is kept for its day, too, so that a score of a past day knows what was known then.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, delete, select, update
from sqlalchemy.dialects import postgresql, sqlite

from hub.store.store import Connection
from hub.store.tables import bookmark, source, stream_day, stream_state


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """What a comparison of a stream with its vendor found and did, in rows. None: it could not be told.

    way           how theirs were listed: "ids", or a whole "pull"
    theirs, ours  live rows at the vendor, and here
    missing       they have it, and we had not
    extra         we had it as living, and they have it no more
    stale         ours was of an older version
    repaired      rows that were written to mend it
    deleted       extra ones that were marked so
    held          extra ones that were too many to be marked without a person's word
    completeness  share of the vendor's rows that we hold in the end, 0 to 1
    error         why it could not be compared, or what is left to a person
    """

    way: str | None = None
    theirs: int | None = None
    ours: int | None = None
    missing: int | None = None
    extra: int | None = None
    stale: int | None = None
    repaired: int = 0
    deleted: int = 0
    held: int = 0
    completeness: float | None = None
    error: str | None = None


async def note_pulled(
    connection: Connection, name: str, stream: str, *, makes: Sequence[str], complete_to: datetime | None, now: datetime
) -> None:
    """A pull has ended: with every change up to `complete_to`, or (None) without having been whole even once."""
    row = {**_key(name, stream), "makes": list(makes), "complete_to": complete_to}
    changes = ("makes", "complete_to") if complete_to is not None else ("makes",)
    await _put(connection, row, changes)
    await _keep_day(connection, name, stream, now=now)


async def note_checked(
    connection: Connection, name: str, stream: str, check: Check, *, makes: Sequence[str], now: datetime
) -> None:
    """A comparison has ended. One that could not be made leaves what the last one said, and tells why."""
    found: dict[str, Any] = {"check_error": check.error}
    if check.theirs is not None:
        counted = asdict(check)
        found |= {name: counted[name] for name in _COUNTED} | {"check_way": check.way, "checked_at": now}
    await _put(connection, {**_key(name, stream), "makes": list(makes), **found}, tuple(found))
    await _keep_day(connection, name, stream, now=now)


async def retire(connection: Connection, name: str, streams: Sequence[str], *, now: datetime) -> list[str]:
    """Let go of streams that a source has no longer: from this day on nothing is asked of them. Return their names."""
    c = stream_state.c
    rows = await connection.execute(select(c.stream).where(c.source == name, c.stream.not_in(list(streams))))
    gone = sorted(rows.scalars())
    for stream in gone:
        await connection.execute(update(stream_state).where(c.id == f"{name}:{stream}").values(makes=[]))
        await _keep_day(connection, name, stream, now=now)
        await connection.execute(delete(stream_state).where(c.id == f"{name}:{stream}"))
    return gone


_COUNTED = ("theirs", "ours", "missing", "extra", "stale", "repaired", "deleted", "held", "completeness")


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamStanding:
    """How a stream stands. moved_at, brought_at: of its bookmark; complete: a whole pull has ended at least once."""

    source: str
    stream: str
    moved_at: datetime | None
    brought_at: datetime | None
    complete: bool
    complete_to: datetime | None
    checked_at: datetime | None
    theirs: int | None
    missing: int | None
    extra: int | None
    stale: int | None
    held: int | None
    completeness: float | None
    check_error: str | None


async def find_standings(connection: Connection) -> list[StreamStanding]:
    """Every stream that was pulled or compared, by source and name."""
    counted = ("theirs", "missing", "extra", "stale", "held", "completeness")
    of_state = ("complete_to", "checked_at", *counted, "check_error")
    pulled = select(bookmark.c.source, bookmark.c.stream).union(select(stream_state.c.source, stream_state.c.stream))
    known = pulled.subquery()
    statement = (
        select(
            known.c.source,
            known.c.stream,
            bookmark.c.moved_at,
            bookmark.c.brought_at,
            bookmark.c.complete,
            *(stream_state.c[name] for name in of_state),
        )
        .outerjoin(bookmark, (bookmark.c.source == known.c.source) & (bookmark.c.stream == known.c.stream))
        .outerjoin(stream_state, (stream_state.c.source == known.c.source) & (stream_state.c.stream == known.c.stream))
        .order_by(known.c.source, known.c.stream)
    )
    rows = (await connection.execute(statement)).mappings()
    return [StreamStanding(**{**row, "complete": bool(row["complete"])}) for row in rows]


async def find_complete_to(connection: Connection, name: str, stream: str) -> datetime | None:
    statement = select(stream_state.c.complete_to).where(stream_state.c.id == f"{name}:{stream}")
    found: datetime | None = (await connection.execute(statement)).scalar()
    return found


async def set_demands(connection: Connection, demands: Mapping[str, Mapping[str, Any]]) -> None:
    """What the configuration asks of each source: {source: {fresh_seconds, complete_share, raw_days}}."""
    rows = [{"at": name, **asked} for name, asked in demands.items()]
    if rows:
        names = ("fresh_seconds", "complete_share", "raw_days")
        statement = update(source).where(source.c.name == bindparam("at"))
        await connection.execute(statement.values({name: bindparam(name) for name in names}), rows)


def _key(name: str, stream: str) -> dict[str, Any]:
    return {"id": f"{name}:{stream}", "source": name, "stream": stream}


async def _put(connection: Connection, row: Mapping[str, Any], changes: Sequence[str]) -> None:
    insert = (sqlite if connection.dialect.name == "sqlite" else postgresql).insert(stream_state)
    statement = insert.on_conflict_do_update(
        index_elements=[stream_state.c.id], set_={name: insert.excluded[name] for name in changes}
    )
    await connection.execute(statement, [dict(row)])


async def _keep_day(connection: Connection, name: str, stream: str, *, now: datetime) -> None:
    c = stream_state.c
    found = select(c.makes, c.complete_to, c.completeness).where(c.id == f"{name}:{stream}")
    row = dict((await connection.execute(found)).mappings().one())
    insert = (sqlite if connection.dialect.name == "sqlite" else postgresql).insert(stream_day)
    statement = insert.on_conflict_do_update(
        index_elements=[stream_day.c.id], set_={each: insert.excluded[each] for each in row}
    )
    day = now.date()
    await connection.execute(
        statement, [{"id": f"{name}:{stream}:{day}", "source": name, "stream": stream, "day": day, **row}]
    )
