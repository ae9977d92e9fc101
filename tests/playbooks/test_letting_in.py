"""A new playbook of low severity begins for a few customers a day; nothing else waits, and nobody is lost."""

from datetime import timedelta

from hub.playbooks.letting_in import A_DAY, NEW_FOR, foretell
from hub.store import Store
from tests.playbooks.conftest import TODAY, Folder, World, entered

ASK = """
playbook: ask
version: 1
title: Ask
severity: low
when: {health: {gte: 0.5}}
rest: 180 days
do:
  - slack: {channel: "#cs", template: note}
examples:
  - {facts: {health: 0.5}, fires: true}
  - {facts: {health: 0.4}, fires: false}
"""
SAY = ASK.replace("playbook: ask", "playbook: say").replace("severity: low", "severity: normal")
FEW = 5


IDS = [f"c{number:02}" for number in range(2 * A_DAY + FEW)]


async def look(world: World, day: int) -> dict[str, int]:
    return dict((await world.playbooks.fire_due(as_of=TODAY + timedelta(days=day), now=world.clock())).fired)


async def tomorrow(world: World, day: int) -> dict[str, int]:
    world.clock.move(days=1)
    for id_ in IDS:
        await world.scorecard(id_, TODAY + timedelta(days=day), health=0.6)
    return await look(world, day)


async def test_a_few_a_day_until_all_are_in(store: Store, folder: Folder) -> None:
    folder.playbook(ASK, "ask")
    folder.playbook(SAY, "say")
    async with entered(store, folder) as world:
        for id_ in IDS:
            await world.customer(id_, health=0.6)
        assert await look(world, 0) == {"ask": A_DAY, "say": len(IDS)}
        assert await look(world, 0) == {}, "a second look on the same day"
        assert await tomorrow(world, 1) == {"ask": A_DAY}
        assert await tomorrow(world, 2) == {"ask": FEW}
        assert sorted(run.customer_id for run in await world.runs() if run.playbook == "ask") == IDS


async def test_one_that_is_not_new_begins_for_all(sqlite_store: Store, folder: Folder) -> None:
    folder.playbook(ASK, "ask")
    async with entered(sqlite_store, folder) as world:
        await world.customer("first", health=0.6)
        assert await look(world, 0) == {"ask": 1}
        world.clock.move(days=NEW_FOR.days)
        for id_ in IDS:
            await world.customer(id_, health=0.6, day=TODAY + NEW_FOR)
        assert await look(world, NEW_FOR.days) == {"ask": len(IDS)}


async def test_what_is_let_in_is_told_before(sqlite_store: Store, folder: Folder) -> None:
    folder.playbook(ASK, "ask")
    folder.playbook(SAY, "say")
    async with entered(sqlite_store, folder) as world:

        async def told(name: str, waiting: int) -> str:
            async with world.store.reading() as connection:
                return str(await foretell(connection, world.playbooks.get(name), waiting=waiting, now=world.clock()))

        assert await told("say", 1_000) == "None"
        assert await told("ask", A_DAY) == "None"
        assert "25 meet its condition now: the last of them begin on day 3" in await told("ask", 25)
        assert "the last 60 of them begin together after that" in await told("ask", A_DAY * NEW_FOR.days + 60)
        await world.customer("first", health=0.6)
        assert await look(world, 0) == {"ask": 1, "say": 1}
        assert "with 1 runs" in await told("ask", 25)
        world.clock.move(days=NEW_FOR.days)
        assert await told("ask", 25) == "None"
