"""Custom fields: written by steps, read in conditions, templates and later steps, with every change kept."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from hub.errors import ConfigError
from hub.model.actions import RunState
from hub.playbooks.spec import from_definition
from hub.playbooks.telling import summary
from hub.store.custom import find_custom
from hub.store.tables import customer_field, field_change
from tests.fakes.clock import START
from tests.playbooks.conftest import TODAY, Folder, World, entered
from tests.playbooks.test_steps import HEAD, begin, noted, state

UPDATE = """
  - update: {save_stage: offered, health_was: "{{ health }}", tries: 2, why: "{{ custom.nothing or '' }}"}
  - branch:
      when: {custom.save_stage: {eq: offered}, custom.tries: {in: ["2"]}}
      then: [{task: {title: "Stage {{ custom.save_stage }} at {{ custom.health_was }}"}}]
  - wait: {until: {custom.save_stage: {in: [saved]}}, at_most: 9 days, else: [{stop: it never moved}]}
  - update: {save_stage: null, tries: "{{ custom.tries | int + 1 }}", off: false, unless: {health: {gt: 0.9}}}
"""
READS = """
playbook: reads
version: 1
title: Reads
when: {custom.save_stage: {starts_with: off}, health: {lt: 1}}
rest: 30 days
do: [{task: {title: "Saw {{ custom.save_stage }}"}}]
examples:
  - {facts: {custom.save_stage: offered, health: 0.4}, fires: true}
  - {facts: {health: 0.4}, fires: false}
"""


async def custom(world: World) -> dict[str, dict[str, str]]:
    async with world.store.reading() as connection:
        return await find_custom(connection, ["acme"])


async def test_what_a_step_writes_others_read(each_world: World, folder: Folder) -> None:
    folder.playbook(HEAD + UPDATE)
    folder.playbook(READS, "reads")
    async with entered(each_world.store, folder) as world:
        run_id = await begin(world)
        written = {"custom.save_stage": "offered", "custom.health_was": "40", "custom.tries": "2"}
        assert await custom(world) == {"acme": written}
        assert [each.title for each in await world.alerts()] == ["Stage offered at 40"]
        assert await state(world, run_id) == (RunState.WAITING, "condition")
        assert (await world.playbooks.fire_due(as_of=TODAY, now=world.clock())).fired == {"reads": 1}
        await world.settle(1)
        assert sorted(each.title for each in await world.alerts()) == ["Saw offered", "Stage offered at 40"]
        assert (await noted(world, run_id))[0] == (
            0,
            "update",
            "done",
            "save_stage becomes offered; health_was becomes 40; tries becomes 2; why is taken away",
        )
        async with world.store.reading() as connection:
            rows = (await connection.execute(select(customer_field).order_by(customer_field.c.name))).all()
            assert [(row.name, row.updated_by, row.run_id) for row in rows] == [
                (name, "playbook save", run_id) for name in ("health_was", "save_stage", "tries")
            ]


async def test_every_change_is_kept_and_what_stays_is_not_written(each_world: World, folder: Folder) -> None:
    folder.playbook(HEAD + "  - update: {stage: a, n: 1}\n  - update: {stage: b, n: 1}\n  - update: {stage: null}\n")
    async with entered(each_world.store, folder) as world:
        await begin(world)
        assert await custom(world) == {"acme": {"custom.n": "1"}}
        world.clock.now = START + timedelta(days=31)
        await world.playbooks.fire("save", ["acme"], by="ann@example.com", key="k", now=world.clock())
        await world.settle(1)
        async with world.store.reading() as connection:
            rows = (await connection.execute(select(field_change).order_by(field_change.c.id))).all()
        assert [(row.kind, row.record_id, row.field, row.before, row.after) for row in rows] == [
            ("customer", "acme", "custom.n", None, "1")
        ], "of one move only what it comes to"


async def test_a_wait_hears_of_another_playbooks_update(world: World, folder: Folder) -> None:
    folder.playbook(
        HEAD + "  - wait: {until: {custom.stage: {changes: true}}, at_most: 9 days}\n  - task: {title: Call}\n"
    )
    folder.playbook("playbook: sets\nversion: 1\ntitle: Sets\nby: hand\ndo: [{update: {stage: moved}}]\n", "sets")
    async with entered(world.store, folder) as waiting:
        run_id = await begin(waiting)
        assert await state(waiting, run_id) == (RunState.WAITING, "condition")
        await waiting.playbooks.fire("sets", ["acme"], by="ann@example.com", key="k", now=waiting.clock())
        await waiting.settle(1)
        waiting.clock.now = START + timedelta(hours=7)
        await waiting.settle(1)
        assert [each.title for each in await waiting.alerts()] == ["Call"]


def test_in_words_and_back(folder: Folder) -> None:
    folder.playbook(HEAD + UPDATE)
    playbook = folder.load().playbooks["save"]
    assert from_definition(playbook.definition) == playbook
    assert summary(playbook.steps[-1]) == "save_stage is taken away; tries becomes {{ custom.tries | int + 1 }}"


@pytest.mark.parametrize(
    ("step", "fault"),
    [
        ("update: {}", "do.0.update"),
        ("update: stage", "do.0.update"),
        ("update: {Stage: a}", "'Stage' must be small letters, digits and _, a letter first, at most 30"),
        ("update: {stage: true}", "stage: must be a text, a number or null, not True"),
        ("update: {stage: [a]}", "stage: must be a text, a number or null, not ['a']"),
        ("update: {stage: '{{ oops }}'}", "'oops' is undefined"),
        ("task: {title: x, unless: {custom.Stage: {eq: a}}}", "custom.Stage: is no fact"),
        ("task: {title: x, unless: {custom.stage: {gt: 1}}}", "is no operator for a text"),
    ],
)
def test_faults(folder: Folder, step: str, fault: str) -> None:
    folder.playbook(f"{HEAD}  - {step}\n")
    with pytest.raises(ConfigError) as caught:
        folder.load()
    assert fault in str(caught.value)
