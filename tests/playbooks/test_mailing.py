"""The rules of mail: suppression, the sending window and so many a week, before reserving and right before sending."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from hub.delivery.mail import MailChannel
from hub.model.actions import Delivery, DeliveryState
from hub.playbooks.ledger import Ledger
from hub.playbooks.mailing import NO_SENDER, Mailing, Window
from hub.store import Store, deliveries
from hub.store.runs import insert_missing
from hub.store.suppression import (
    Reason,
    Suppressed,
    applying,
    find_suppressed,
    list_suppressed,
    suppress,
    unsuppress,
)
from hub.store.tables import customer
from tests.fakes.smtp import FakeSmtp, serving_smtp

MONDAY = datetime(2026, 11, 2, 10, tzinfo=UTC)
BERLIN, NEW_YORK = ZoneInfo("Europe/Berlin"), ZoneInfo("America/New_York")


def line(address: str, **values: Any) -> Suppressed:
    return Suppressed(**{"address": address, "reason": Reason.MANUAL, "since": MONDAY, "by": "eve"} | values)


def row(id_: str, address: str, *, to_customer: bool = True, topic: str = "", at: datetime = MONDAY) -> dict[str, Any]:
    payload: dict[str, Any] = {"text": "t", "html": "<p>h</p>"}
    if to_customer:
        payload |= {"audience": "customer", "topic": topic}
    return {
        "id": id_,
        "dedup_key": f"save.1.0.{id_}",
        "customer_id": "acme",
        "channel": "email",
        "address": address,
        "subject": "s",
        "payload": payload,
        "state": "reserved",
        "error": None,
        "attempts": 0,
        "reserved_at": at,
    }


async def settled(store: Store, mailing: Mailing, rows: list[dict[str, Any]], now: datetime = MONDAY) -> None:
    async with store.transaction() as connection:
        await connection.execute(
            insert_missing(connection, customer),
            [{"id": "acme", "name": "Acme", "country": "US", "created_at": now, "updated_at": now}],
        )
        await mailing.settle(connection, rows, now=now)
        await deliveries.reserve(connection, rows)


async def kept(store: Store) -> dict[str, Delivery]:
    async with store.reading() as connection:
        return {each.id: each for each in await deliveries.find_deliveries(connection)}


@pytest.mark.parametrize(
    ("at", "zone", "expected"),
    [
        ("2026-11-02T10:00", "UTC", "2026-11-02T10:00"),
        ("2026-11-02T07:59", "UTC", "2026-11-02T08:00"),
        ("2026-11-02T18:00", "UTC", "2026-11-03T08:00"),
        ("2026-11-06T18:00", "UTC", "2026-11-09T08:00"),
        ("2026-11-07T12:00", "UTC", "2026-11-09T08:00"),
        ("2026-11-02T10:00", "America/New_York", "2026-11-02T13:00"),
        ("2026-11-06T23:30", "America/New_York", "2026-11-09T13:00"),
        ("2026-03-28T20:00", "Europe/Berlin", "2026-03-30T06:00"),
    ],
)
def test_the_window(at: str, zone: str, expected: str) -> None:
    found = Window().next(datetime.fromisoformat(at).replace(tzinfo=UTC), ZoneInfo(zone))
    assert found == datetime.fromisoformat(expected).replace(tzinfo=UTC)


def test_a_window_of_some_days() -> None:
    window = Window(begin=time(9, 30), end=time(10), days=frozenset({3}))
    assert window.next(MONDAY, BERLIN) == datetime(2026, 11, 5, 8, 30, tzinfo=UTC)


async def test_the_list(store: Store) -> None:
    async with store.transaction() as connection:
        first = await suppress(connection, [line("Ann@X.example", topic="offers"), line("@y.example", note="asked")])
        again = await suppress(connection, [line("@y.example", reason=Reason.BOUNCED)])
        assert (first, again) == (["@y.example", "ann@x.example"], [])
        asked = ["ANN@x.example", "bob@y.example", "joe@yy.example", "x@x.example"]
        found = await find_suppressed(connection, asked)
        assert {to: [each.address for each in lines] for to, lines in found.items()} == {
            "ANN@x.example": ["ann@x.example"],
            "bob@y.example": ["@y.example"],
        }
        tagged = await find_suppressed(connection, ["Ann+list@x.example", "annette+ann@x.example"])
        assert list(tagged) == ["Ann+list@x.example"], "it is the mailbox of ann@x.example"
        assert found["bob@y.example"][0] == line("@y.example", note="asked"), "the first reason stays"
        assert await unsuppress(connection, "ANN@x.example", topic="surveys") == []
        assert [each.topic for each in await unsuppress(connection, "ANN@x.example")] == ["offers"]
        assert [each.address for each in await list_suppressed(connection)] == ["@y.example"]
        assert await list_suppressed(connection, reason=Reason.BOUNCED) == []


async def test_the_list_of_thousands(sqlite_store: Store) -> None:
    asked = [f"p{n}@d{n}.example" for n in range(1_200)]
    async with sqlite_store.transaction() as connection:
        await suppress(connection, [line(f"@d{n}.example") for n in range(0, 1_200, 100)])
        assert sorted(await find_suppressed(connection, asked)) == sorted(asked[::100])


@pytest.mark.parametrize(
    ("reason", "of", "topic", "to_customer", "forbidden"),
    [
        (Reason.UNSUBSCRIBED, "", "offers", True, True),
        (Reason.UNSUBSCRIBED, "offers", "offers", True, True),
        (Reason.UNSUBSCRIBED, "offers", "onboarding", True, False),
        (Reason.UNSUBSCRIBED, "", "", False, False),
        (Reason.MANUAL, "", "", False, False),
        (Reason.COMPLAINED, "", "", False, False),
        (Reason.BOUNCED, "", "", False, True),
        (Reason.BOUNCED, "", "offers", True, True),
    ],
)
def test_whom_a_line_concerns(reason: Reason, of: str, topic: str, to_customer: bool, forbidden: bool) -> None:
    lines = [line("a@x.example", reason=reason, topic=of)]
    assert (applying(lines, topic=topic, to_customer=to_customer) is not None) is forbidden


async def test_suppressed_mail_is_in_the_ledger_and_waits_for_nobody(store: Store) -> None:
    async with store.transaction() as connection:
        lines = [line("no@x.example", reason=Reason.UNSUBSCRIBED), line("gone@hub.example", reason=Reason.BOUNCED)]
        await suppress(connection, lines)
    rows = [
        row("a", "No@x.example"),
        row("b", "yes@x.example"),
        row("c", "no@x.example", to_customer=False),
        row("d", "gone@hub.example", to_customer=False),
        {**row("e", "no@x.example"), "channel": "slack"},
    ]
    await settled(store, Mailing(), rows)
    found = await kept(store)
    assert {id_: each.state.value for id_, each in found.items()} == {
        "a": "suppressed",
        "b": "reserved",
        "c": "reserved",
        "d": "suppressed",
        "e": "reserved",
    }
    assert found["a"].error == "no@x.example is suppressed: unsubscribed since 2026-11-02"
    assert [found[id_].audience for id_ in "abc"] == ["customer", "customer", None]


async def test_mail_to_customers_waits_for_their_morning(store: Store) -> None:
    mailing = Mailing(window=Window(), zone=BERLIN, zones={"us": NEW_YORK})
    await settled(store, mailing, [row("a", "a@x.example"), row("b", "eve@hub.example", to_customer=False)])
    found = await kept(store)
    assert found["a"].not_before == datetime(2026, 11, 2, 13, tzinfo=UTC)
    assert found["b"].not_before is None
    await settled(store, Mailing(window=Window(), zone=BERLIN), [row("c", "a@x.example")])
    assert (await kept(store))["c"].not_before is None, "ten in Berlin's morning"


async def test_so_many_a_week_and_no_more(store: Store) -> None:
    mailing = Mailing(most_per_week=2)
    await settled(store, mailing, [row(str(n), "a@x.example") for n in range(3)] + [row("other", "b@x.example")])
    await settled(store, mailing, [row("3", "A@x.example")])
    await settled(store, mailing, [row("team", "a@x.example", to_customer=False)])
    later = MONDAY + timedelta(days=7, seconds=1)
    await settled(store, mailing, [row("4", "a@x.example", at=later)], later)
    found = await kept(store)
    left_out = [id_ for id_, each in found.items() if each.state is DeliveryState.SUPPRESSED]
    assert sorted(left_out) == ["2", "3"]
    assert found["2"].error == "a@x.example has 2 mails of us within a week, which is the most"


async def test_two_workers_never_both_find_room_for_the_last_mail(store: Store) -> None:
    mailing = Mailing(most_per_week=3)

    async def write(worker: int) -> None:
        for n in range(3):
            rows = [row(f"{worker}.{n}.{m}", f"p{m}@x.example") for m in range(5)]
            async with store.transaction() as connection:
                await mailing.settle(connection, rows, now=MONDAY)
                await asyncio.sleep(0.01)  # the other one reads now, if it may
                await deliveries.reserve(connection, rows)

    await settled(store, mailing, [])  # the customer
    await asyncio.gather(*(write(worker) for worker in range(4)))
    sent = [each.address for each in (await kept(store)).values() if each.state is DeliveryState.RESERVED]
    assert sorted(sent) == sorted([f"p{m}@x.example" for m in range(5)] * 3)


async def test_topics_that_always_come_count_for_the_others(store: Store) -> None:
    mailing = Mailing(most_per_week=2, always=frozenset({"onboarding"}))
    guided = [row(str(n), "a@x.example", topic="onboarding") for n in range(4)]
    await settled(store, mailing, guided)
    await settled(store, mailing, [row("offer", "a@x.example", topic="offers")])
    found = await kept(store)
    assert [id_ for id_, each in found.items() if each.state is DeliveryState.SUPPRESSED] == ["offer"]


@asynccontextmanager
async def sending(store: Store, mailing: Mailing, now: list[datetime]) -> AsyncIterator[tuple[Ledger, FakeSmtp]]:
    async with serving_smtp() as smtp:
        channel = MailChannel(host="127.0.0.1", port=smtp.port, sender="hub@cshub.example")
        yield Ledger(store, {"email": channel}, executor="here", clock=lambda: now[0], mailing=mailing), smtp


async def test_who_unsubscribes_while_mail_waits_gets_none(store: Store) -> None:
    await settled(store, Mailing(), [row("a", "a@x.example", topic="offers"), row("b", "b@x.example")])
    async with store.transaction() as connection:
        await suppress(connection, [line("a@x.example", reason=Reason.UNSUBSCRIBED, topic="offers")])
    async with sending(store, Mailing(), [MONDAY]) as (ledger, smtp):
        await ledger.drain()
        assert [to for _, to in smtp.envelopes] == [["b@x.example"]]
    found = await kept(store)
    assert (found["a"].state, found["b"].state) == (DeliveryState.SUPPRESSED, DeliveryState.CONFIRMED)
    assert found["a"].error == "a@x.example is suppressed from offers: unsubscribed since 2026-11-02"
    assert found["a"].sent_at is None


async def test_what_is_tried_again_keeps_to_the_window_and_does_not_expire_over_it(store: Store) -> None:
    friday = datetime(2026, 11, 6, 17, 59, 50, tzinfo=UTC)
    now, mailing = [friday], Mailing(window=Window())
    await settled(store, mailing, [row("a", "a@x.example", at=friday)], friday)
    async with sending(store, mailing, now) as (ledger, smtp):
        smtp.refuse["rcpt"] = "451 later"
        await ledger.drain()
        smtp.refuse.clear()
        now[0] = friday + timedelta(minutes=5)
        due = await ledger.drain()
        assert (smtp.envelopes, due) == ([], datetime(2026, 11, 9, 8, tzinfo=UTC))
        held = (await kept(store))["a"]
        assert (held.state, held.attempts) == (DeliveryState.RESERVED, 1)
        assert due is not None
        now[0] = due
        await ledger.drain()
        assert [to for _, to in smtp.envelopes] == [["a@x.example"]]
    assert (await kept(store))["a"].state is DeliveryState.CONFIRMED


async def test_customers_are_not_written_to_before_somebody_says_who_writes(store: Store) -> None:
    rows = [row("a", "ann@acme.example"), row("b", "ann@hub.example", to_customer=False)]
    await settled(store, Mailing(to_customers=False), rows)
    assert [(each["state"], each["error"]) for each in rows] == [("suppressed", NO_SENDER), ("reserved", None)]
