"""Playbooks whose conditions speak of saved segments, of days that count from today, and of words in a name."""

from datetime import timedelta

import pytest

from hub.errors import RefusedError
from hub.playbooks.rehearsal import Asked, rehearse
from hub.playbooks.settling import segments_used, uses
from hub.segments import Editor, Wanted, change_segment, create_segment
from tests.playbooks.conftest import TODAY, Folder, World, entered

ANN = Editor(name="ann")
SAVE = """
playbook: save
version: 1
title: Save
rest: 30 days
when: WHEN
do:
  - task: {title: "Call", unless: {in_segment: spared}}
  - branch:
      when: {not: {in_segment: spared}}
      then: [{task: {title: "Call again"}}]
examples:
  - {facts: FIRES, fires: true}
  - {facts: RESTS, fires: false}
"""


def written(when: str, fires: str, rests: str) -> str:
    return SAVE.replace("WHEN", when).replace("FIRES", fires).replace("RESTS", rests)


SEGMENT = written("{in_segment: low, mrr: {gt: 5}}", "{in_segment: [low, other], mrr: 10}", "{mrr: 10}")


async def fire(world: World) -> list[str]:
    before = {run.id for run in await world.runs()}
    await world.playbooks.fire_due(as_of=TODAY, now=world.clock())
    return sorted(run.customer_id for run in await world.runs() if run.id not in before)


async def test_whom_a_playbook_fires_for_is_what_the_segment_says_now(each_world: World, folder: Folder) -> None:
    folder.playbook(SEGMENT)
    async with entered(each_world.store, folder) as world:
        store, now = world.store, world.clock()
        await create_segment(store, ANN, Wanted(name="low", filter={"health": {"lt": 0.3}}, shared=True), now=now)
        await create_segment(store, ANN, Wanted(name="spared", filter={"search": "beta"}, shared=True), now=now)
        for id_, health in (("alpha", 0.1), ("beta", 0.2), ("gamma", 0.4)):
            await world.customer(id_, health=health, mrr=10.0)
        await world.customer("poor", health=0.1, mrr=1.0)
        assert await fire(world) == ["alpha", "beta"]
        wanted = Wanted(filter={"health": {"lt": 0.5}})
        await change_segment(store, ANN, "low", wanted, uses=uses(world.playbooks.definitions), now=now)
        assert await fire(world) == ["gamma"]
        await world.settle()
        titles = sorted((alert.customer_id, alert.title) for alert in await world.alerts())
        assert titles == [("alpha", "Call"), ("alpha", "Call again"), ("gamma", "Call"), ("gamma", "Call again")]


async def test_without_its_segment_nobody_fires_and_the_others_do(
    each_world: World, folder: Folder, caplog: pytest.LogCaptureFixture
) -> None:
    folder.playbook(written("{not: {in_segment: low}}", "{}", "{in_segment: low}"))
    folder.playbook(
        'playbook: other\nversion: 1\ntitle: Other\nwhen: {health: {lt: 0.5}}\ndo: [{task: {title: "Call"}}]\n'
        "examples: [{facts: {health: 0.1}, fires: true}, {facts: {health: 0.9}, fires: false}]\n",
        name="other",
    )
    async with entered(each_world.store, folder) as world:
        await world.customer("alpha", health=0.1)
        await fire(world)
        assert [run.playbook for run in await world.runs()] == ["other"]
        assert "nobody fires: save: in_segment: there is no saved segment 'low'" in caplog.text
        with pytest.raises(RefusedError, match="there is no saved segment 'low'"):
            await world.playbooks.fire("save", ["alpha"], by="ann", key="k", now=world.clock())


async def test_days_count_from_the_day_it_fires(each_world: World, folder: Folder) -> None:
    when = "{became_customer_on: {within: last 30 days}, search: acm}"
    folder.playbook(
        written(
            when,
            "{became_customer_on: today - 29 days, name: The ACME}",
            "{became_customer_on: today - 30 days, name: Acme}",
        ).replace("in_segment: spared", "health: {lt: 0}")
    )
    async with entered(each_world.store, folder) as world:
        for id_, days, name in (("in", 29, "Acme one"), ("out", 30, "Acme two"), ("other", 1, "Bolt")):
            await world.customer(id_, name=name, became_customer_on=TODAY - timedelta(days=days), health=0.5)
        assert await fire(world) == ["in"]


async def test_a_plan_replays_segments_as_they_are_and_days_as_of_each_day(each_world: World, folder: Folder) -> None:
    folder.playbook(
        written(
            "{in_segment: new, mrr: {between: [5, 20]}}", "{in_segment: new, mrr: 20}", "{in_segment: new, mrr: 21}"
        )
    )
    async with entered(each_world.store, folder) as world:
        store, now = world.store, world.clock()
        filter_ = {"became_customer_on": {"within": "last 3 days"}}
        await create_segment(store, ANN, Wanted(name="new", filter=filter_, shared=True), now=now)
        await create_segment(store, ANN, Wanted(name="spared", filter={"search": "x"}, shared=True), now=now)
        began = TODAY - timedelta(days=5)
        await world.customer("alpha", became_customer_on=began, health=0.5, mrr=10.0, day=TODAY - timedelta(days=6))
        for back in range(5, -1, -1):
            await world.scorecard("alpha", TODAY - timedelta(days=back), health=0.5, facts={"mrr": 10.0})
        playbook = world.playbooks.get("save")
        assert segments_used(playbook) == {"new", "spared"}
        plan = await rehearse(store, Asked(playbook=playbook, days=7, horizon=30), now=now)
        assert plan.new.firings == 1
        assert await fire(world) == []
