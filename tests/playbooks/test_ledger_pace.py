"""At each channel's pace and in its order: bursts, limits, what must wait for what, and what is sent again by its key."""

import asyncio
from collections.abc import Callable
from datetime import datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

from hub.clock import utc_now
from hub.delivery import USUAL, Manners, Message, Receipt, Refusal, Rejected, Uncertain, pagerduty, webhook
from hub.delivery.slack import SlackChannel
from hub.demo import slack as slack_sandbox
from hub.demo.outbox import Outbox
from hub.model.actions import Delivery, DeliveryState
from hub.playbooks.ledger import Ledger
from hub.store import Store, deliveries
from hub.store.claims import AT_ONCE, LOOKED_AT
from tests.fakes.clock import START, Clock
from tests.fakes.serving import serving

LATER = Rejected("later", kind=Refusal.TRANSIENT)
LOST = Uncertain("no answer")


class Recording:
    """A channel that notes what it was asked to send, when, and raises what it is told to."""

    def __init__(self, clock: Callable[[], datetime], manners: Manners = USUAL) -> None:
        self.manners = manners
        self.name = "slack"
        self.sent: list[tuple[str, datetime]] = []
        self.tried: list[str] = []
        self.faults: dict[str, list[Exception]] = {}
        self.gates: dict[str, asyncio.Event] = {}
        self._clock = clock

    async def send(self, message: Message) -> Receipt:
        key = message.dedup_key
        self.tried.append(key)
        if message.address in self.gates:
            await self.gates[message.address].wait()
        if faults := self.faults.get(key):
            raise faults.pop(0)
        self.sent.append((key, self._clock()))
        return {"ts": key}

    @property
    def keys(self) -> list[str]:
        return [key for key, _ in self.sent]


def row(key: str, **changes: Any) -> dict[str, Any]:
    return {
        "id": f"del_{hash(key) & 0xFFFFFFFF:08x}_{key}",  # ids are no order
        "dedup_key": key,
        "channel": "slack",
        "address": "#alerts",
        "payload": {"text": key, "blocks": [{"type": "divider"}]},
        "state": "reserved",
        "attempts": 0,
        "reserved_at": START,
    } | changes


async def reserve(store: Store, *rows: dict[str, Any]) -> None:
    async with store.transaction() as connection:
        assert len(await deliveries.reserve(connection, rows)) == len(rows)


async def find(store: Store, key: str) -> Delivery:
    async with store.reading() as connection:
        return next(each for each in await deliveries.find_deliveries(connection) if each.dedup_key == key)


async def drained(ledger: Ledger, clock: Clock, *, most: int = 5_000) -> None:
    for _ in range(most):
        due = await ledger.drain()
        if due is None:
            return
        clock.now = max(due, clock.now + timedelta(milliseconds=1))
    raise AssertionError("it never ends")


async def burst(store: Store, size: int) -> None:
    clock = Clock()
    channel = Recording(clock)
    keys = [f"{n:04}" for n in range(size)]
    await reserve(store, *(row(key) for key in keys))
    await reserve(store, *(row(f"other {key}", address="#other") for key in keys[:10]))
    channel.faults = {
        keys[size // 4]: [Rejected("wait", kind=Refusal.TRANSIENT, retry_after=timedelta(seconds=17))],
        keys[size // 3]: [LATER, LATER],
        keys[size // 2]: [Rejected("no", kind=Refusal.PERMANENT)],
    }
    await drained(Ledger(store, {"slack": channel}, executor="here", clock=clock), clock)
    alerts = [(key, at) for key, at in channel.sent if not key.startswith("other")]
    assert [key for key, _ in alerts] == [key for key in keys if key != keys[size // 2]], "complete, and in order"
    gaps = [(later - at).total_seconds() for (_, at), (_, later) in pairwise(alerts)]
    assert min(gaps) >= 1, "a message a second a channel"
    assert [key for key in channel.keys if key.startswith("other")] == [f"other {key}" for key in keys[:10]]
    assert (await find(store, keys[size // 2])).state is DeliveryState.FAILED
    assert len(channel.tried) == size + 10 + 3


async def test_a_burst_of_a_thousand_arrives_complete_and_in_order(sqlite_store: Store) -> None:
    await burst(sqlite_store, 1_000)


async def test_a_burst_on_each_database(store: Store) -> None:
    await burst(store, 40)


async def test_a_burst_over_real_http_at_a_real_pace(sqlite_store: Store, tmp_path: Path) -> None:
    outbox = Outbox(tmp_path / "outbox.db")
    workspace = slack_sandbox.app(outbox, token="xoxb-test", people=dict, burst=2, per_second=20)
    await reserve(sqlite_store, *(row(f"{n:02}", reserved_at=utc_now()) for n in range(30)))
    async with serving(workspace) as address:
        pace = Manners(interval=timedelta(seconds=0.06))
        channel = SlackChannel("xoxb-test", base_url=f"{address}/api/", manners=pace)
        ledgers = [Ledger(sqlite_store, {"slack": channel}, executor=f"p{n}", clock=utc_now) for n in range(2)]
        async with asyncio.timeout(60):
            while any([await ledger.drain() for ledger in ledgers]):  # noqa: ASYNC110  it is rows
                await asyncio.sleep(0.02)
    assert [each.dedup for each in reversed(outbox.arrivals())] == [f"{n:02}" for n in range(30)]
    assert outbox.duplicates() == []
    outbox.close()


async def test_two_processes_keep_the_order_of_an_address(store: Store) -> None:
    clock = Clock()
    channel = Recording(clock)
    channel.gates["#alerts"] = asyncio.Event()
    await reserve(store, row("a"), row("b"))
    first, second = (Ledger(store, {"slack": channel}, executor=f"p{n}", clock=clock) for n in range(2))
    task = asyncio.create_task(first.drain())
    while not channel.tried:  # noqa: ASYNC110  it is a list
        await asyncio.sleep(0.01)
    clock.move(seconds=5)
    assert await second.drain() == clock() + timedelta(seconds=1), "b waits, for a may have to be sent again"
    assert channel.tried == ["a"]
    channel.gates.clear()
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def test_a_slow_address_holds_up_no_other(sqlite_store: Store) -> None:
    clock = Clock()
    channel = Recording(clock, Manners(interval=timedelta(0)))
    gate = channel.gates["#slow"] = asyncio.Event()
    await reserve(sqlite_store, row("s", address="#slow"), *(row(f"{n}", address=f"#{n % 3}") for n in range(9)))
    task = asyncio.create_task(Ledger(sqlite_store, {"slack": channel}, executor="here", clock=clock).drain())
    async with asyncio.timeout(30):
        while len(channel.sent) < 9:  # noqa: ASYNC110  it is a list
            await asyncio.sleep(0.01)
    assert "s" not in channel.keys
    gate.set()
    assert await task is None
    assert channel.keys[-1] == "s"


async def test_an_endless_backlog_of_one_address_holds_up_no_other(sqlite_store: Store) -> None:
    clock = Clock()
    hook = Recording(clock, webhook.MANNERS)
    gate = hook.gates["crm"] = asyncio.Event()
    backlog = (row(f"{n:04}", channel="webhook", address="crm") for n in range(LOOKED_AT + 100))
    await reserve(sqlite_store, *backlog, *(row(f"other {n}", channel="webhook", address=f"o{n}") for n in range(9)))
    ledger = Ledger(sqlite_store, {"webhook": hook}, executor="here", clock=clock)
    task = asyncio.create_task(ledger.drain())
    async with asyncio.timeout(60):
        while len(hook.sent) < 9:  # noqa: ASYNC110  it is a list
            await asyncio.sleep(0.01)
    hanging = [key for key in hook.tried if not key.startswith("other")]
    assert sorted(hanging) == [f"{n:04}" for n in range(AT_ONCE)], "a few at a time"
    gate.set()
    hook.gates.clear()
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def test_what_is_reserved_later_does_not_overtake_what_is_tried_again(store: Store) -> None:
    clock = Clock()
    channel = Recording(clock)
    channel.faults["a"] = [LATER]
    ledger = Ledger(store, {"slack": channel}, executor="here", clock=clock)
    await reserve(store, row("a"))
    assert await ledger.drain() == START + timedelta(seconds=30)
    clock.move(seconds=5)
    await reserve(store, row("b", reserved_at=clock()))
    assert await ledger.drain() == START + timedelta(seconds=30), "nobody is woken for what has to wait"
    assert channel.sent == []
    await drained(ledger, clock)
    assert channel.keys == ["a", "b"]


async def test_what_is_to_be_sent_tomorrow_holds_up_nothing_of_today(store: Store) -> None:
    clock = Clock()
    channel = Recording(clock)
    tomorrow = START + timedelta(days=1)
    await reserve(store, row("a", not_before=tomorrow), row("b", not_before=None))
    ledger = Ledger(store, {"slack": channel}, executor="here", clock=clock)
    assert await ledger.drain() == tomorrow
    assert channel.keys == ["b"]
    await drained(ledger, clock)
    assert channel.keys == ["b", "a"], "and a quiet night does not count for its expiry"


async def test_without_order_one_that_fails_holds_up_no_other(sqlite_store: Store) -> None:
    clock = Clock()
    hook = Recording(clock, webhook.MANNERS)
    hook.faults["a"] = [LATER]
    await reserve(sqlite_store, *(row(key, channel="webhook", address="crm") for key in "abc"))
    ledger = Ledger(sqlite_store, {"webhook": hook}, executor="here", clock=clock)
    assert await ledger.drain() == START + timedelta(seconds=30)
    assert sorted(hook.keys) == ["b", "c"]
    await drained(ledger, clock)
    assert hook.keys[2:] == ["a"]


async def test_what_the_other_side_knows_again_is_sent_again(store: Store) -> None:
    clock = Clock()
    paging = Recording(clock, pagerduty.MANNERS)
    paging.faults["a"] = [LOST, LATER]
    await reserve(store, row("a", channel="pagerduty", address="cs"), row("b", channel="pagerduty", address="cs"))
    await drained(Ledger(store, {"pagerduty": paging}, executor="here", clock=clock), clock)
    assert paging.tried == ["a", "a", "a", "b"], "and what belongs to the incident comes after it"
    done = await find(store, "a")
    assert (done.state, done.attempts, done.doubted_at) == (DeliveryState.CONFIRMED, 3, START)


async def test_what_never_gets_an_answer_is_unknown_when_it_expires(store: Store) -> None:
    clock = Clock()
    paging = Recording(clock, Manners(recognises=True, expiry=timedelta(minutes=3)))
    paging.faults = {"a": [LOST, LATER, LATER, LATER], "b": [LATER] * 4}
    await reserve(store, row("a", channel="pagerduty", address="a"), row("b", channel="pagerduty", address="b"))
    await drained(Ledger(store, {"pagerduty": paging}, executor="here", clock=clock), clock)
    doubtful, failed = await find(store, "a"), await find(store, "b")
    assert (doubtful.state, doubtful.error) == (DeliveryState.UNKNOWN, "given up after 3 attempts: later")
    assert (failed.state, failed.error) == (DeliveryState.FAILED, "given up after 3 attempts: later")
    assert paging.sent == []


async def test_what_has_expired_meanwhile_is_not_sent(store: Store) -> None:
    clock = Clock()
    channel = Recording(clock)
    await reserve(
        store,
        row("a", attempts=1, expires_at=START - timedelta(seconds=1)),
        row("b", attempts=0, expires_at=START + timedelta(hours=1)),
    )
    await drained(Ledger(store, {"slack": channel}, executor="here", clock=clock), clock)
    assert channel.tried == ["b"]
    late = await find(store, "a")
    assert late.state is DeliveryState.FAILED
    assert late.error == "it expired at 2026-11-01 11:59 UTC before it could be sent"


async def test_what_a_dead_process_was_sending_is_sent_again_only_where_it_is_known_again(store: Store) -> None:
    clock = Clock()
    paging, slack = Recording(clock, pagerduty.MANNERS), Recording(clock)
    lost = {"state": "sent", "claimed_by": "dead", "sent_at": START, "attempts": 1}
    await reserve(store, row("a", channel="pagerduty", address="cs", **lost), row("b", **lost))
    ledger = Ledger(store, {"pagerduty": paging, "slack": slack}, executor="here", clock=clock)
    clock.move(seconds=61)
    assert await ledger.sweep(now=clock()) == [(await find(store, "b")).id]
    await drained(ledger, clock)
    assert (paging.tried, slack.tried) == (["a"], [])
    assert (await find(store, "a")).state is DeliveryState.CONFIRMED
    assert (await find(store, "b")).state is DeliveryState.UNKNOWN


async def test_time_that_is_played_has_no_pace_but_keeps_the_order(sqlite_store: Store) -> None:
    clock = Clock()
    channel = Recording(clock)
    ledger = Ledger(sqlite_store, {"slack": channel}, executor="here", clock=clock)
    await reserve(sqlite_store, *(row(f"{number}") for number in range(3)))
    with ledger.without_pace():
        assert await ledger.drain() is None
    assert channel.sent == [(f"{number}", START) for number in range(3)]
    await reserve(sqlite_store, row("3"), row("4"))
    assert await ledger.drain() == START + timedelta(seconds=1)
    assert channel.keys == ["0", "1", "2"], "outside it the last one counts"
