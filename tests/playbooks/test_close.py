"""The step that closes what its run opened, and what becomes of alerts whose run will close nothing any more."""

import pytest

from hub.errors import ConfigError
from hub.model.actions import Alert, AlertOutcome, AlertState, RunState
from hub.playbooks.alerts import change_alert
from tests.playbooks.conftest import Folder, World

WATCH = """
playbook: watch
version: 1
title: Watch
when: {health: {lt: 0.5}}
rest: 1 day
do:
  - alert: {title: "Look at {{ customer.name }}"}
  - task: {title: "Call {{ customer.name }}"}
  - wait: {until: {health: {gte: 0.5}}, at_most: 30 days, else: [{close: no_success}, {stop: it never came}]}
  - close: {outcome: success, note: "health is {{ health }} again"}
  - task: {title: "Thank {{ customer.name }}"}
examples:
  - {facts: {health: 0.4}, fires: true}
  - {facts: {health: 0.5}, fires: false}
"""


@pytest.fixture
def folder(folder: Folder) -> Folder:
    folder.playbook(WATCH, name="watch")
    (folder.root / "playbooks" / "save.yaml").unlink()
    return folder


async def begin(world: World, *ids: str) -> None:
    for id_ in ids:
        await world.customer(id_, health=0.2)
    await world.playbooks.fire_due(as_of=world.clock().date(), now=world.clock())
    await world.settle(3)


async def found(world: World) -> dict[str, Alert]:
    return {each.title: each for each in await world.alerts()}


async def recover(world: World, id_: str) -> None:
    world.clock.move(days=1)
    await world.scorecard(id_, world.clock().date(), health=0.8)
    await world.playbooks.fire_due(as_of=world.clock().date(), now=world.clock())
    await world.settle(3)


async def test_a_run_closes_what_it_opened_and_nothing_else(each_world: World) -> None:
    world = each_world
    await begin(world, "acme", "bolt")
    assert {title: each.state for title, each in (await found(world)).items()} == dict.fromkeys(
        ("Look at Acme", "Call Acme", "Look at Bolt", "Call Bolt"), AlertState.OPEN
    )
    await recover(world, "acme")
    after = await found(world)
    for title in ("Look at Acme", "Call Acme"):
        assert (after[title].state, after[title].outcome) == (AlertState.CLOSED, AlertOutcome.SUCCESS)
        assert (after[title].note, after[title].closed_at is not None) == ("health is 80 again", True)
    assert [after[title].state for title in ("Look at Bolt", "Call Bolt")] == [AlertState.OPEN, AlertState.OPEN]
    assert after["Thank Acme"].state is AlertState.OPEN, "what comes after the close is not closed by it"
    (run,) = [each for each in await world.runs() if each.customer_id == "acme"]
    (step,) = [each for each in await world.steps(run.id) if each.action == "close" and each.index == 5]
    assert (step.state, step.detail) == ("done", "closes what it opened: success, health is 80 again")


async def test_what_a_person_closed_or_wrote_stays(each_world: World) -> None:
    world = each_world
    await begin(world, "acme")
    before = await found(world)
    await change_alert(
        world.store, before["Call Acme"].id, state="closed", outcome="invalid", note="wrong number", now=world.clock()
    )
    await change_alert(world.store, before["Look at Acme"].id, state="in_progress", note="on it", now=world.clock())
    await recover(world, "acme")
    after = await found(world)
    assert (after["Call Acme"].outcome, after["Call Acme"].note) == (AlertOutcome.INVALID, "wrong number")
    assert after["Look at Acme"].outcome is AlertOutcome.SUCCESS
    assert after["Look at Acme"].note == "on it\nhealth is 80 again"


async def test_the_time_is_over(world: World) -> None:
    await begin(world, "acme")
    world.clock.move(days=31)
    await world.playbooks.sweep(now=world.clock())
    await world.settle(3)
    assert {each.outcome for each in await world.alerts()} == {AlertOutcome.NO_SUCCESS}
    (run,) = await world.runs()
    assert run.state is RunState.DONE


async def test_alerts_of_a_cancelled_run_stay_and_say_so(each_world: World) -> None:
    world = each_world
    await begin(world, "acme", "bolt", "cell")
    acme, bolt, cell = sorted(await world.runs(), key=lambda run: run.customer_id)
    bolts = next(each for each in await world.alerts() if each.run_id == bolt.id)
    await change_alert(world.store, bolts.id, note="mine", now=world.clock())
    await world.playbooks.cancel(acme.id)
    await world.playbooks.stop("watch", by="ann", reason="too many", cancel=True)
    said = "the playbook's run was cancelled: this stays until a person closes it"
    for each in await world.alerts():
        assert each.state is AlertState.OPEN
        assert each.note == (f"mine\n{said}" if each.id == bolts.id else said)
    assert {each.run_id for each in await world.alerts()} == {acme.id, bolt.id, cell.id}


def test_an_outcome_must_be_one(folder: Folder) -> None:
    folder.playbook(WATCH.replace("outcome: success", "outcome: splendid"), name="watch")
    with pytest.raises(ConfigError, match=r"close\.outcome: is none of the valid choices.*success"):
        folder.load()
