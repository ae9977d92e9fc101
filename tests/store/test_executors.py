"""The beat and the one leader, on both databases."""

import asyncio
from datetime import UTC, datetime, timedelta

from hub.store import Store, executors

NOW = datetime(2026, 11, 22, 10, 0, tzinfo=UTC)
SOON = NOW + timedelta(seconds=15)


async def beat(store: Store, id_: str, now: datetime = NOW) -> None:
    async with store.transaction() as connection:
        await executors.beat(connection, id=id_, started_at=now, now=now)


async def lead(store: Store, id_: str, now: datetime = NOW) -> bool:
    async with store.transaction() as connection:
        return await executors.lead(connection, id=id_, now=now, until=now + timedelta(seconds=15))


async def beats(store: Store) -> dict[str, datetime]:
    async with store.reading() as connection:
        return await executors.find_beats(connection)


async def test_a_beat_is_renewed_and_comes_back_after_it_was_removed(store: Store) -> None:
    await beat(store, "a")
    await beat(store, "a", SOON)
    assert await beats(store) == {"a": SOON}
    async with store.transaction() as connection:
        await executors.remove(connection, ["a", "unknown"])
    assert await beats(store) == {}
    await beat(store, "a", SOON)
    assert await beats(store) == {"a": SOON}


async def test_only_who_is_silent_since_is_removed(store: Store) -> None:
    await beat(store, "silent")
    await beat(store, "back", SOON)
    async with store.transaction() as connection:
        await executors.remove(connection, ["silent", "back"], beaten_by=NOW)
    assert await beats(store) == {"back": SOON}


async def test_one_leads_until_its_time_is_over_or_it_is_gone(store: Store) -> None:
    await beat(store, "a")
    await beat(store, "b")
    assert await lead(store, "a")
    assert not await lead(store, "b")
    assert await lead(store, "a", NOW + timedelta(seconds=10))
    assert not await lead(store, "b", NOW + timedelta(seconds=24))
    assert await lead(store, "b", NOW + timedelta(seconds=25))
    assert not await lead(store, "a", NOW + timedelta(seconds=26))
    async with store.transaction() as connection:
        await executors.remove(connection, ["b"])
    assert await lead(store, "a", NOW + timedelta(seconds=27))


async def test_of_many_who_ask_at_once_one_leads(store: Store) -> None:
    async def arrive(id_: str) -> bool:
        await beat(store, id_)
        return await lead(store, id_)

    assert sum(await asyncio.gather(*(arrive(f"e{n}") for n in range(8)))) == 1
