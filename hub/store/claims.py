"""Which messages of the ledger may go out now: at each channel's pace, and in order where it wants them so."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, FromClause, Select, and_, case, func, literal, or_, select, text, tuple_, update

from hub.model.actions import Delivery, DeliveryState
from hub.store.deliveries import find_deliveries
from hub.store.stops import sendable
from hub.store.store import Connection
from hub.store.tables import delivery
from hub.store.tables.base import UtcDateTime

_CLAIM_LOCK = 7_281_530_114  # any number, the same in every process
_PLACE = (delivery.c.channel, delivery.c.address)
_TURN = (delivery.c.turn_at, delivery.c.id)
LOOKED_AT = 500
"""Of the messages that are due the oldest so many. They may all be for one address: then the next claim finds the others, for
that address is busy by then."""
AT_ONCE = 4
"""Messages that one address of a channel without pace and order may be having: few, so that those which hang leave room."""
SHORTEST_WAIT = timedelta(milliseconds=250)


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """How one channel's messages may be claimed.

    interval  at least so long between two to one address
    ordered   none before an earlier one to the same address that is to be tried again
    expiry    from its first attempt on
    """

    interval: timedelta = timedelta(seconds=1)
    ordered: bool = True
    expiry: timedelta = timedelta(hours=6)

    @property
    def is_free(self) -> bool:
        """Whether an address may have several at a time."""
        return not self.interval and not self.ordered


USUAL = Pace()
Paces = Mapping[str, Pace]


async def claim(
    connection: Connection,
    *,
    executor: str,
    now: datetime,
    limit: int,
    paces: Paces | None = None,
    places: Collection[tuple[str, str]] | None = None,
) -> list[Delivery]:
    """Mark up to `limit` due messages as sent by `executor`: the first of each address that is having none just now, and
    a few more to an address of a channel without pace and order.

    Fewer than `limit` does not mean that there are no more: ask until there are none. places: only of these channels and
    addresses.
    """
    if connection.dialect.name == "postgresql":  # SQLite has one writer anyway
        await connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _CLAIM_LOCK})
    paces = paces or {}
    free = await sendable(connection)
    taken = await _taken(connection, paces, free, now=now)
    oldest = (
        select(delivery.c.id, delivery.c.channel, delivery.c.address, delivery.c.turn_at)
        .where(
            delivery.c.state == DeliveryState.RESERVED.value,
            or_(delivery.c.not_before.is_(None), delivery.c.not_before <= now),
            _elsewhere(taken),
            _at(places),
            free,
        )
        .order_by(*_TURN)
        .limit(LOOKED_AT)
        .subquery()
    )
    place, turn = (oldest.c.channel, oldest.c.address), (oldest.c.turn_at, oldest.c.id)
    due = select(oldest, func.row_number().over(partition_by=place, order_by=turn).label("turn")).subquery()
    several = and_(due.c.channel.in_(_free_ones(paces)), due.c.turn <= AT_ONCE - await _having(connection, paces, due))
    first = select(due.c.id).where(or_(due.c.turn == 1, several)).order_by(due.c.turn_at, due.c.id).limit(limit)
    ids = list((await connection.execute(first)).scalars())
    if not ids:
        return []
    expiry = _by_channel({name: now + pace.expiry for name, pace in paces.items()}, otherwise=now + USUAL.expiry)
    await connection.execute(
        update(delivery)
        .where(delivery.c.id.in_(ids))
        .values(
            state=DeliveryState.SENT.value,
            claimed_by=executor,
            sent_at=now,
            attempts=delivery.c.attempts + 1,
            error=None,
            not_before=None,
            expires_at=func.coalesce(delivery.c.expires_at, expiry),
        )
    )
    return await find_deliveries(connection, ids=ids)


async def _taken(
    connection: Connection, paces: Paces, free: ColumnElement[bool], *, now: datetime
) -> set[tuple[str, str]]:
    """Places that had a message within their channel's interval, are having one just now, or wait to try one again."""
    longest = max((pace.interval for pace in (USUAL, *paces.values())), default=USUAL.interval)
    since = _by_channel({name: now - pace.interval for name, pace in paces.items()}, otherwise=now - USUAL.interval)
    recent = select(*_PLACE).where(delivery.c.sent_at > now - longest, delivery.c.sent_at > since)
    most = case((delivery.c.channel.in_(_free_ones(paces)), AT_ONCE), else_=1)
    under_way = (
        select(*_PLACE)
        .where(delivery.c.state == DeliveryState.SENT.value)
        .group_by(*_PLACE)
        .having(func.count() >= most)
    )
    found = await connection.execute(recent.union(under_way, _blocked(paces, free, now=now)))
    return {(row[0], row[1]) for row in found}


def _blocked(paces: Paces, free: ColumnElement[bool], *, now: datetime) -> Select[str, str]:
    """Places in order whose first message is to be tried again, but not yet."""
    return select(*_PLACE).where(
        delivery.c.state == DeliveryState.RESERVED.value,
        delivery.c.attempts > 0,
        delivery.c.not_before > now,
        _in_order(paces),
        free,
    )


async def _having(connection: Connection, paces: Paces, due: FromClause) -> ColumnElement[int]:
    """How many the address of a due message is having just now, in channels where that may be more than one."""
    statement = (
        select(*_PLACE, func.count().label("many"))
        .where(delivery.c.state == DeliveryState.SENT.value, delivery.c.channel.in_(_free_ones(paces)))
        .group_by(*_PLACE)
    )
    found = [(row.channel, row.address, row.many) for row in await connection.execute(statement)]
    cases = [(and_(due.c.channel == channel, due.c.address == address), many) for channel, address, many in found]
    return case(*cases, else_=0) if cases else literal(0)


def _free_ones(paces: Paces) -> list[str]:
    return [name for name, pace in paces.items() if pace.is_free]


def _in_order(paces: Paces) -> ColumnElement[bool]:
    return delivery.c.channel.not_in([name for name, pace in paces.items() if not pace.ordered])


def _at(places: Collection[tuple[str, str]] | None) -> ColumnElement[bool]:
    return literal(True) if places is None else tuple_(*_PLACE).in_(sorted(places))


def _elsewhere(places: Collection[tuple[str, str]]) -> ColumnElement[bool]:
    return tuple_(*_PLACE).not_in(sorted(places)) if places else literal(True)


def _by_channel(moments: Mapping[str, datetime], *, otherwise: datetime) -> ColumnElement[datetime]:
    last = literal(otherwise, UtcDateTime())
    if not moments:
        return last
    given = {name: literal(moment, UtcDateTime()) for name, moment in moments.items()}
    return case(given, value=delivery.c.channel, else_=last)


async def next_due(connection: Connection, *, now: datetime, paces: Paces | None = None) -> datetime | None:
    """When the next reserved message may go out; None where there is none."""
    paces = paces or {}
    free = await sendable(connection)
    blocked = {(row[0], row[1]) for row in await connection.execute(_blocked(paces, free, now=now).distinct())}
    # what stands behind one that is to be tried again waits with it
    able = or_(_elsewhere(blocked), and_(delivery.c.attempts > 0, delivery.c.not_before > now))
    waiting = (delivery.c.state == DeliveryState.RESERVED.value, able, free)
    at_once = or_(delivery.c.not_before.is_(None), delivery.c.not_before <= now)
    some = select(delivery.c.channel).where(*waiting, at_once).order_by(*_TURN).limit(LOOKED_AT).subquery()
    channels = set((await connection.execute(select(some.c.channel).distinct())).scalars())
    if not channels:
        later = select(func.min(delivery.c.not_before).label("at")).where(*waiting, delivery.c.not_before > now)
        at: datetime | None = (await connection.execute(later)).scalar()
        return at
    pause = min(paces.get(name, USUAL).interval for name in channels)
    return now + max(pause, SHORTEST_WAIT)
