"""Rest: nobody has a playbook twice within it, whoever fires it, and whichever processes do so at once."""

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import timedelta
from itertools import product
from pathlib import Path

import pytest
from sqlalchemy import update

from hub.playbooks import firing
from hub.playbooks.firing import Firing
from hub.playbooks.rows import run_row
from hub.store import Store, runs
from hub.store.tables import customer
from tests.fakes.clock import START
from tests.playbooks.conftest import TODAY, Folder, World, entered

ROUNDS = 12
PAIRS = (("hand", "hand"), ("hand", "due"), ("hand", "started"), ("due", "started"))
SAVE = """
playbook: save
version: 1
title: Save
when: {health: {lt: 0.5}}
rest: 30 days
do: [{task: {title: Call}}]
examples: [{facts: {health: 0.4}, fires: true}, {facts: {health: 0.5}, fires: false}]
"""
STARTER = """
playbook: starter
version: 1
title: Starts the other
by: hand
do: [{playbook: save}]
"""


async def fire(world: World, key: str, *ids: str, force: bool = False) -> list[Firing]:
    return await world.playbooks.fire("save", ids, by="ann@example.com", key=key, now=world.clock(), force=force)


async def of_save(world: World) -> list[tuple[str, str]]:
    return sorted((run.customer_id, run.cause) for run in await world.runs() if run.playbook == "save")


async def test_whatever_fires_it_first(each_world: World, folder: Folder) -> None:
    folder.playbook(SAVE)
    folder.playbook(STARTER, "starter")
    async with entered(each_world.store, folder) as world:
        await world.customer("acme", health=0.4)
        await world.customer("bolt", health=0.4)
        assert [each.state for each in await fire(world, "one", "acme")] == ["fired"]
        assert (await world.playbooks.fire_due(as_of=TODAY, now=world.clock())).fired == {"save": 1}
        (again,) = await fire(world, "two", "bolt")
        assert (again.state, again.rest_until) == ("resting", START + timedelta(days=30))
        await world.playbooks.fire("starter", ["bolt"], by="ann@example.com", key="three", now=world.clock())
        await world.settle(1)
        assert await of_save(world) == [("acme", "hand"), ("bolt", "scorecard")]
        world.clock.now = START + timedelta(days=30)
        assert [each.state for each in await fire(world, "four", "acme", "bolt")] == ["fired", "fired"]
        assert [each.state for each in await fire(world, "five", "acme", force=True)] == ["fired"]


async def test_two_steps_of_one_move_start_it_once(each_world: World, folder: Folder) -> None:
    folder.playbook(SAVE)
    folder.playbook(STARTER.replace("{playbook: save}", "{playbook: save}, {playbook: save}"), "starter")
    async with entered(each_world.store, folder) as world:
        await world.customer("acme", health=0.4)
        (firing,) = await world.playbooks.fire("starter", ["acme"], by="ann@example.com", key="k", now=world.clock())
        await world.settle(1)
        assert await of_save(world) == [("acme", "playbook")]
        assert [(each.state, each.detail) for each in await world.steps(str(firing.run_id))] == [
            ("done", "started save"),
            ("skipped", "save rests for this customer"),
        ]


async def test_a_run_that_did_not_begin_begins_no_rest(each_world: World, folder: Folder) -> None:
    """The same episode again, when the rest is over, is no run, and must not keep the next one away."""
    folder.playbook(SAVE)
    async with entered(each_world.store, folder) as world:
        await world.customer("acme", health=0.4)
        await fire(world, "one", "acme")
        await world.settle(1)
        world.clock.move(days=31)
        playbook, now = world.playbooks.get("save"), world.clock()
        row = run_row(playbook, "acme", {}, episode="hand:one", cause="hand", by=None, now=now)
        async with world.store.transaction() as connection:
            assert await runs.insert(connection, [row], rested_since=playbook.rested_since(now)) == []
        assert [each.state for each in await fire(world, "one", "acme")] == ["already_fired"]
        assert [each.state for each in await fire(world, "two", "acme")] == ["fired"]


async def test_runs_of_a_customer_count_for_whom_it_was_merged_into(each_world: World, folder: Folder) -> None:
    folder.playbook(SAVE)
    async with entered(each_world.store, folder) as world:
        for id_ in ("acme", "acme-old", "bolt"):
            await world.customer(id_, health=0.4)
        await fire(world, "one", "acme-old")
        await world.settle(1)
        async with world.store.transaction() as connection:
            await connection.execute(update(customer).where(customer.c.id == "acme-old").values(merged_into_id="acme"))
        assert (await world.playbooks.fire_due(as_of=TODAY, now=world.clock())).fired == {"save": 1}
        assert await of_save(world) == [("acme-old", "hand"), ("bolt", "scorecard")]
        assert [each.state for each in await fire(world, "two", "acme")] == ["resting"]


@asynccontextmanager
async def racer(url: str, folder: Path, name: str) -> AsyncIterator[asyncio.subprocess.Process]:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "tests.playbooks.racing",
        url,
        str(folder),
        name,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    try:
        assert await answer(process) == "ready"
        yield process
    finally:
        assert process.stdin is not None
        process.stdin.close()
        await process.wait()


async def answer(process: asyncio.subprocess.Process) -> str:
    assert process.stdout is not None
    return (await process.stdout.readline()).decode().strip()


@pytest.mark.long
async def test_two_processes_at_once(store: Store, store_url: str, folder: Folder) -> None:
    folder.playbook(SAVE)
    folder.playbook(STARTER, "starter")
    async with AsyncExitStack() as stack:
        world = await stack.enter_async_context(entered(store, folder))
        racers = [await stack.enter_async_context(racer(store_url, folder.root, name)) for name in ("one", "two")]
        for pair, number in product(PAIRS, range(ROUNDS)):
            id_ = f"{'-'.join(pair)}{number}"
            await world.customer(id_, health=0.4)
            for process, how in zip(racers, pair, strict=True):
                assert process.stdin is not None
                process.stdin.write(f"{how} {id_}\n".encode())
            told = [await answer(each) for each in racers]
            causes = [cause for customer_id, cause in await of_save(world) if customer_id == id_]
            assert len(causes) == 1, (pair, number, told)
            assert sum(map(int, told)) == (causes[0] in ("hand", "scorecard")), (pair, number, told)


async def test_of_many_some_begin_at_once(each_world: World, folder: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(firing, "AT_ONCE", 2)
    folder.playbook(SAVE)
    async with entered(each_world.store, folder) as world:
        for number in range(5):
            await world.customer(f"c{number}", health=0.4)
        assert (await world.playbooks.fire_due(as_of=TODAY, now=world.clock())).fired == {"save": 5}
        assert await of_save(world) == [(f"c{number}", "scorecard") for number in range(5)]
        assert (await world.playbooks.fire_due(as_of=TODAY, now=world.clock())).fired.get("save", 0) == 0
