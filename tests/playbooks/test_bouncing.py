"""What is done about mail that came back: the ledger says so, and who does not exist gets no more."""

from datetime import UTC, datetime, timedelta
from typing import Any

from hub.model.actions import Delivery, DeliveryState
from hub.model.mail import Bounced
from hub.playbooks.bouncing import Patience, Taken, take_bounces
from hub.store import Store, deliveries
from hub.store.bounces import find_bounces
from hub.store.suppression import Reason, list_suppressed

NOW = datetime(2026, 11, 2, 10, tzinfo=UTC)
PATIENCE = Patience(most=3, within=timedelta(days=7))


def bounce(address: str, **values: Any) -> Bounced:
    return Bounced(**{"address": address, "kind": "hard", "at": NOW, "told_by": "mailbox", "status": "5.1.1"} | values)


async def reserve(store: Store, id_: str, *, state: str = "confirmed", key: str | None = None) -> None:
    row = {
        "id": f"del_{id_}",
        "dedup_key": key or f"save.1.0.{id_}",
        "channel": "email",
        "address": "ann@x.example",
        "payload": {"text": "t", "html": "h"},
        "state": state,
        "attempts": 1,
        "reserved_at": NOW,
        "confirmed_at": NOW if state == "confirmed" else None,
        "receipt": {"message_id": f"<save.1.0.{id_}@hub.example>", "answer": "250"} if state == "confirmed" else None,
    }
    async with store.transaction() as connection:
        await deliveries.reserve(connection, [row])


async def take(store: Store, *told: Bounced, now: datetime = NOW) -> Taken:
    return await take_bounces(store, told, patience=PATIENCE, now=now)


async def ledger(store: Store) -> dict[str, Delivery]:
    async with store.reading() as connection:
        return {each.id: each for each in await deliveries.find_deliveries(connection)}


async def listed(store: Store) -> dict[str, tuple[Reason, str | None]]:
    async with store.reading() as connection:
        return {each.address: (each.reason, each.note) for each in await list_suppressed(connection)}


async def test_a_hard_bounce_fails_a_confirmed_message_and_suppresses(store: Store) -> None:
    await reserve(store, "a")
    told = bounce("ann@x.example", message_id="<save.1.0.a@hub.example>", reason="no such user")
    assert await take(store, told) == Taken(new=1, matched=1, suppressed=("ann@x.example",))
    found = (await ledger(store))["del_a"]
    assert (found.state, found.error) == (DeliveryState.FAILED, "bounced: 5.1.1 no such user")
    assert found.confirmed_at == NOW, "that it was taken first stays known"
    assert found.receipt == {
        "message_id": "<save.1.0.a@hub.example>",
        "answer": "250",
        "bounce": {"kind": "hard", "status": "5.1.1", "reason": "no such user", "at": NOW.isoformat()},
    }
    assert await listed(store) == {"ann@x.example": (Reason.BOUNCED, "5.1.1 no such user")}


async def test_told_twice_is_once(store: Store) -> None:
    await reserve(store, "a")
    told = bounce("ann@x.example", delivery_id="del_a", message_id="<save.1.0.a@hub.example>")
    assert (await take(store, told, told)).new == 1
    assert await take(store, told, now=NOW + timedelta(days=1)) == Taken()
    async with store.reading() as connection:
        assert [each.delivery_id for each in await find_bounces(connection)] == ["del_a"]


async def test_messages_are_found_by_the_return_path_and_by_keys_with_colons(store: Store) -> None:
    await reserve(store, "a")
    await reserve(store, "b", key="digest:2026-11-02:ann")
    taken = await take(
        store,
        bounce("ann@x.example", delivery_id="del_a"),
        bounce("ann@x.example", message_id="<digest.2026-11-02.ann@hub.example>"),
        bounce("who@x.example", delivery_id="del_zz", message_id="<else@where.example>"),
    )
    assert (taken.new, taken.matched) == (3, 2)
    assert {each.state for each in (await ledger(store)).values()} == {DeliveryState.FAILED}


async def test_a_message_that_was_never_sent_keeps_its_state(store: Store) -> None:
    await reserve(store, "a", state="suppressed")
    await take(store, bounce("ann@x.example", delivery_id="del_a"))
    assert (await ledger(store))["del_a"].state is DeliveryState.SUPPRESSED


async def test_soft_bounces_are_counted(store: Store) -> None:
    await reserve(store, "a")
    await reserve(store, "b")

    async def softly(day: int) -> Taken:
        at, named = NOW + timedelta(days=day), {0: "del_a", 9: "del_b"}
        told = bounce("ann@x.example", kind="soft", status="4.2.2", at=at, delivery_id=named.get(day))
        return await take(store, told, now=at)

    assert [(await softly(day)).suppressed for day in (0, 6, 8)] == [(), (), ()], "the first is more than a week old"
    found = (await ledger(store))["del_a"]
    assert (found.state, found.error) == (DeliveryState.CONFIRMED, "bounced for now: 4.2.2")
    assert (await softly(9)).suppressed == ("ann@x.example",)
    assert await listed(store) == {"ann@x.example": (Reason.BOUNCED, "3 times in 7 days, the last: 4.2.2")}


async def test_a_complaint_suppresses_and_leaves_the_message_confirmed(store: Store) -> None:
    await reserve(store, "a")
    told = bounce("ann@x.example", kind="complaint", status=None, reason="abuse", delivery_id="del_a")
    assert (await take(store, told)).suppressed == ("ann@x.example",)
    found = (await ledger(store))["del_a"]
    assert (found.state, found.error) == (DeliveryState.CONFIRMED, "called spam: abuse")
    assert await listed(store) == {"ann@x.example": (Reason.COMPLAINED, "abuse")}


async def test_anybody_may_write_to_the_mailbox_and_stop_nobodys_mail(store: Store) -> None:
    await reserve(store, "a")
    forged = (
        bounce("boss@x.example"),
        bounce("boss@x.example", kind="complaint", message_id="<made.up@hub.example>"),
        bounce("boss@x.example", delivery_id="del_a"),  # of who got a message and names it for somebody else
        *(bounce("boss@x.example", kind="soft", at=NOW + timedelta(minutes=n)) for n in range(5)),
    )
    taken = await take(store, *forged)
    assert (taken.new, taken.suppressed, taken.doubted) == (8, (), ("boss@x.example",))
    assert await listed(store) == {}
    said = bounce("boss@x.example", told_by="own", at=NOW + timedelta(hours=1))
    assert (await take(store, said)).suppressed == ("boss@x.example",), "webhooks are authenticated"
