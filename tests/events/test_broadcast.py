import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import pytest

from hub.events import Broadcast, EndedError, Ending
from hub.events.broadcast import AT_ONCE
from hub.store import Store
from hub.store.events import Heard, note_events

NOW = datetime(2026, 11, 22, 9, tzinfo=UTC)


@dataclass
class Everybody:
    """An audience that wants all, and remembers how often it was asked to put something into words."""

    asked: list[list[int]] = field(default_factory=list)
    fails: bool = False

    def wants(self, heard: Heard) -> bool:
        return heard.subject != "unwanted"

    async def put(self, heard: Sequence[Heard]) -> Mapping[int, bytes]:
        if self.fails:
            raise OSError("the store is away")
        self.asked.append([each.number for each in heard])
        return {each.number: each.subject.encode() for each in heard if each.subject != "hidden"}


async def note(store: Store, *subjects: str) -> None:
    shared: dict[str, Any] = {"at": NOW, "kind": "alert", "change": "opened", "customer_id": None, "data": {}}
    async with store.transaction() as connection:
        await note_events(connection, [{**shared, "subject": subject} for subject in subjects])


@pytest.fixture
async def broadcast(store: Store) -> AsyncIterator[Broadcast]:
    made = Broadcast(store)
    yield made
    await made.close()


async def take(stream: Any, count: int) -> list[tuple[int, bytes]]:
    found = [await asyncio.wait_for(anext(stream), 20) for _ in range(count)]
    return [(parcel.number, parcel.body) for parcel in found]


async def standing(broadcast: Broadcast, count: int) -> None:
    """Wait until so many subscribers are there."""
    while broadcast.subscribers < count:  # noqa: ASYNC110 - nobody is told of a subscriber
        await asyncio.sleep(0.01)


async def test_an_event_is_put_into_words_once_for_all_of_an_audience(store: Store, broadcast: Broadcast) -> None:
    audience = Everybody()
    place = await broadcast.begin(None)
    streams = [broadcast.follow("same", audience, place) for _ in range(5)]
    taking = [asyncio.create_task(take(stream, 2)) for stream in streams]
    await standing(broadcast, 5)
    assert (broadcast.subscribers, broadcast.audiences) == (5, 1)
    await note(store, "a", "unwanted", "hidden", "b")

    assert await asyncio.gather(*taking) == [[(1, b"a"), (4, b"b")]] * 5
    assert audience.asked == [[1, 3, 4]]
    for stream in streams:
        await stream.aclose()
    assert (broadcast.subscribers, broadcast.audiences) == (0, 0)


async def test_who_comes_back_reads_the_log_and_goes_on_live(store: Store, broadcast: Broadcast) -> None:
    await note(store, *(str(number) for number in range(1, AT_ONCE + 10)))
    stream = broadcast.follow("same", Everybody(), await broadcast.begin(3))
    assert [number for number, _ in await take(stream, AT_ONCE)] == list(range(4, AT_ONCE + 4))
    await note(store, "while it catches up")
    rest = await take(stream, 7)
    assert [number for number, _ in rest] == list(range(AT_ONCE + 4, AT_ONCE + 11))
    assert rest[-1][1] == b"while it catches up"


async def test_places_that_cannot_be_gone_on_from(store: Store, broadcast: Broadcast) -> None:
    await note(store, "a")
    with pytest.raises(EndedError) as ended:
        await broadcast.begin(2)
    assert ended.value.ending is Ending.UNKNOWN
    assert await broadcast.begin(1) == 1
    assert await broadcast.begin(0) == 0


async def test_an_audience_that_cannot_be_told_ends_and_the_others_do_not(store: Store, broadcast: Broadcast) -> None:
    place = await broadcast.begin(None)
    broken = broadcast.follow("broken", Everybody(fails=True), place)
    whole = broadcast.follow("whole", Everybody(), place)
    taking = [asyncio.create_task(take(stream, 1)) for stream in (broken, whole)]
    await standing(broadcast, 2)
    await note(store, "a")
    with pytest.raises(EndedError) as ended:
        await taking[0]
    assert ended.value.ending is Ending.LOST
    assert await taking[1] == [(1, b"a")]


async def test_who_takes_nothing_is_let_go_of(store: Store) -> None:
    broadcast = Broadcast(store, most_waiting=3)
    place = await broadcast.begin(None)
    slow = broadcast.follow("same", Everybody(), place)
    quick = broadcast.follow("same", Everybody(), place)
    first = asyncio.create_task(take(slow, 1))
    taken = asyncio.create_task(take(quick, 1))
    await standing(broadcast, 2)
    await note(store, "1")
    await first
    await taken
    for number in range(2, 7):
        await note(store, str(number))
        assert await take(quick, 1) == [(number, str(number).encode())]
    with pytest.raises(EndedError) as ended:
        await take(slow, 1)
    assert ended.value.ending is Ending.SLOW
    await broadcast.close()


async def test_the_end_reaches_everybody(store: Store, broadcast: Broadcast) -> None:
    stream = broadcast.follow("same", Everybody(), await broadcast.begin(None))
    taking = asyncio.create_task(take(stream, 1))
    await standing(broadcast, 1)
    await broadcast.close()
    for waiting in (taking, broadcast.begin(None)):
        with pytest.raises(EndedError) as ended:
            await waiting
        assert ended.value.ending is Ending.CLOSING
