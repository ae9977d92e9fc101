"""Versions: a run finishes on the one it began with, unless the new file takes the running ones over."""

from datetime import timedelta

from sqlalchemy import select

from hub.model.actions import RunState
from hub.store.tables import playbook_definition
from tests.fakes.clock import START
from tests.playbooks.conftest import SAVE, TODAY, Folder, World, entered

LATER = SAVE.replace("version: 1", "version: 2").replace("Call {{ customer.name }}", "Visit {{ customer.name }}")
WAITING = SAVE.replace("wait: 3 days", "approve: {ask: 'Go?', within: 9 days}")


async def begun(world: World) -> None:
    await world.customer("acme", health=0.4)
    await world.playbooks.fire_due(as_of=TODAY, now=world.clock())
    await world.settle(3)


async def tasks(world: World) -> list[str]:
    return sorted(each.title for each in await world.alerts())


async def test_every_version_is_kept_once(each_world: World, folder: Folder) -> None:
    for number in range(3):
        await each_world.customer(f"c{number}", health=0.4)
    await each_world.playbooks.fire_due(as_of=TODAY, now=each_world.clock())
    folder.playbook(LATER)
    async with entered(each_world.store, folder) as world:
        await begun(world)
        async with world.store.reading() as connection:
            rows = (await connection.execute(select(playbook_definition))).all()
    assert sorted((row.playbook, row.version) for row in rows) == [("save", 1), ("save", 2)]
    assert {run.definition["version"] for run in await each_world.runs()} == {1, 2}


async def test_running_runs_go_over_where_the_file_says_so(each_world: World, folder: Folder) -> None:
    await begun(each_world)
    folder.playbook(LATER + "replaces: running\n")
    async with entered(each_world.store, folder) as world:
        world.clock.now = START + timedelta(days=3)
        await world.playbooks.sweep(now=world.clock())
        await world.settle(3)
        assert await tasks(world) == ["Visit Acme"]
        (run,) = await world.runs()
        assert (run.state, run.playbook_version) == (RunState.DONE, 2)
        assert (world.slack.received, world.smtp.taken) == ([], []), "what was done is not done again"


async def test_a_run_whose_place_is_gone_keeps_its_version(each_world: World, folder: Folder) -> None:
    folder.playbook(WAITING)
    async with entered(each_world.store, folder) as world:
        await begun(world)
        (run,) = await world.runs()
        assert run.awaits == "approval"
    folder.playbook(LATER.replace("  - wait: 3 days\n", "") + "replaces: running\n")
    async with entered(each_world.store, folder) as world:
        await world.playbooks.sweep(now=world.clock())
        await world.playbooks.approve(run.id, approved=True, by="ann@example.com")
        await world.settle(3)
        assert await tasks(world) == ["Call Acme", "Go?"]
        assert [(each.state, each.playbook_version) for each in await world.runs()] == [(RunState.DONE, 1)]


async def test_an_answer_whose_process_died_is_heard_by_the_sweep(each_world: World, folder: Folder) -> None:
    folder.playbook(WAITING)
    async with entered(each_world.store, folder) as world:
        await begun(world)
        (run,) = await world.runs()
        await world.playbooks.approve(run.id, approved=True, by="ann@example.com")
        world.durable.waiting.clear()  # it died before it asked for the advance
        assert (await world.playbooks.sweep(now=world.clock())).woken == 1
        await world.settle(2)
        assert await tasks(world) == ["Call Acme", "Go?"]
        assert (await world.playbooks.sweep(now=world.clock())).woken == 0
