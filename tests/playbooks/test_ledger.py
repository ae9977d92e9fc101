"""The ledger under everything that goes wrong: no message is sent twice by itself, and none disappears."""

import asyncio
import sys
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from hub.delivery import Message, Receipt
from hub.delivery.mail import MailChannel
from hub.delivery.slack import SlackChannel
from hub.durable.process import place
from hub.model.actions import Delivery, DeliveryState
from hub.playbooks.ledger import PARALLEL, Ledger
from hub.store import Store, deliveries
from tests.fakes.clock import START, Clock
from tests.fakes.slack import FakeSlack, serving_slack
from tests.fakes.smtp import serving_smtp
from tests.playbooks.conftest import World

ROOT = Path(__file__).parents[2]
LIMITED = (429, {"Retry-After": "7"}, {"ok": False, "error": "ratelimited"})
LATER = (503, {}, "<html>")


@asynccontextmanager
async def ledger_of(store: Store, **channels: Any) -> AsyncIterator[tuple[Ledger, FakeSlack, Clock]]:
    async with serving_slack() as slack:
        clock = Clock()
        there = {"slack": SlackChannel("xoxb-test", base_url=slack.url), **channels}
        yield Ledger(store, there, executor="here", clock=clock), slack, clock


def make_row(key: str = "a", **changes: Any) -> dict[str, Any]:
    row = {
        "id": f"del_{key}",
        "dedup_key": f"save.1.0.{key}",
        "channel": "slack",
        "address": "#alerts",
        "payload": {"text": key, "blocks": [{"type": "divider"}]},
        "state": "reserved",
        "attempts": 0,
        "reserved_at": START,
    }
    return row | changes


async def reserve(store: Store, *rows: dict[str, Any]) -> list[str]:
    async with store.transaction() as connection:
        return await deliveries.reserve(connection, rows)


async def test_mails_that_are_due_together_share_connections(sqlite_store: Store) -> None:
    async with serving_smtp() as smtp:
        mail = MailChannel(host="127.0.0.1", port=smtp.port, sender="hub@cshub.example")
        async with ledger_of(sqlite_store, email=mail) as (ledger, _, _):
            payload = {"text": "hello", "html": "<p>hello</p>"}
            rows = [
                make_row(f"m{number:02}", channel="email", address=f"c{number:02}@example.com", payload=payload)
                for number in range(40)
            ]
            await reserve(sqlite_store, *rows)
            assert await ledger.drain() is None
    assert sorted(each[1][0] for each in smtp.envelopes) == [row["address"] for row in rows]
    assert smtp.connections <= PARALLEL


async def find(store: Store, id_: str = "del_a") -> Delivery:
    async with store.reading() as connection:
        (found,) = await deliveries.find_deliveries(connection, ids=[id_])
        return found


async def test_reserving_twice_is_one_row(store: Store) -> None:
    assert await reserve(store, make_row()) == ["del_a"]
    assert await reserve(store, make_row(payload={"text": "other", "blocks": []}), make_row("b")) == ["del_b"]
    assert (await find(store)).payload["text"] == "a", "the first one stands"


async def test_the_row_says_sent_before_the_message_is_under_way(store: Store) -> None:
    seen = []

    class Looking:
        name = "slack"

        async def send(self, message: Message) -> Receipt:
            seen.append(await find(store))
            return {"ts": "1"}

    await reserve(store, make_row())
    async with ledger_of(store, slack=Looking()) as (ledger, _, clock):
        assert await ledger.drain() is None
        assert [(row.state, row.claimed_by, row.sent_at, row.attempts) for row in seen] == [
            (DeliveryState.SENT, "here", clock(), 1)
        ]
    done = await find(store)
    assert (done.state, done.receipt, done.confirmed_at) == (DeliveryState.CONFIRMED, {"ts": "1"}, START)


async def test_told_to_wait_it_waits_and_so_does_everything_for_that_channel(store: Store) -> None:
    await reserve(store, make_row("a"), make_row("b"), make_row("c", address="#other"))
    async with ledger_of(store) as (ledger, slack, clock):
        slack.answers = [LIMITED, LIMITED]  # one for #alerts, one for #other
        assert await ledger.drain() == START + timedelta(seconds=7)
        assert slack.posted == []
        waiting = await find(store, "del_a")
        assert (waiting.state, waiting.attempts, waiting.not_before) == (
            DeliveryState.RESERVED,
            1,
            START + timedelta(seconds=7),
        )
        assert waiting.error == "Slack asks to wait (ratelimited)"
        clock.move(seconds=6.9)
        await ledger.drain()
        assert len(slack.received) == 2, "nothing more before its time, not even what was not refused itself"
        clock.move(seconds=0.1)
        assert await ledger.drain() == clock() + timedelta(seconds=1)
        clock.move(seconds=1)
        assert await ledger.drain() is None
        assert sorted(post["text"] for post in slack.posted) == ["a", "b", "c"]


async def test_tries_are_bounded_and_further_and_further_apart(sqlite_store: Store) -> None:
    await reserve(sqlite_store, make_row())
    async with ledger_of(sqlite_store) as (ledger, slack, clock):
        slack.answers = [LATER] * 20
        pauses = []
        while (due := await ledger.drain()) is not None:
            pauses.append((due - clock()).total_seconds())
            clock.now = due
    assert pauses == [30, 60, 120, 240, 480, 960, 1920, 3600, 3600, 3600, 3600], "until it has expired, after 6 hours"
    assert len(slack.received) == 12
    given_up = await find(sqlite_store)
    assert given_up.state is DeliveryState.FAILED
    assert given_up.error == "given up after 12 attempts: Slack asks to wait (503)"


@pytest.mark.parametrize(
    ("answer", "state", "reason"),
    [
        ((200, {}, {"ok": False, "error": "channel_not_found"}), "failed", "invite the bot"),
        ((200, {}, {"ok": False, "error": "token_revoked"}), "failed", "renew it"),
        ((500, {}, "<html>"), "unknown", "may have posted"),
    ],
)
async def test_what_is_over_is_tried_no_more_until_a_person_says_so(
    store: Store, answer: Any, state: str, reason: str
) -> None:
    await reserve(store, make_row())
    async with ledger_of(store) as (ledger, slack, clock):
        slack.answers = [answer]
        assert await ledger.drain() is None
        over = await find(store)
        assert (over.state, reason in (over.error or "")) == (DeliveryState(state), True)
        clock.move(days=1)
        assert await ledger.sweep(now=clock()) == []
        assert await ledger.drain() is None
        assert len(slack.received) == 1
        assert await ledger.resend(["del_a", "del_nope"], by="eve") == ["del_a"]
        assert await ledger.drain() is None
        assert [post["text"] for post in slack.posted] == ["a"]
        assert await ledger.resend(["del_a"], by="eve") == [], "what was confirmed stays so"


async def test_a_channel_nobody_set_up(sqlite_store: Store) -> None:
    await reserve(sqlite_store, make_row(channel="pigeon"))
    async with ledger_of(sqlite_store) as (ledger, slack, _):
        assert await ledger.drain() is None
        assert slack.received == []
    lost = await find(sqlite_store)
    assert (lost.state, lost.error) == (DeliveryState.FAILED, "no channel 'pigeon' is set up; there are: slack")


async def test_a_bug_in_a_channel_stops_no_other_message(sqlite_store: Store, caplog: pytest.LogCaptureFixture) -> None:
    class Broken:
        name = "broken"

        async def send(self, message: Message) -> Receipt:
            raise KeyError("secret-token")

    await reserve(sqlite_store, make_row(channel="broken"), make_row("b"))
    async with ledger_of(sqlite_store, broken=Broken()) as (ledger, slack, _):
        assert await ledger.drain() is None
        assert [post["text"] for post in slack.posted] == ["b"]
    lost = await find(sqlite_store)
    assert (lost.state, lost.error) == (DeliveryState.UNKNOWN, "KeyError in our own code, see the log")
    assert "Traceback" in caplog.text


class Prepared:
    """Looks up what it sends; what it is told is in `sent`."""

    name = "prepared"

    def __init__(self, *, broken: bool = False) -> None:
        self.broken = broken
        self.asked: list[list[str]] = []
        self.sent: list[tuple[str, object]] = []

    async def prepare(self, sent: Sequence[Delivery]) -> Mapping[str, object]:
        self.asked.append(sorted(each.id for each in sent))
        if self.broken:
            raise KeyError("of one of them")
        return {each.id: f"known of {each.id}" for each in sent}

    async def send(self, message: Message) -> Receipt:
        self.sent.append((message.id, message.found))
        return {}


async def test_a_channel_looks_up_at_once_what_is_sent_at_once(sqlite_store: Store) -> None:
    channel = Prepared()
    rows = [make_row(key, channel="prepared", address=address) for key, address in (("a", "x"), ("b", "y"), ("c", "x"))]
    await reserve(sqlite_store, *rows, make_row("s"))
    async with ledger_of(sqlite_store, prepared=channel) as (ledger, slack, clock):
        await ledger.drain()
        clock.move(seconds=2)
        assert await ledger.drain() is None
        assert [post["text"] for post in slack.posted] == ["s"]
    assert channel.asked == [["del_a", "del_b"], ["del_c"]]
    assert sorted(channel.sent) == [(id_, f"known of {id_}") for id_ in ("del_a", "del_b", "del_c")]


async def test_what_cannot_be_looked_up_together_goes_out_all_the_same(
    sqlite_store: Store, caplog: pytest.LogCaptureFixture
) -> None:
    channel = Prepared(broken=True)
    await reserve(sqlite_store, *(make_row(key, channel="prepared", address=key) for key in "ab"))
    async with ledger_of(sqlite_store, prepared=channel) as (ledger, _, _):
        assert await ledger.drain() is None
    assert sorted(channel.sent) == [("del_a", None), ("del_b", None)]
    assert "channel prepared could not prepare 2 messages" in caplog.text


async def test_two_processes_share_the_work_and_double_none(store: Store) -> None:
    await reserve(store, *(make_row(str(n), address=f"#c{n}") for n in range(12)))
    async with serving_slack() as slack:
        clock = Clock()
        channel = {"slack": SlackChannel("xoxb-test", base_url=slack.url)}
        ledgers = [Ledger(store, channel, executor=f"p{n}", clock=clock) for n in range(3)]
        await asyncio.gather(*(ledger.drain() for ledger in ledgers))
    assert sorted(post["text"] for post in slack.posted) == sorted(str(n) for n in range(12))


async def test_a_message_held_up_beyond_a_sweep_is_still_confirmed(store: Store) -> None:
    """Another process thought us dead; we know better than it."""
    await reserve(store, make_row())
    async with ledger_of(store) as (ledger, slack, clock):
        slack.gate = asyncio.Event()
        task = asyncio.create_task(ledger.drain())
        while not slack.received:  # noqa: ASYNC110  it is a list
            await asyncio.sleep(0.01)
        other = Ledger(store, {}, executor="other", clock=clock)
        assert await other.sweep(now=clock()) == [], "not at once"
        clock.move(seconds=61)
        assert await other.sweep(now=clock()) == ["del_a"]
        slack.gate.set()
        await task
    assert (await find(store)).state is DeliveryState.CONFIRMED


@pytest.mark.parametrize("preparing", [True, False])
async def test_what_is_claimed_is_left_to_its_sender_until_that_gives_up(
    sqlite_store: Store, *, preparing: bool
) -> None:
    class Slow(Prepared):
        name = "slow"
        begun = asyncio.Event()

        async def prepare(self, sent: Sequence[Delivery]) -> Mapping[str, object]:
            if preparing:
                await self._never()
            return {}

        async def send(self, message: Message) -> Receipt:
            return await self._never()

        async def _never(self) -> Receipt:
            self.begun.set()
            await asyncio.Event().wait()
            return {}

    channel = Slow()
    await reserve(sqlite_store, make_row(channel="slow"))
    async with ledger_of(sqlite_store, slow=channel) as (ledger, _, clock):
        task = asyncio.create_task(ledger.drain())
        await channel.begun.wait()
        clock.move(seconds=61)
        assert await ledger.sweep(now=clock()) == []
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert await ledger.sweep(now=clock()) == ["del_a"]


SENDER = """
import asyncio, sys
from hub.clock import utc_now
from hub.delivery.mail import MailChannel
from hub.delivery.slack import SlackChannel
from hub.playbooks.ledger import PARALLEL, Ledger
from hub.store import Store

async def main(store_url, slack_url):
    async with Store.open(store_url) as store:
        channels = {"slack": SlackChannel("xoxb-test", base_url=slack_url)}
        await Ledger(store, channels, executor="doomed", clock=utc_now).drain()

asyncio.run(main(*sys.argv[1:]))
"""


async def test_killed_between_sending_and_noting_it_is_unknown_and_never_sent_again(
    store: Store, store_url: str
) -> None:
    from hub.clock import utc_now

    await reserve(store, make_row())
    async with serving_slack() as slack:
        slack.gate = asyncio.Event()
        process = await asyncio.create_subprocess_exec(sys.executable, "-c", SENDER, store_url, slack.url, cwd=ROOT)
        try:
            while not slack.received:
                assert process.returncode is None
                await asyncio.sleep(0.02)
        finally:
            process.kill()
            await process.wait()
        slack.gate.set()
        left = await find(store)
        assert (left.state, left.claimed_by) == (DeliveryState.SENT, "doomed")

        clock = Clock(utc_now())
        ledger = Ledger(store, {"slack": SlackChannel("xoxb-test", base_url=slack.url)}, executor="here", clock=clock)
        assert await ledger.drain() is None
        clock.move(seconds=61)
        assert await ledger.sweep(now=clock()) == ["del_a"]
        doubtful = await find(store)
        assert doubtful.state is DeliveryState.UNKNOWN
        assert doubtful.error == "its sender died, or lost the store, before it noted the answer"
        clock.move(days=1)
        assert await ledger.drain() is None
        assert len(slack.received) == 1


async def test_what_a_process_was_sending_that_is_surely_gone_is_unknown_at_once(store: Store) -> None:
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", "pass")
    await process.wait()
    gone, elsewhere = f"{place()}-{process.pid}-0a", f"000000000000-{process.pid}-0a"
    await reserve(store, make_row(state="sent", claimed_by=gone, sent_at=START, attempts=1))
    await reserve(store, make_row("b", state="sent", claimed_by=elsewhere, sent_at=START, attempts=1))
    clock = Clock(START)
    assert await Ledger(store, {}, executor="here", clock=clock).sweep(now=clock()) == ["del_a"]


async def test_what_nobody_known_was_sending_is_unknown_after_a_while(store: Store) -> None:
    await reserve(store, make_row(state="sent", sent_at=START, attempts=1))
    clock = Clock(START)
    ledger = Ledger(store, {}, executor="here", clock=clock)
    assert await ledger.sweep(now=clock()) == [], "another process may be about to write down who it is"
    clock.move(seconds=61)
    assert await ledger.sweep(now=clock()) == ["del_a"]


async def test_what_a_living_process_is_sending_is_left_to_it(world: World) -> None:
    await reserve(world.store, make_row(state="sent", claimed_by="other", sent_at=START, attempts=1))
    world.clock.move(hours=1)
    await world.alive("other")
    assert (await world.playbooks.sweep(now=world.clock())).unknown == ()
    world.clock.move(seconds=60)
    assert (await world.playbooks.sweep(now=world.clock())).unknown == ("del_a",)


async def test_the_sweep_sends_what_nobody_sent(world: World) -> None:
    await reserve(world.store, make_row())
    await world.durable.run()
    assert world.slack.received == []
    await world.playbooks.sweep(now=world.clock())
    await world.durable.run()
    assert [post["text"] for post in world.slack.posted] == ["a"]


async def test_a_person_may_resend_through_the_engine(world: World) -> None:
    await reserve(world.store, make_row(state="unknown", attempts=1))
    assert await world.playbooks.resend(["del_a"], by="eve@example.com") == ["del_a"]
    await world.durable.run()
    assert [post["text"] for post in world.slack.posted] == ["a"]
