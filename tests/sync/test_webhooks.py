"""What vendors tell by webhook is kept before they are answered, taken once, fetched in batches, and given up loudly."""

import asyncio
from datetime import timedelta
from typing import Any

import orjson
import pytest
from sqlalchemy import select

from connectors.kit.base import BadRowError
from connectors.kit.errors import PausedError, TransientError
from connectors.kit.signing import Pushed
from hub.errors import BusyError
from hub.identity import IdentityRules
from hub.store import Store
from hub.store.source_events import find_inboxes
from hub.store.syncs import declare_sources
from hub.store.tables import quarantine, source_event, ticket
from hub.sync import sync
from hub.sync.hearing import Answer, Call, Ear, Webhook
from hub.sync.heeding import TRIES, Heeded, heed
from hub.sync.inbox import Inbox
from hub.sync.landing import Landing
from hub.sync.lock import locked, new_holder
from tests.fakes.clock import START, Clock
from tests.fakes.desk import SECRET, Desk, DeskWebhook, signed

RULES = IdentityRules(sources={})
URL = "https://hub.example/hooks/desk"


class Place:
    """A hub's part in it: an ear for a desk, and what it does."""

    def __init__(self, store: Store, desk: Desk, webhook: Any = DeskWebhook) -> None:
        self.store, self.desk, self.clock = store, desk, Clock()
        self.woken: list[str] = []
        self.source = desk.source(raw_days=None)
        self.inbox = Inbox(store)
        self.ear = Ear(self.source, Webhook.of(webhook), SECRET, inbox=self.inbox, wake=self._wake, clock=self.clock)

    async def _wake(self, name: str) -> None:
        self.woken.append(name)

    async def hear(self, *events: dict[str, Any], headers: dict[str, str] | None = None) -> Answer:
        body = orjson.dumps(events)
        return await self.ear.hear(Call(method="POST", url=URL, headers=headers or signed(body, url=URL), body=body))

    async def heed(self) -> Heeded:
        return await heed(self.store, self.source, RULES, clock=self.clock)

    async def events(self) -> dict[str, tuple[str, int]]:
        async with self.store.reading() as connection:
            rows = await connection.execute(select(source_event))
            return {row.event_id: (row.state, row.tries) for row in rows}

    async def stored(self) -> dict[str, int]:
        async with self.store.reading() as connection:
            rows = await connection.execute(select(ticket.c.key, ticket.c.version).where(ticket.c.deleted.is_(False)))
            return {row.key: row.version for row in rows}


@pytest.fixture
async def place(store: Store) -> Place:
    async with store.transaction() as connection:
        await declare_sources(connection, {"desk": "fake"})
    return Place(store, Desk())


def event(number: int, key: int, **more: Any) -> dict[str, Any]:
    return {"event": f"e{number}", "ticket": str(key), **more}


async def test_a_burst_is_kept_whole_and_fetched_in_batches(place: Place) -> None:
    place.desk.put(*range(300), version=2)
    answers = await asyncio.gather(*(place.hear(event(number, number)) for number in range(300)))
    again = await place.hear(event(7, 7), event(300, 7))  # the vendor repeats itself
    assert {answer.status for answer in (*answers, again)} == {200}
    assert len(await place.events()) == 301
    assert set(place.woken) == {"desk"}
    did = await place.heed()
    assert (did.done, did.landed.new, did.given_up, did.moved) == (301, 300, 0, True)
    assert [len(keys) for keys in place.desk.fetched] == [300]
    assert len(await place.stored()) == 300
    assert (await place.heed()).done == 0, "what is done is done"


async def test_what_is_gone_is_marked_and_what_nobody_knows_of_says_nothing(place: Place) -> None:
    place.desk.put(1, 2)
    await place.hear(event(1, 1), event(2, 2))
    await place.heed()
    del place.desk.rows["1"]
    await place.hear(event(3, 1), event(4, 77), {"event": "e5", "type": "ping"}, event(6, 1, stream="unheard of"))
    did = await place.heed()
    assert (did.done, did.landed.gone, await place.stored()) == (2, 1, {"2": 1})


@pytest.mark.parametrize(
    "headers", [{}, {"x-desk-signature": "0" * 64}, signed(b"[]", url="https://elsewhere.example")]
)
async def test_of_what_is_not_the_vendors_nothing_is_kept(place: Place, headers: dict[str, str]) -> None:
    body = b"[]"
    answer = await place.ear.hear(Call(method="POST", url=URL, headers=headers, body=body))
    assert (answer.status, await place.events(), place.woken) == (401, {}, [])
    assert SECRET.encode() not in answer.body
    good = signed(b"{", url=URL)
    assert (await place.ear.hear(Call(method="POST", url=URL, headers=good, body=b"{"))).status == 400
    assert (await place.ear.hear(Call(method="GET", url=URL, headers=good, body=b""))).status == 405


async def test_a_store_that_fails_is_no_answer(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    async def fails(*_: object) -> None:
        raise OSError("disk full")

    monkeypatch.setattr("hub.sync.inbox.keep", fails)
    told = await asyncio.gather(*(place.hear(event(n, n)) for n in range(3)), return_exceptions=True)
    assert [type(each) for each in told] == [OSError] * 3
    monkeypatch.undo()
    assert (await place.hear(event(1, 1))).status == 200, "the next one is kept again"


async def test_what_fails_is_tried_later_and_later_and_given_up_loudly(
    place: Place, caplog: pytest.LogCaptureFixture
) -> None:
    place.desk.put(1)
    await place.hear(event(1, 1))
    place.desk.fails = [TransientError("no answer")] * TRIES
    waits = []
    for _ in range(TRIES):
        before = place.clock.now
        while not (did := await place.heed()).waiting + did.given_up:
            place.clock.move(seconds=15)
        waits.append((place.clock.now - before).total_seconds())
    assert waits == [0, 15, 30, 60, 120, 240, 480, 960]
    assert await place.events() == {"e1": ("failed", TRIES)}
    assert "1 events of webhooks were given up: no answer" in caplog.text
    async with place.store.reading() as connection:
        [inbox] = (await find_inboxes(connection)).values()
    assert (inbox.pending, inbox.failed, inbox.received_at) == (0, 1, START)


async def test_a_used_up_quota_is_no_try(sqlite_store: Store) -> None:
    async with sqlite_store.transaction() as connection:
        await declare_sources(connection, {"desk": "fake"})
    place = Place(sqlite_store, Desk())
    place.desk.put(1)
    await place.hear(event(1, 1))
    place.desk.fails = [PausedError("used up", until=START + timedelta(hours=5))]
    assert ((await place.heed()).waiting, await place.events()) == (1, {"e1": ("pending", 0)})
    place.clock.move(hours=4)
    assert (await place.heed()).done == 0
    place.clock.move(hours=1)
    assert ((await place.heed()).done, await place.stored()) == (1, {"1": 1})


async def test_a_stream_that_cannot_fetch_is_pulled_once_for_many(place: Place) -> None:
    place.desk.can_fetch = False
    place.ear = Ear(
        place.source, Webhook.of(DeskWebhook), SECRET, inbox=place.inbox, wake=place._wake, clock=place.clock
    )
    place.desk.put(1, 2)
    await place.hear(event(1, 1), event(2, 2))
    assert ((await place.heed()).done, place.desk.pulls) == (0, 0), "more may come in a moment"
    place.clock.move(seconds=10)
    await place.hear(event(3, 1))
    did = await place.heed()
    assert (did.done, did.landed.new, place.desk.pulls, await place.stored()) == (2, 2, 1, {"1": 1, "2": 1})


class Pushing:
    """A system nobody can ask: it sends its rows."""

    @staticmethod
    def verified(_headers: Any, _body: bytes, **_: Any) -> None:
        return None

    @staticmethod
    def rows(_headers: Any, body: bytes) -> list[Pushed]:
        return [
            Pushed(event_id=f"{row['id']} {row['version']}", stream="tickets", raw=row) for row in orjson.loads(body)
        ]

    @staticmethod
    def answer(method: str, _headers: Any, body: bytes) -> bytes | None:
        if body.startswith(b"!"):
            raise BadRowError("that is no challenge")
        return body if method == "GET" else None


async def test_rows_that_are_sent_land_like_those_of_a_pull(store: Store) -> None:
    async with store.transaction() as connection:
        await declare_sources(connection, {"desk": "fake"})
    place = Place(store, Desk(), Pushing)
    body = orjson.dumps(
        [{"id": n, "version": 1, "status": "open" if n else "weird", "subject": "Rain"} for n in range(2_500)]
    )
    for _ in range(2):  # senders repeat what was not answered in time
        assert (await place.ear.hear(Call(method="POST", url=URL, headers={}, body=body))).status == 200
    first = await place.heed()
    second = await place.heed()
    assert (first.left, second.left, first.done + second.done) == (True, False, 2_500)
    assert (first.landed.plus(second.landed).new, len(await place.stored())) == (2_499, 2_499)
    async with store.reading() as connection:
        bad = (await connection.execute(select(quarantine.c.key, quarantine.c.field))).all()
        kept = (await connection.execute(select(source_event.c.raw).where(source_event.c.raw.is_not(None)))).all()
    assert ([tuple(row) for row in bad], kept) == ([("0", "status")], [])
    challenged = await place.ear.hear(Call(method="GET", url=URL, headers={}, body=b"abc"))
    assert challenged == Answer(200, b"abc")
    assert (await place.ear.hear(Call(method="GET", url=URL, headers={}, body=b"!"))).status == 400


async def test_what_is_nested_too_deeply_to_be_kept_is_told_to_its_sender(sqlite_store: Store) -> None:
    place = Place(sqlite_store, Desk(), Pushing)
    deep = b'[{"id": "1", "version": 1, "x": ' + b"[" * 400 + b"]" * 400 + b"}]"
    answer = await place.ear.hear(Call(method="POST", url=URL, headers={}, body=deep))
    assert (answer.status, answer.body.startswith(b"a row cannot be kept")) == (400, True)
    assert (await place.events(), place.woken) == ({}, [])


async def test_a_sync_waits_for_work_aside_and_work_aside_for_nobody(sqlite_store: Store) -> None:
    async with sqlite_store.transaction() as connection:
        await declare_sources(connection, {"desk": "fake"})
    place = Place(sqlite_store, Desk())
    place.desk.put(1)
    await place.hear(event(1, 1))
    async with locked(sqlite_store, "desk", holder=new_holder(), clock=place.clock):
        with pytest.raises(BusyError):
            await place.heed()
    async with locked(sqlite_store, "desk", holder=new_holder(aside=True), clock=place.clock):
        waiting = asyncio.create_task(sync(sqlite_store, place.source, RULES, clock=place.clock))
        for _ in range(20):
            await asyncio.sleep(0.01)
        assert (waiting.done(), place.desk.pulls) == (False, 0)
    assert (await waiting).streams["tickets"].new == 1


async def test_a_row_the_store_cannot_take_holds_up_nobody(
    sqlite_store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with sqlite_store.transaction() as connection:
        await declare_sources(connection, {"desk": "fake"})
    place = Place(sqlite_store, Desk(), Pushing)
    body = orjson.dumps([{"id": n, "version": 1, "status": "open", "subject": "Rain"} for n in range(21)])
    await place.ear.hear(Call(method="POST", url=URL, headers={}, body=body))
    land = Landing.land

    async def landed(self: Landing, connection: Any, stream: Any, pages: Any, **how: Any) -> Any:
        if any(row["id"] == 13 for page in pages for row in page.rows):
            raise RuntimeError("nobody thought of that")
        return await land(self, connection, stream, pages, **how)

    monkeypatch.setattr(Landing, "land", landed)
    did = await place.heed()
    assert (did.done, did.waiting, len(await place.stored())) == (20, 1, 20)
    assert (await place.events())["13 1"] == ("pending", 1)


async def test_who_has_lost_the_lock_stops_and_a_beat_that_fails_is_tried_again(
    sqlite_store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with sqlite_store.transaction() as connection:
        await declare_sources(connection, {"desk": "fake"})
    monkeypatch.setattr("hub.sync.lock.BEAT", 0.01)
    monkeypatch.setattr("hub.sync.lock.BEAT_AGAIN", 0.01)
    kept: list[bool | Exception] = [RuntimeError("database is locked"), True, True, False]

    async def keep(*_: Any, **__: Any) -> bool:
        said = kept.pop(0)
        if isinstance(said, Exception):
            raise said
        return said

    monkeypatch.setattr("hub.sync.lock.keep_lock", keep)
    with pytest.raises(BusyError, match="taken over"):
        async with locked(sqlite_store, "desk", holder=new_holder(), clock=Clock()):
            await asyncio.sleep(30)
    assert kept == []
    await asyncio.sleep(0)  # it was nobody's cancellation: the task goes on
