"""Two connections of one moment."""

import pytest
from sqlalchemy import text
from sqlalchemy.exc import OperationalError

from hub.store import Connection, Store, pairs

COUNT = text("SELECT count(*) FROM noted")


async def note(store: Store) -> None:
    async with store.transaction() as connection:
        await connection.execute(text("CREATE TABLE IF NOT EXISTS noted (x INTEGER)"))
        await connection.execute(text("INSERT INTO noted VALUES (1)"))


async def count(connection: Connection) -> int:
    return int((await connection.execute(COUNT)).scalar_one())


async def test_two_see_the_same_whatever_is_written_meanwhile(sqlite_store: Store) -> None:
    await note(sqlite_store)
    for seen in (1, 2):  # the connections are lent again
        async with sqlite_store.reading_twice() as (connection, beside):
            assert beside is not None
            await note(sqlite_store)
            assert [await count(connection), await count(beside)] == [seen, seen]


async def test_what_is_written_between_their_beginnings_is_seen_by_both(
    sqlite_store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    await note(sqlite_store)
    asked, version = 0, pairs._version

    async def disturbed(connection: Connection) -> int:
        nonlocal asked
        asked += 1
        if asked in (2, 3):  # before the first begins, and before the second does
            await note(sqlite_store)
        return await version(connection)

    monkeypatch.setattr(pairs, "_version", disturbed)
    async with sqlite_store.reading_twice() as (connection, beside):
        assert beside is not None
        assert asked == 6  # a second time, all of it
        assert [await count(connection), await count(beside)] == [3, 3]


async def test_where_somebody_always_writes_in_between_there_is_one(
    sqlite_store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    await note(sqlite_store)
    version = pairs._version

    async def disturbed(connection: Connection) -> int:
        await note(sqlite_store)
        return await version(connection)

    monkeypatch.setattr(pairs, "_version", disturbed)
    async with sqlite_store.reading_twice() as (connection, beside):
        assert beside is None
        seen = await count(connection)
        await note(sqlite_store)
        assert await count(connection) == seen, "it is in its transaction all the same"


async def test_who_comes_while_another_has_the_two_gets_one(sqlite_store: Store) -> None:
    async with sqlite_store.reading_twice() as (_, beside):
        assert beside is not None
        async with sqlite_store.reading_twice() as (connection, second):
            assert second is None
            assert (await connection.execute(text("SELECT 1"))).scalar_one() == 1
    async with sqlite_store.reading_twice() as (_, beside):
        assert beside is not None


async def test_nothing_can_be_written_with_either(sqlite_store: Store) -> None:
    await note(sqlite_store)
    async with sqlite_store.reading_twice() as both:
        for connection in both:
            assert connection is not None
            with pytest.raises(OperationalError, match="readonly database"):
                await connection.execute(text("INSERT INTO noted VALUES (1)"))
