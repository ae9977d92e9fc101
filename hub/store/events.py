"""The log of events: noted in the transaction of what they tell of, numbered when they can be seen, read by number.

    await note_alerts(connection, alert.c.id.in_(…), change="closed", at=now)      with what it tells of, or not at all
    await number_events(connection)                                               in a short transaction of its own
    heard = await find_events(connection, after=cursor, most=500)

A row that is written first may be committed last, so the order of writing is no order to read by: whoever had read up to the
later one would never see the earlier. On PostgreSQL a row gets its number only once it is committed: whoever hears of it
numbers all that are visible, one process at a time, and commits; a smaller number is therefore never seen after a larger one,
no writer waits for another, and a long transaction keeps nobody's events back. SQLite has one writer at a time, which numbers
what it wrote before it commits. Numbers have no gaps, so it can be told whether a place in the log is still kept.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, Update, bindparam, delete, func, insert, literal, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite

from hub.store.store import Connection
from hub.store.tables import alert, customer, event, event_log, playbook_run, sync_run
from hub.store.tables.base import Json, UtcDateTime

CHANNEL = "cshub_event"
"""Where PostgreSQL tells listeners that events were committed or numbered."""
_NAMES = ("at", "kind", "change", "customer_id", "subject", "data")


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard:
    """An event as the log has it. csm_email: whose customer it is about is now; None also where it is about none."""

    number: int
    at: datetime
    kind: str
    change: str
    customer_id: str | None
    subject: str
    data: Mapping[str, Any] = field(repr=False)
    csm_email: str | None


@dataclass(frozen=True, slots=True)
class Span:
    """What is kept: the numbers from `first` to `last`; first is last + 1 where nothing is."""

    first: int
    last: int


async def note_events(connection: Connection, rows: Sequence[Mapping[str, Any]]) -> None:
    """Note events: {at, kind, change, customer_id, subject, data} each."""
    if rows:
        await connection.execute(insert(event), [{name: row[name] for name in _NAMES} for row in rows])
        await _announce(connection)


async def note_alerts(connection: Connection, which: ColumnElement[bool], *, change: str, at: datetime) -> None:
    """Note that alerts were opened, changed or closed; `which` of them, as they stand now."""
    row = alert.c
    data = _json(connection, severity=row.severity, kind=row.kind)
    await _note(connection, at, "alert", literal(change), row.customer_id, row.id, data, which)


async def note_runs(
    connection: Connection, which: ColumnElement[bool], *, change: ColumnElement[str], at: datetime
) -> None:
    """Note what became of playbook runs; `which` of them, as they stand now."""
    row = playbook_run.c
    data = _json(connection, playbook=row.playbook, state=row.state)
    await _note(connection, at, "run", change, row.customer_id, row.id, data, which)


async def note_sync(connection: Connection, run_id: str, *, change: str, at: datetime) -> None:
    """Note how a sync goes: started, moved or ended."""
    row = sync_run.c
    data = _json(connection, source=row.source, state=row.state)
    which = row.id == run_id
    await _note(connection, at, "sync", literal(change), literal(None, event.c.customer_id.type), row.id, data, which)


async def _note(
    connection: Connection,
    at: datetime,
    kind: str,
    change: ColumnElement[Any],
    customer_id: ColumnElement[Any],
    subject: ColumnElement[Any],
    data: ColumnElement[Any],
    which: ColumnElement[bool],
) -> None:
    chosen = select(literal(at, UtcDateTime()), literal(kind), change, customer_id, subject, data).where(which)
    statement: Select[Any] = chosen.order_by(subject)
    result = await connection.execute(insert(event).from_select(_NAMES, statement, include_defaults=False))
    if result.rowcount:
        await _announce(connection)


def _json(connection: Connection, **columns: ColumnElement[Any]) -> ColumnElement[Any]:
    pairs = [part for name, column in columns.items() for part in (literal(name), column)]
    make = func.json_object if connection.dialect.name == "sqlite" else func.json_build_object
    return make(*pairs, type_=Json())


async def _announce(connection: Connection) -> None:
    if connection.dialect.name == "sqlite":
        await number_events(connection)
    else:  # told when the transaction commits, and once however often it is said
        await connection.execute(select(func.pg_notify(CHANNEL, "")))


async def number_events(connection: Connection) -> int:
    """Give numbers to the events that have none, in the order they were written; return how many. One process at a time."""
    last = await _lock(connection)
    numbered = (await connection.execute(_NUMBER, {"up_to": last})).rowcount
    if numbered:
        await connection.execute(_COUNT, {"numbered": numbered})
    return numbered


def _numbering() -> Update:
    fresh = (
        select(event.c.id, func.row_number().over(order_by=event.c.id).label("place"))
        .where(event.c.number.is_(None))
        .subquery("fresh")
    )
    up_to = bindparam("up_to", type_=event.c.number.type)
    return update(event).where(event.c.id == fresh.c.id).values(number=up_to + fresh.c.place)


_NUMBER = _numbering()
_COUNT = update(event_log).values(last=event_log.c.last + bindparam("numbered", type_=event_log.c.last.type))


async def _lock(connection: Connection) -> int:
    """The highest number given; nobody else gives one until this transaction ends."""
    return int((await connection.execute(_HELD[connection.dialect.name])).scalar_one())


def _held(make: Any) -> Any:
    row = make.values(id=1, last=0, first=1)  # the first of all; where the row is there, writing it anew locks it
    held = row.on_conflict_do_update(index_elements=[event_log.c.id], set_={"last": event_log.c.last})
    return held.returning(event_log.c.last)


_HELD = {"sqlite": _held(sqlite.insert(event_log)), "postgresql": _held(postgresql.insert(event_log))}


async def has_unnumbered(connection: Connection) -> bool:
    statement = select(event.c.id).where(event.c.number.is_(None)).limit(1)
    return (await connection.execute(statement)).scalar() is not None


async def find_span(connection: Connection) -> Span:
    """Which numbers there are."""
    row = (await connection.execute(select(event_log.c.first, event_log.c.last))).one_or_none()
    return Span(1, 0) if row is None else Span(row.first, row.last)


async def find_events(
    connection: Connection, *, after: int, until: int | None = None, most: int = 1_000
) -> list[Heard]:
    """Events with a number above `after`, up to `until`, in order; whoever may see them."""
    columns = [event.c[name] for name in Heard.__dataclass_fields__ if name != "csm_email"]
    statement = (
        select(*columns, customer.c.csm_email)
        .outerjoin(customer, customer.c.id == event.c.customer_id)
        .where(event.c.number > after)
        .order_by(event.c.number)
        .limit(most)
    )
    if until is not None:
        statement = statement.where(event.c.number <= until)
    return [Heard(**row) for row in (await connection.execute(statement)).mappings()]


async def prune_events(connection: Connection, *, before: datetime) -> int:
    """Forget the events before a time, but for those behind a later one; return how many."""
    last = await _lock(connection)
    later = select(func.min(event.c.number)).where(event.c.at >= before)
    kept = (await connection.execute(later)).scalar()
    cut = last if kept is None else kept - 1
    gone = or_(event.c.number <= cut, (event.c.number.is_(None)) & (event.c.at < before))
    pruned = (await connection.execute(delete(event).where(gone))).rowcount
    await connection.execute(
        update(event_log).values(first=func.max(event_log.c.first, cut + 1))
        if connection.dialect.name == "sqlite"
        else update(event_log).values(first=func.greatest(event_log.c.first, cut + 1))
    )
    return pruned
