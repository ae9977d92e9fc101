"""Which messages of the ledger may go out now: at each channel's pace, and in order where it wants them so."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from typing import Any

from sqlalchemy import (
    BindParameter,
    ColumnElement,
    CompoundSelect,
    Integer,
    Select,
    and_,
    bindparam,
    case,
    func,
    or_,
    select,
    text,
    tuple_,
    update,
)

from hub.model.actions import Delivery, DeliveryState
from hub.store.asking import several
from hub.store.deliveries import find_deliveries
from hub.store.stops import NOTHING_STOPPED, sendable
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
        await connection.execute(_LOCK)
    looks = _looks(_known(paces), await sendable(connection))
    moments = looks.moments(now)
    taken = {(row[0], row[1]) for row in await connection.execute(looks.taken, moments)}
    having = [(row[0], row[1], row[2]) for row in await connection.execute(looks.having)] if looks.free else []
    asked = {**moments, "limit": limit}
    if taken:
        asked["taken"] = sorted(taken)
    if places is not None:
        asked["places"] = sorted(places)
    first = looks.first(elsewhere=bool(taken), at=places is not None, having=having)
    ids = list((await connection.execute(first, asked)).scalars())
    if not ids:
        return []
    await connection.execute(looks.claimed, {**looks.expiries(now), "ids": ids, "by": executor, "now": now})
    return await find_deliveries(connection, ids=ids)


_LOCK = text(f"SELECT pg_advisory_xact_lock({_CLAIM_LOCK})")
_Paces = tuple[tuple[str, Pace], ...]


def _known(paces: Paces | None) -> _Paces:
    return tuple(sorted((paces or {}).items(), key=lambda each: each[0]))


def _looks(paces: _Paces, free: ColumnElement[bool]) -> "_Looks":
    """Statements are built once for the paces of a process; while something is stopped, anew."""
    return _looks_of(paces) if free is NOTHING_STOPPED else _Looks(paces, free)


@cache
def _looks_of(paces: _Paces) -> "_Looks":
    return _Looks(paces, NOTHING_STOPPED)


def _moment(name: str) -> BindParameter[datetime]:
    return bindparam(name, type_=UtcDateTime())


class _Looks:
    """What is asked at a claim. paces: of the channels; sendable: which messages no stop holds back."""

    def __init__(self, paces: _Paces, sendable: ColumnElement[bool]) -> None:
        self._paces, self._sendable = paces, sendable
        self.free = [name for name, pace in paces if pace.is_free]
        self._built: dict[tuple[bool, bool], Select[Any]] = {}
        self._waiting: dict[bool, tuple[Select[Any], Select[Any]]] = {}
        self.taken = self._taken()
        self.blocked = self._blocked()
        self.having = (
            select(*_PLACE, func.count().label("many"))
            .where(delivery.c.state == DeliveryState.SENT.value, delivery.c.channel.in_(self.free))
            .group_by(*_PLACE)
        )
        self.claimed = (
            update(delivery)
            .where(delivery.c.id.in_(several("ids")))
            .values(
                state=DeliveryState.SENT.value,
                claimed_by=bindparam("by"),
                sent_at=_moment("now"),
                attempts=delivery.c.attempts + 1,
                error=None,
                not_before=None,
                expires_at=func.coalesce(delivery.c.expires_at, self._by_channel("expires")),
            )
        )

    def moments(self, now: datetime) -> dict[str, Any]:
        """Parameters of `taken`, `blocked` and `first`."""
        longest = max((pace.interval for pace in (USUAL, *dict(self._paces).values())), default=USUAL.interval)
        since = {f"since{place}": now - pace.interval for place, (_, pace) in enumerate(self._paces)}
        return {"now": now, "longest": now - longest, "since": now - USUAL.interval, **since}

    def expiries(self, now: datetime) -> dict[str, datetime]:
        expiries = {f"expires{place}": now + pace.expiry for place, (_, pace) in enumerate(self._paces)}
        return {"expires": now + USUAL.expiry, **expiries}

    def _by_channel(self, name: str) -> ColumnElement[datetime]:
        """The parameter of a message's channel."""
        last = _moment(name)
        if not self._paces:
            return last
        given = {channel: _moment(f"{name}{place}") for place, (channel, _) in enumerate(self._paces)}
        return case(given, value=delivery.c.channel, else_=last)

    def _taken(self) -> CompoundSelect[Any]:
        """Places that had a message within their channel's interval, are having one just now, or wait to try one again."""
        recent = select(*_PLACE).where(
            delivery.c.sent_at > _moment("longest"), delivery.c.sent_at > self._by_channel("since")
        )
        under_way = (
            select(*_PLACE)
            .where(delivery.c.state == DeliveryState.SENT.value)
            .group_by(*_PLACE)
            .having(func.count() >= case((delivery.c.channel.in_(self.free), AT_ONCE), else_=1))
        )
        return recent.union(under_way, self._blocked())

    def _blocked(self) -> Select[str, str]:
        """Places in order whose first message is to be tried again, but not yet."""
        return select(*_PLACE).where(
            delivery.c.state == DeliveryState.RESERVED.value,
            delivery.c.attempts > 0,
            delivery.c.not_before > _moment("now"),
            delivery.c.channel.not_in([name for name, pace in self._paces if not pace.ordered]),
            self._sendable,
        )

    def waiting(self, *, blocked: bool) -> tuple[Select[Any], Select[Any]]:
        """The channels of those that may go out, and when the first of the others may. blocked: some of their places are."""
        if blocked not in self._waiting:
            ahead = delivery.c.not_before > _moment("now")
            able: list[ColumnElement[bool]] = [delivery.c.state == DeliveryState.RESERVED.value, self._sendable]
            if blocked:  # what stands behind one that is to be tried again waits with it
                able.append(or_(tuple_(*_PLACE).not_in(several("blocked")), and_(delivery.c.attempts > 0, ahead)))
            due = or_(delivery.c.not_before.is_(None), delivery.c.not_before <= _moment("now"))
            some = select(delivery.c.channel).where(*able, due).order_by(*_TURN).limit(LOOKED_AT).subquery()
            later = select(func.min(delivery.c.not_before)).where(*able, ahead)
            self._waiting[blocked] = select(some.c.channel).distinct(), later
        return self._waiting[blocked]

    def first(self, *, elsewhere: bool, at: bool, having: Sequence[tuple[str, str, int]]) -> Select[Any]:
        """The ids of those whose turn it is. elsewhere: but at the places `taken`; at: only at the places `places`.

        having: how many the address of a due message is having just now, in channels where that may be more than one
        """
        if having:
            return self._first(elsewhere, at, having)
        if (elsewhere, at) not in self._built:
            self._built[elsewhere, at] = self._first(elsewhere, at, ())
        return self._built[elsewhere, at]

    def _first(self, elsewhere: bool, at: bool, having: Sequence[tuple[str, str, int]]) -> Select[Any]:
        oldest = select(delivery.c.id, delivery.c.channel, delivery.c.address, delivery.c.turn_at).where(
            delivery.c.state == DeliveryState.RESERVED.value,
            or_(delivery.c.not_before.is_(None), delivery.c.not_before <= _moment("now")),
            *((tuple_(*_PLACE).not_in(several("taken")),) if elsewhere else ()),
            *((tuple_(*_PLACE).in_(several("places")),) if at else ()),
            self._sendable,
        )
        old = oldest.order_by(*_TURN).limit(LOOKED_AT).subquery()
        place, turn = (old.c.channel, old.c.address), (old.c.turn_at, old.c.id)
        due = select(old, func.row_number().over(partition_by=place, order_by=turn).label("turn")).subquery()
        cases = [(and_(due.c.channel == channel, due.c.address == address), many) for channel, address, many in having]
        several_at_once = due.c.channel.in_(self.free), due.c.turn <= AT_ONCE - (case(*cases, else_=0) if cases else 0)
        ready = select(due.c.id).where(or_(due.c.turn == 1, and_(*several_at_once)))
        return ready.order_by(due.c.turn_at, due.c.id).limit(bindparam("limit", type_=Integer))


async def next_due(connection: Connection, *, now: datetime, paces: Paces | None = None) -> datetime | None:
    """When the next reserved message may go out; None where there is none."""
    looks = _looks(_known(paces), await sendable(connection))
    asked: dict[str, Any] = {"now": now}
    if blocked := {(row[0], row[1]) for row in await connection.execute(looks.blocked, asked)}:
        asked["blocked"] = sorted(blocked)
    at_once, later = looks.waiting(blocked=bool(blocked))
    channels = set((await connection.execute(at_once, asked)).scalars())
    if not channels:
        at: datetime | None = (await connection.execute(later, asked)).scalar()
        return at
    known = paces or {}
    pause = min(known.get(name, USUAL).interval for name in channels)
    return now + max(pause, SHORTEST_WAIT)
