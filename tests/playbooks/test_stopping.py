"""The kill switch: at once, everywhere, and nothing is lost by it."""

import asyncio
from datetime import timedelta

import pytest

from hub.errors import NotFoundError, RefusedError
from hub.model.actions import DeliveryState, RunState
from hub.playbooks.ledger import Ledger
from hub.store import audit, claims
from tests.fakes.clock import START
from tests.playbooks.conftest import SAVE, TODAY, Folder, World, entered


async def fired(world: World, *ids: str) -> None:
    for id_ in ids:
        await world.customer(id_, health=0.4)
    await world.playbooks.fire_due(as_of=TODAY, now=world.clock())


@pytest.mark.parametrize("name", ["save", "*"])
async def test_a_stopped_playbook_neither_fires_nor_moves_nor_sends(each_world: World, name: str) -> None:
    world = each_world
    await fired(world, "acme", "bolt")
    (first, _) = await world.runs()
    await world.playbooks.advance(first.id, 0)  # its messages are reserved, and not sent
    await world.playbooks.stop(name, by="ann", reason="wrong  template")
    assert [(each.playbook, each.stopped_by, each.reason) for each in await world.playbooks.stopped()] == [
        (name, "ann", "wrong template")
    ]
    await world.customer("late", health=0.4)
    assert (await world.playbooks.fire_due(as_of=TODAY, now=world.clock())).total == 0
    with pytest.raises(RefusedError, match="save is stopped by ann: wrong template"):
        await world.playbooks.fire("save", ["late"], by="eve", key="k", now=world.clock())
    world.clock.now = START + timedelta(days=4)
    await world.settle(3)
    assert (await world.playbooks.sweep(now=world.clock())).woken == 0
    await world.settle(3)
    assert (world.slack.received, world.smtp.taken) == ([], [])
    assert {each.state for each in await world.deliveries()} == {DeliveryState.RESERVED}
    assert sorted((each.state, each.fence) for each in await world.runs()) == [
        (RunState.RUNNING, 0),
        (RunState.WAITING, 1),
    ]
    await world.playbooks.start(name, by="ann")
    await world.settle(5)
    assert len(world.slack.posted) == 2, "they go on where they stood"
    async with world.store.reading() as connection:
        entries = await audit.find_latest(connection, subject=name)
    assert sorted((each.action, each.actor, each.detail["outcome"]) for each in entries) == [
        ("playbookStart", "ann", "done"),
        ("playbookStop", "ann", "done"),
    ]


async def test_another_playbook_goes_on(world: World, folder: Folder) -> None:
    folder.playbook(SAVE.replace("playbook: save", "playbook: twin"), "twin")
    async with entered(world.store, folder) as two:
        await fired(two, "acme")
        await two.playbooks.stop("save", by="ann", reason="enough")
        await two.settle(4)
        assert len(two.slack.posted) == 1
        assert {each.playbook: each.state for each in await two.runs()} == {
            "save": RunState.RUNNING,
            "twin": RunState.WAITING,
        }


async def test_a_message_claimed_before_the_stop_is_not_sent_after_it(each_world: World) -> None:
    world = each_world
    await fired(world, "acme")
    (run,) = await world.runs()
    await world.playbooks.advance(run.id, 0)
    async with world.store.transaction() as connection:
        claimed = await claims.claim(connection, executor="here", now=world.clock(), limit=9)
    assert len(claimed) == 2
    await world.playbooks.stop("save", by="ann", reason="wrong")
    ledger = Ledger(world.store, world.channels, executor="here", clock=world.clock)
    await asyncio.gather(*await ledger._begin(claimed))
    assert (world.slack.received, world.smtp.taken) == ([], [])
    assert {(each.state, each.attempts, each.sent_at) for each in await world.deliveries()} == {
        (DeliveryState.RESERVED, 0, None)
    }


async def test_stopping_may_end_what_is_under_way(each_world: World) -> None:
    world = each_world
    await fired(world, "acme", "bolt")
    first = (await world.runs())[0]
    await world.playbooks.advance(first.id, 0)
    stopping = await world.playbooks.stop("save", by="ann", reason="wrong", cancel=True)
    assert (stopping.changed, stopping.cancelled, stopping.withdrawn) == (True, 2, 2)
    await world.playbooks.start("save", by="ann")
    world.clock.now = START + timedelta(days=4)
    await world.settle(3)
    assert (world.slack.received, await world.alerts()) == ([], [])
    assert {each.state for each in await world.deliveries()} == {DeliveryState.SUPPRESSED}
    assert {(each.state, each.error) for each in await world.runs()} == {(RunState.CANCELLED, "stopped by ann: wrong")}


async def test_what_is_refused(world: World) -> None:
    with pytest.raises(RefusedError, match="needs a reason"):
        await world.playbooks.stop("save", by="ann", reason="  ")
    with pytest.raises(NotFoundError, match="there are: save"):
        await world.playbooks.stop("nope", by="ann", reason="x")
    with pytest.raises(NotFoundError, match="save is not stopped; stopped is: nothing"):
        await world.playbooks.start("save", by="ann")
    assert (await world.playbooks.stop("save", by="ann", reason="x")).changed
    assert not (await world.playbooks.stop("save", by="eve", reason="y")).changed
    assert [each.stopped_by for each in await world.playbooks.stopped()] == ["ann"]
