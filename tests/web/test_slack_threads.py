"""Threads and updates in place: where messages go, and that what they show ends up being so."""

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest

from hub.model.actions import DeliveryState
from hub.playbooks.alerts import change_alert
from hub.store import Store, stops
from tests.fakes.slack_place import Place, shown, slack_place


@pytest.fixture
async def place(sqlite_store: Store, tmp_path: Path) -> AsyncIterator[Place]:
    async with slack_place(sqlite_store, tmp_path) as made:
        for each in ("acme", "bolt"):
            await made.customer(each)
        yield made


@pytest.fixture
async def each_place(store: Store, tmp_path: Path) -> AsyncIterator[Place]:
    async with slack_place(store, tmp_path) as made:
        for each in ("acme", "bolt"):
            await made.customer(each)
        yield made


async def later(place: Place, key: str, **by: float) -> None:
    place.clock.move(**(by or {"days": 2}))
    await place.playbooks.fire("save", ["acme"], by="test", key=key, now=place.clock(), force=True)
    await place.settle()


async def test_the_first_message_about_a_customer_is_the_parent_of_later_ones(each_place: Place) -> None:
    place = each_place
    await place.fire("acme", "bolt")
    parents = {shown(each).split(" ")[0]: each.body["ts"] for each in (place.message(0), place.message(1))}
    assert [place.message(n).body["thread_ts"] for n in (0, 1)] == [None, None], "each customer begins a thread"
    await later(place, "second")
    reply = place.message()
    assert (reply.body["thread_ts"], reply.body["reply_broadcast"]) == (parents["Acme"], False)
    [*_, told] = await place.deliveries("slack")
    assert (told.receipt or {})["thread_ts"] == parents["Acme"]


async def test_after_the_period_another_thread_begins(place: Place) -> None:
    await place.fire("acme")
    await later(place, "second", days=13)
    assert place.message().body["thread_ts"] is not None
    await later(place, "third", days=2)
    parent = place.message()
    assert parent.body["thread_ts"] is None
    await later(place, "fourth", days=2)
    assert place.message().body["thread_ts"] == parent.body["ts"]


async def test_an_urgent_one_is_shown_in_the_channel_too(place: Place) -> None:
    await place.fire("acme")
    place.clock.move(days=2)
    await place.fire("acme", playbook="burn", key="urgent")
    assert place.message().body["thread_ts"] is not None
    assert place.message().body["reply_broadcast"] is True


async def test_threads_can_be_off(sqlite_store: Store, tmp_path: Path) -> None:
    async with slack_place(sqlite_store, tmp_path, threads="0 days") as place:
        await place.customer("acme")
        await place.fire("acme")
        await later(place, "second")
        assert place.message().body["thread_ts"] is None


async def test_whoever_changes_an_alert_the_message_shows_it(each_place: Place) -> None:
    place = each_place
    await place.fire("acme")
    [call] = await place.alerts()
    await change_alert(place.store, call.id, owner_email="bob@example.com", by="api", now=place.clock())
    place.clock.move(minutes=1)
    await place.settle()
    assert "Bob Baker owns it" in shown(place.message())
    [changed] = await place.deliveries("slack_update")
    assert (changed.state, changed.run_id, changed.payload) == (
        DeliveryState.CONFIRMED,
        None,
        {"update_of": (await place.deliveries("slack"))[0].id},
    )


async def test_a_burst_of_changes_is_one_update_that_shows_the_last(each_place: Place) -> None:
    place = each_place
    await place.fire("acme")
    [call] = await place.alerts()
    for number in range(5):
        await change_alert(place.store, call.id, owner_email=f"p{number}@example.com", by="api", now=place.clock())
        await place.slack.update()
    await change_alert(place.store, call.id, state="closed", outcome="success", by="ann@example.com", now=place.clock())
    place.clock.move(minutes=1)
    await place.settle()
    assert len(await place.deliveries("slack_update")) == 1
    assert "closed with success by Ann Archer" in shown(place.message())


async def test_a_change_with_an_older_time_is_not_lost(place: Place) -> None:
    """Two processes: the change that is written last carries the earlier moment."""
    await place.fire("acme")
    [call] = await place.alerts()
    now = place.clock()
    await change_alert(place.store, call.id, owner_email="bob@example.com", by="api", now=now)
    await place.slack.update()
    await place.settle()
    await change_alert(place.store, call.id, owner_email="vic@example.com", by="api", now=now - timedelta(seconds=1))
    await place.slack.update()
    await place.settle()
    assert "Vic Viewer owns it" in shown(place.message())


async def test_an_update_without_an_answer_is_sent_again(place: Place) -> None:
    await place.fire("acme")
    place.faults.dropped_answers = 1
    await place.press("ann", "acknowledge", place.message())
    await place.settle(60)
    [updated] = await place.deliveries("slack_update")
    assert (updated.state, updated.attempts) == (DeliveryState.CONFIRMED, 2)
    assert "acknowledged by Ann Archer" in shown(place.message())
    assert place.outbox.counts()["slack"] == 1


async def test_slacks_limit_puts_an_update_off(place: Place) -> None:
    await place.fire("acme")
    place.faults.rate_limited, place.faults.retry_after = 1, 20
    await place.press("ann", "acknowledge", place.message())
    await place.settle(10)
    assert "acknowledged" not in shown(place.message())
    await place.settle(25)
    assert "acknowledged by Ann Archer" in shown(place.message())


async def test_a_stopped_playbook_s_messages_still_show_what_is_so(place: Place) -> None:
    await place.fire("acme")
    await place.playbooks.stop(stops.ALL, by="bob@example.com", reason="holidays")
    await place.press("ann", "acknowledge", place.message())
    await place.settle()
    assert "acknowledged by Ann Archer" in shown(place.message())


async def test_a_message_that_never_arrived_is_not_updated(place: Place) -> None:
    place.faults.dropped_answers = 1
    await place.fire("acme")
    [posted] = await place.deliveries("slack")
    assert posted.state is DeliveryState.UNKNOWN
    [call] = await place.alerts()
    await change_alert(place.store, call.id, owner_email="bob@example.com", by="api", now=place.clock())
    assert await place.slack.update() == 0
