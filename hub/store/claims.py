"""Which messages of the ledger may go out now: at each channel's pace, and in order where it wants them so."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, and_, case, func, literal, or_, select, text, tuple_, update

from hub.model.actions import Delivery, DeliveryState
from hub.store.deliveries import find_deliveries
from hub.store.stops import sendable
from hub.store.store import Connection
from hub.store.tables import delivery
from hub.store.tables.base import UtcDateTime

_CLAIM_LOCK = 7_281_530_114  # any number, the same in every process
_PLACE = (delivery.c.channel, delivery.c.address)
_QUEUED_AT = func.coalesce(delivery.c.turn_at, delivery.c.reserved_at)
_TURN = (_QUEUED_AT, delivery.c.id)
LOOKED_AT = 500
"""Of the messages that are due the oldest so many. They may all be for one address: then the next claim finds the others, for
that address is busy by then."""
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


USUAL = Pace()
Paces = Mapping[str, Pace]


async def claim(
    connection: Connection, *, executor: str, now: datetime, limit: int, paces: Paces | None = None
) -> list[Delivery]:
    """Mark up to `limit` due messages as sent by `executor`: the first of each address that is having none just now.

    Fewer than `limit` does not mean that there are no more: ask until there are none.
    """
    if connection.dialect.name == "postgresql":  # SQLite has one writer anyway
        await connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _CLAIM_LOCK})
    paces = paces or {}
    busy = await _busy(connection, paces, now=now) | await _blocked(connection, paces, now=now)
    oldest = (
        select(delivery.c.id, delivery.c.channel, delivery.c.address, _QUEUED_AT.label("queued_at"))
        .where(
            delivery.c.state == DeliveryState.RESERVED.value,
            or_(delivery.c.not_before.is_(None), delivery.c.not_before <= now),
            _elsewhere(busy),
            await sendable(connection),
        )
        .order_by(*_TURN)
        .limit(LOOKED_AT)
        .subquery()
    )
    place, turn = (oldest.c.channel, oldest.c.address), (oldest.c.queued_at, oldest.c.id)
    due = select(oldest, func.row_number().over(partition_by=place, order_by=turn).label("turn")).subquery()
    first = select(due.c.id).where(due.c.turn == 1).order_by(due.c.queued_at, due.c.id).limit(limit)
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


async def _busy(connection: Connection, paces: Paces, *, now: datetime) -> set[tuple[str, str]]:
    """Places that had a message within their channel's interval, or are having one just now."""
    longest = max((pace.interval for pace in (USUAL, *paces.values())), default=USUAL.interval)
    since = _by_channel({name: now - pace.interval for name, pace in paces.items()}, otherwise=now - USUAL.interval)
    recent = select(*_PLACE).where(delivery.c.sent_at > now - longest, delivery.c.sent_at > since)
    under_way = select(*_PLACE).where(delivery.c.state == DeliveryState.SENT.value)
    return {(row[0], row[1]) for row in await connection.execute(recent.union(under_way))}


async def _blocked(connection: Connection, paces: Paces, *, now: datetime) -> set[tuple[str, str]]:
    """Places in order whose first message is to be tried again, but not yet."""
    statement = (
        select(*_PLACE)
        .where(
            delivery.c.state == DeliveryState.RESERVED.value,
            delivery.c.attempts > 0,
            delivery.c.not_before > now,
            _in_order(paces),
            await sendable(connection),
        )
        .distinct()
    )
    return {(row[0], row[1]) for row in await connection.execute(statement)}


def _in_order(paces: Paces) -> ColumnElement[bool]:
    return delivery.c.channel.not_in([name for name, pace in paces.items() if not pace.ordered])


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
    # what stands behind one that is to be tried again waits with it
    free = or_(
        _elsewhere(await _blocked(connection, paces, now=now)),
        and_(delivery.c.attempts > 0, delivery.c.not_before > now),
    )
    earliest = func.coalesce(delivery.c.not_before, delivery.c.reserved_at)
    waiting = (delivery.c.state == DeliveryState.RESERVED.value, free, await sendable(connection))
    at: datetime | None = (await connection.execute(select(func.min(earliest).label("at")).where(*waiting))).scalar()
    if at is None or at > now:
        return at
    channels = (
        await connection.execute(select(delivery.c.channel).where(*waiting, earliest <= now).distinct())
    ).scalars()
    pause = min((paces.get(name, USUAL).interval for name in channels), default=USUAL.interval)
    return now + max(pause, SHORTEST_WAIT)
