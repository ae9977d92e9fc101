"""What vendors told of by webhook: kept before they are answered, once each, and done in batches."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import blake2b
from typing import Any

from sqlalchemy import bindparam, case, func, select, update

from hub.store.among import among
from hub.store.bulk import write_rows
from hub.store.quarantine import INSTEAD, NUL
from hub.store.store import Connection
from hub.store.tables import source_event

PENDING, DONE, FAILED = "pending", "done", "failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceEvent:
    """One thing an event says. key: of the record to fetch; raw: the row itself, of one that was pushed."""

    id: str
    source: str
    stream: str
    key: str | None
    raw: Mapping[str, Any] | None
    pushed: bool
    received_at: datetime
    tries: int


def row_of(
    source: str,
    *,
    event_id: str,
    stream: str,
    now: datetime,
    due_at: datetime,
    key: str | None = None,
    raw: Mapping[str, Any] | None = None,
    happened_at: datetime | None = None,
) -> dict[str, Any]:
    """A row for `keep`. The same event, stream and key again is the same row."""
    whole = "\0".join((event_id, stream, "" if key is None else f"={key}"))
    return {
        "id": f"{source}:{blake2b(whole.encode(), digest_size=16).hexdigest()}",
        "source": source,
        "stream": stream,
        "key": None if key is None else key.replace(NUL, INSTEAD),
        "event_id": event_id.replace(NUL, INSTEAD),
        "raw": raw,
        "pushed": raw is not None,
        "happened_at": happened_at,
        "received_at": now,
        "state": PENDING,
        "tries": 0,
        "due_at": due_at,
    }


async def keep(connection: Connection, rows: Sequence[Mapping[str, Any]]) -> None:
    """Keep those that are not there yet."""
    await write_rows(connection, source_event, rows, replace=False)


async def find_due_sources(connection: Connection, *, now: datetime) -> list[str]:
    """Sources that have something to do."""
    c = source_event.c
    statement = select(c.source).where(c.state == PENDING, c.due_at <= now).distinct().order_by(c.source)
    return list((await connection.execute(statement)).scalars())


async def find_due(connection: Connection, source: str, *, now: datetime, most: int) -> list[SourceEvent]:
    """The oldest of what is to be done now."""
    names = SourceEvent.__dataclass_fields__
    c = source_event.c
    statement = (
        select(*(c[name] for name in names))
        .where(c.source == source, c.state == PENDING, c.due_at <= now)
        .order_by(c.received_at, c.id)
        .limit(most)
    )
    return [SourceEvent(**row) for row in (await connection.execute(statement)).mappings()]


async def finish(connection: Connection, ids: Sequence[str], *, now: datetime) -> None:
    """They are done; a row that was pushed has landed, and is not kept here."""
    c = source_event.c
    done = update(source_event).where(among(connection, c.id, ids), c.state == PENDING)
    await connection.execute(done.values(state=DONE, done_at=now, raw=None, error=None))


async def put_off(
    connection: Connection, due: Mapping[str, datetime | None], *, error: str, now: datetime, counted: bool = True
) -> None:
    """Try again: {id: not before then}; None gives it up. counted: it was a try."""
    c = source_event.c
    rows = [
        {
            "at": id_,
            "then": now if when is None else when,
            "next": FAILED if when is None else PENDING,
            "ended": now if when is None else None,
        }
        for id_, when in due.items()
    ]
    if rows:
        values = {
            "due_at": bindparam("then", type_=c.due_at.type),
            "state": bindparam("next"),
            "done_at": bindparam("ended", type_=c.done_at.type),
            "tries": c.tries + (1 if counted else 0),
            "error": error,
        }
        await connection.execute(update(source_event).where(c.id == bindparam("at")).values(values), rows)


@dataclass(frozen=True, slots=True)
class Inbox:
    """Of one source: events that wait, that were given up, and when the last one came."""

    pending: int = 0
    failed: int = 0
    received_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Received:
    """Of one stream, since some time: how many events came, wait and were given up, the newest, and why one was given up."""

    stream: str
    came: int
    pending: int
    failed: int
    received_at: datetime
    error: str | None


async def find_received(connection: Connection, source: str, *, since: datetime) -> list[Received]:
    """By stream."""
    c = source_event.c
    counts = [func.sum(case((c.state == state, 1), else_=0)) for state in (PENDING, FAILED)]
    statement = (
        select(c.stream, func.count(), *counts, func.max(c.received_at), func.max(case((c.state == FAILED, c.error))))
        .where(c.source == source, c.received_at >= since)
        .group_by(c.stream)
        .order_by(c.stream)
    )
    return [
        Received(stream=row[0], came=row[1], pending=int(row[2]), failed=int(row[3]), received_at=row[4], error=row[5])
        for row in await connection.execute(statement)
    ]


async def find_inboxes(connection: Connection) -> dict[str, Inbox]:
    """{source: …} of those that were ever told something, as far back as events are kept."""
    c = source_event.c
    counts = [func.sum(case((c.state == state, 1), else_=0)) for state in (PENDING, FAILED)]
    statement = select(c.source, *counts, func.max(c.received_at)).group_by(c.source)
    return {row[0]: Inbox(int(row[1]), int(row[2]), row[3]) for row in await connection.execute(statement)}
