"""`Broadcast`: hears the log once a process, and tells every audience what it wants of it.

An audience is all subscribers that are sent the very same bytes: for each of them an event is read and put into words once,
however many they are. Each process hears for itself; PostgreSQL wakes all of them, and polling is the net below that.
"""

import asyncio
import logging
from collections.abc import AsyncGenerator, Hashable, Mapping, Sequence
from typing import Protocol

from hub.events.outlet import MOST_WAITING, EndedError, Ending, Outlet, Parcel
from hub.store import Store
from hub.store.events import Heard, Span, find_events, find_span, has_unnumbered, number_events
from hub.store.hearing import listening

log = logging.getLogger(__name__)

LOOK_SECONDS = 2.0
"""How often the log is looked at when nobody says that there is something new."""
AT_ONCE = 500
"""Events that are put into words and handed out together."""
PUT_SECONDS = 10.0
DRAIN_SECONDS = 5.0
CANCEL_AGAIN_SECONDS = 0.5
DRAIN_LOOK_SECONDS = 0.02
SIDE_BY_SIDE = 3
"""Audiences whose parcels are made at the same time: each takes a connection of the pool."""


class Audience(Protocol):
    """Subscribers that are sent the same."""

    def wants(self, heard: Heard) -> bool:
        """Whether they are told of an event, by what the log says of it and whose customer it is about."""

    async def put(self, heard: Sequence[Heard]) -> Mapping[int, bytes]:
        """{number: what they are sent}; what they may not see, or what is gone, is left out."""


class _Members:
    """The subscribers of an audience that have caught up."""

    __slots__ = ("audience", "outlets")

    def __init__(self, audience: Audience) -> None:
        self.audience = audience
        self.outlets: set[Outlet] = set()


class Broadcast:
    """See the module. It begins to hear with its first subscriber. `most_waiting`: parcels for one of them."""

    def __init__(self, store: Store, *, most_waiting: int = MOST_WAITING) -> None:
        self._store = store
        self._most_waiting = most_waiting
        self._members: dict[Hashable, _Members] = {}
        self._outlets: set[Outlet] = set()  # of those that still catch up, too
        self._place = 0
        self._hearing: asyncio.Task[None] | None = None
        self._begun = asyncio.Lock()
        self._side_by_side = asyncio.Semaphore(SIDE_BY_SIDE)
        self._closed = False

    @property
    def subscribers(self) -> int:
        return len(self._outlets)

    @property
    def audiences(self) -> int:
        return len(self._members)

    async def begin(self, after: int | None) -> int:
        """Hear, from the first subscriber on; return where one begins that was told of everything up to `after`.

        Raises EndedError where that is a place it cannot go on from.
        """
        if self._closed:
            raise EndedError(Ending.CLOSING)
        async with self._begun:
            if self._hearing is None:
                self._place = await find_place(self._store)
                self._hearing = asyncio.create_task(self._hear_on())
        if after is None:
            return self._place
        if after > self._place:  # perhaps another process has told of what this one is yet to hear
            await _number(self._store)
        async with self._store.reading() as connection:
            _check(await find_span(connection), after)
        return after

    async def follow(self, key: Hashable, audience: Audience, place: int) -> AsyncGenerator[Parcel]:
        """What an audience is told, from `place` on (see `begin`); EndedError when there is no more.

        key  the same for all that are sent the same: the audience of the first of them speaks for all
        """
        outlet = Outlet(most=self._most_waiting)
        self._outlets.add(outlet)
        try:
            while place < self._place and not self._closed:
                until = self._place
                async with self._store.reading() as connection:
                    _check(await find_span(connection), place)
                    found = await find_events(connection, after=place, until=until, most=AT_ONCE)
                for parcel in await _parcels(audience, found):
                    yield parcel
                place = found[-1].number if len(found) == AT_ONCE else until
            # caught up: nothing is awaited between the look at the place and here, so that nothing comes in between
            self._members.setdefault(key, _Members(audience)).outlets.add(outlet)
            if self._closed:
                outlet.end(Ending.CLOSING)
            while True:
                parcel = await outlet.take()
                if parcel.number > place:
                    yield parcel
        finally:
            self._outlets.discard(outlet)
            members = self._members.get(key)
            if members is not None:
                members.outlets.discard(outlet)
                if not members.outlets:
                    del self._members[key]

    async def close(self) -> None:
        """End every subscriber, and hear no more."""
        self._closed = True
        for outlet in list(self._outlets):
            outlet.end(Ending.CLOSING)
        hearing, self._hearing = self._hearing, None
        while hearing is not None and not hearing.done():
            hearing.cancel()  # again, where a driver that was connecting has swallowed it
            await asyncio.wait([hearing], timeout=CANCEL_AGAIN_SECONDS)

    async def _hear_on(self) -> None:
        while not self._closed:
            try:
                async with listening(self._store) as ear:
                    while not self._closed:
                        await ear.wait(timeout=LOOK_SECONDS)
                        await self._hear()
            except Exception:  # the loop of a worker
                log.exception("the log of events could not be heard; trying again")
                await asyncio.sleep(LOOK_SECONDS)

    async def _hear(self) -> None:
        await _number(self._store)
        while True:
            async with self._store.reading() as connection:
                found = await find_events(connection, after=self._place, most=AT_ONCE)
            if not found:
                return
            await self._tell(found)

    async def _tell(self, heard: Sequence[Heard]) -> None:
        """Tell those who have caught up; whoever joins from here on reads these events from the log."""
        self._place = heard[-1].number
        telling = [(members.audience, tuple(members.outlets)) for members in self._members.values()]
        await asyncio.gather(*(self._tell_audience(audience, outlets, heard) for audience, outlets in telling))
        if len(heard) == AT_ONCE:  # more is coming: a long scoring is to make nobody slow who is not
            await self._drained()

    async def _drained(self) -> None:
        """Wait, but not for long, until nobody has much waiting."""
        most = self._most_waiting // 2
        for _ in range(int(DRAIN_SECONDS / DRAIN_LOOK_SECONDS)):
            if all(outlet.waiting <= most for outlet in self._outlets):
                return
            await asyncio.sleep(DRAIN_LOOK_SECONDS)

    async def _tell_audience(self, audience: Audience, outlets: Sequence[Outlet], heard: Sequence[Heard]) -> None:
        async with self._side_by_side:
            try:
                async with asyncio.timeout(PUT_SECONDS):
                    parcels = await _parcels(audience, heard)
            except Exception:  # of one audience: the others hear on
                log.exception("what an audience is told could not be made")
                for outlet in outlets:
                    outlet.end(Ending.LOST)
                return
        for outlet in outlets:
            outlet.offer(parcels)


async def find_place(store: Store) -> int:
    """The number of the newest event that is committed."""
    await _number(store)
    async with store.reading() as connection:
        return (await find_span(connection)).last


async def _number(store: Store) -> None:
    """What SQLite does by itself; see hub.store.events."""
    async with store.reading() as connection:
        if not await has_unnumbered(connection):
            return
    async with store.transaction() as connection:
        await number_events(connection)


async def _parcels(audience: Audience, heard: Sequence[Heard]) -> list[Parcel]:
    wanted = [each for each in heard if audience.wants(each)]
    made = await audience.put(wanted) if wanted else {}
    return [Parcel(number, made[number]) for number in sorted(made)]


def _check(span: Span, place: int) -> None:
    if place < span.first - 1:
        raise EndedError(Ending.TOO_OLD)
    if place > span.last:
        raise EndedError(Ending.UNKNOWN)
