"""The hold-out: by lot and for a period, kept before anything is done, resting like a run and sending nothing."""

from collections import Counter
from datetime import date, timedelta

import pytest

from hub.errors import ConfigError
from hub.model.actions import RunState
from hub.playbooks.holdout import HELD_OUT, PERIOD, TREATED, drawn
from hub.store import Store, holdout
from tests.playbooks.conftest import SAVE, TODAY, Folder, World, entered

HALF = SAVE.replace("rest: 30 days", "rest: 30 days\nholdout: 50 %")
STARTS = """
playbook: starter
version: 1
title: Start another
when: {mrr: {gt: 0}}
rest: 1 days
do:
  - playbook: save
examples:
  - {facts: {mrr: 1}, fires: true}
  - {facts: {mrr: 0}, fires: false}
"""
IDS = [f"c{number}" for number in range(12)]


def lot(id_: str, day: date = TODAY) -> str:
    return drawn("save", id_, day, share=0.5)


def test_the_lot_is_the_same_for_a_period_and_no_one_elses() -> None:
    first = date.fromordinal(TODAY.toordinal() // 180 * 180)
    within = {lot(id_, first + timedelta(days=179)) == lot(id_, first) for id_ in IDS}
    assert within == {True}
    other = [drawn("other", id_, TODAY, share=0.5) for id_ in IDS]
    later = [lot(id_, TODAY + PERIOD) for id_ in IDS]
    mine = [lot(id_) for id_ in IDS]
    assert mine != other
    assert mine != later
    assert other != later


def test_the_lot_keeps_to_the_share_and_says_nothing_of_customers() -> None:
    count = Counter(drawn("save", f"cus_{number:06}", TODAY, share=0.1) for number in range(20_000))
    assert abs(count[HELD_OUT] - 2_000) < 4 * (20_000 * 0.1 * 0.9) ** 0.5
    # who is held out at 10 % is held out at 20 %, too, and two playbooks hold out others
    ten = {n for n in range(20_000) if drawn("save", f"{n}", TODAY, share=0.1) == HELD_OUT}
    twenty = {n for n in range(20_000) if drawn("save", f"{n}", TODAY, share=0.2) == HELD_OUT}
    other = {n for n in range(20_000) if drawn("other", f"{n}", TODAY, share=0.1) == HELD_OUT}
    assert ten < twenty
    assert abs(len(ten & other) - 200) < 4 * 200**0.5


@pytest.mark.parametrize("share", ["10", "0 %", "51 %", "0.1", "ten %", "100 %"])
def test_a_share_is_1_to_50_percent(folder: Folder, share: str) -> None:
    folder.playbook(SAVE.replace("rest: 30 days", f'rest: 30 days\nholdout: "{share}"'))
    with pytest.raises(ConfigError, match=r"holdout: .* must be a share of 1 % to 50 %") as caught:
        folder.load()
    assert "save.yaml:7" in str(caught.value)


async def test_held_out_customers_have_a_run_that_rests_and_does_nothing(folder: Folder, store: Store) -> None:
    folder.playbook(HALF)
    async with entered(store, folder) as world:
        await fire(world)
        runs = {run.customer_id: run for run in await world.runs()}
        assert {id_: run.state is RunState.HELD_OUT for id_, run in runs.items()} == {
            id_: lot(id_) == HELD_OUT for id_ in IDS
        }
        held = [id_ for id_ in IDS if lot(id_) == HELD_OUT]
        assert 0 < len(held) < len(IDS)
        sent = await world.deliveries()
        assert {each.customer_id for each in sent} == set(IDS) - set(held)
        assert len(sent) == 2 * (len(IDS) - len(held))
        assert all(runs[id_].finished_at == runs[id_].started_at for id_ in held)
        for each in held:
            assert await world.steps(runs[each].id) == []
        world.clock.move(days=3)
        await world.settle()
        assert {each.customer_id for each in await world.alerts()} == set(IDS) - set(held)
        again = await world.playbooks.fire_due(as_of=TODAY, now=world.clock())
        assert again.total == 0
        assert len(await world.runs()) == len(IDS)


async def test_the_lot_stays_for_a_period_whatever_the_share_becomes(folder: Folder, store: Store) -> None:
    folder.playbook(HALF)
    async with entered(store, folder) as world:
        await fire(world)
        world.clock.move(days=40)  # beyond the rest, and open runs are over
        await world.settle()
        for id_ in IDS:
            await world.scorecard(id_, world.clock().date(), health=0.4)
        folder.playbook(HALF.replace("50 %", "1 %"))
        world.playbooks.definitions = folder.load().playbooks
        await world.playbooks.fire_due(as_of=world.clock().date(), now=world.clock())
        states: dict[str, set[bool]] = {}
        for run in await world.runs():
            states.setdefault(run.customer_id, set()).add(run.state is RunState.HELD_OUT)
        assert len(await world.runs()) == 2 * len(IDS)
        assert states == {id_: {lot(id_) == HELD_OUT} for id_ in IDS}
        async with world.store.reading() as connection:
            units = await holdout.find_units(connection, playbook="save")
        assert {(unit.customer_id, unit.arm, unit.on) for unit in units} == {(id_, lot(id_), TODAY) for id_ in IDS}


async def test_by_hand_nobody_is_held_out_and_it_is_counted(folder: Folder, store: Store) -> None:
    folder.playbook(HALF)
    async with entered(store, folder) as world:
        await fire(world)
        held = [id_ for id_ in IDS if lot(id_) == HELD_OUT]
        fired = await world.playbooks.fire("save", held[:1], by="ann", key="k", now=world.clock(), force=True)
        assert [each.state for each in fired] == ["fired"]
        await world.settle()
        assert held[0] in {each.customer_id for each in await world.deliveries()}
        async with world.store.reading() as connection:
            assert await holdout.count_crossed(connection, playbook="save") == 1
            assert len(await holdout.find_units(connection, playbook="save")) == len(IDS)


async def test_a_playbook_that_another_one_starts_holds_out_too(folder: Folder, store: Store) -> None:
    folder.playbook(HALF.replace("{health: {lt: 0.5}}", "{health: {lt: 0.1}}").replace("0.4}", "0.05}"))
    folder.playbook(STARTS, name="starter")
    async with entered(store, folder) as world:
        for id_ in IDS:
            await world.customer(id_, health=0.4, mrr=10.0)
        await world.playbooks.fire_due(as_of=TODAY, now=world.clock())
        await world.settle()
        runs = await world.runs()
        saves = {run.customer_id: run.state for run in runs if run.playbook == "save"}
        assert {id_: state is RunState.HELD_OUT for id_, state in saves.items()} == {
            id_: lot(id_) == HELD_OUT for id_ in IDS
        }
        held = next(id_ for id_ in IDS if lot(id_) == HELD_OUT)
        (starter,) = [run for run in runs if run.playbook == "starter" and run.customer_id == held]
        (step,) = await world.steps(starter.id)
        assert (step.state, step.detail) == ("skipped", "save holds this customer out")
        assert {each.customer_id for each in await world.deliveries()} == {id_ for id_ in IDS if lot(id_) == TREATED}


async def fire(world: World) -> None:
    for id_ in IDS:
        await world.customer(id_, health=0.4)
    await world.playbooks.fire_due(as_of=TODAY, now=world.clock())
    await world.settle()
