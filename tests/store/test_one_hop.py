"""SQLite's statements in one trip to their thread: rows, counts and errors are what they are with the driver's own cursor."""

import asyncio
from collections import Counter
from collections.abc import Callable
from typing import Any

import aiosqlite
import pytest
from sqlalchemy import TextClause, text
from sqlalchemy.exc import IntegrityError, OperationalError

from hub.store import Store


@pytest.fixture
def trips(monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    counted: Counter[str] = Counter()
    before = aiosqlite.Connection._execute

    async def execute(self: aiosqlite.Connection, work: Callable[..., Any], *arguments: Any, **named: Any) -> Any:
        counted["all"] += 1
        return await before(self, work, *arguments, **named)

    monkeypatch.setattr(aiosqlite.Connection, "_execute", execute)
    return counted


async def test_a_statement_is_one_trip(sqlite_store: Store, trips: Counter[str]) -> None:
    async with sqlite_store.reading() as connection:
        await connection.execute(text("SELECT 1"))  # connects, too
    trips.clear()
    async with sqlite_store.reading() as connection:
        rows = (
            await connection.execute(text("SELECT 1 AS a, :b AS b UNION SELECT 2, 'z' ORDER BY 1"), {"b": "y"})
        ).all()
        assert trips["all"] == 1, "the transaction begins on the way"
    assert [tuple(row) for row in rows] == [(1, "y"), (2, "z")]
    assert rows[0]._fields == ("a", "b")


async def test_counts_returned_rows_and_errors(sqlite_store: Store) -> None:
    async with sqlite_store.transaction() as connection:
        await connection.execute(text("CREATE TABLE t (id INTEGER PRIMARY KEY, a INTEGER NOT NULL)"))
        insert = text("INSERT INTO t (id, a) VALUES (:id, :a)")
        many = await connection.execute(insert, [{"id": number, "a": 0} for number in range(5)])
        assert many.rowcount == 5
        assert (await connection.execute(text("UPDATE t SET a = 1 WHERE id < 3"))).rowcount == 3
        returned = await connection.execute(text("DELETE FROM t WHERE a = 1 RETURNING id"))
        assert sorted(returned.scalars()) == [0, 1, 2]
        with pytest.raises(IntegrityError):
            await connection.execute(insert, {"id": 3, "a": 0})
        with pytest.raises(OperationalError):
            await connection.execute(text("SELECT * FROM nowhere"))
        assert (await connection.execute(text("SELECT count(*) FROM t"))).scalar() == 2
        async with connection.stream(text("SELECT id FROM t ORDER BY id")) as stream:
            assert [row.id async for row in stream] == [3, 4]


async def test_a_connection_goes_on_after_a_statement_that_nobody_waits_for(sqlite_store: Store) -> None:
    slow = text(
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 30000000) SELECT count(*) FROM n"
    )

    async def ask() -> None:
        async with sqlite_store.reading() as connection:
            await connection.execute(slow)

    task = asyncio.create_task(ask())
    await asyncio.sleep(0.05)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    async with sqlite_store.reading() as connection:
        assert (await connection.execute(text("SELECT 1"))).scalar() == 1


async def test_a_transaction_without_a_statement_never_begins(sqlite_store: Store, trips: Counter[str]) -> None:
    async with sqlite_store.transaction() as connection:
        await connection.execute(text("CREATE TABLE t (id INTEGER PRIMARY KEY)"))
    async with sqlite_store.reading() as connection:
        await connection.execute(text("SELECT 1"))
    trips.clear()
    async with sqlite_store.transaction(), sqlite_store.reading():
        pass
    assert trips["all"] == 0
    async with sqlite_store.reading() as connection, connection.stream(text("SELECT 1 AS one")) as stream:
        assert [row.one async for row in stream] == [1]


async def test_rows_are_streamed_by_itself_too(sqlite_store: Store) -> None:
    numbers = text("WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 5) SELECT i FROM n")
    with sqlite_store.by_itself():
        async with sqlite_store.reading() as connection, connection.stream(numbers) as stream:
            assert [row.i async for row in stream] == [1, 2, 3, 4, 5]


async def twice(store: Store, statement: TextClause) -> None:
    async with store.transaction() as connection:
        await connection.execute(statement)
        await connection.execute(statement)


async def test_by_itself_there_are_no_trips_and_everything_is_as_ever(sqlite_store: Store, trips: Counter[str]) -> None:
    async with sqlite_store.transaction() as connection:
        await connection.execute(text("CREATE TABLE t (id INTEGER PRIMARY KEY)"))
    async with sqlite_store.reading() as connection:
        await connection.execute(text("SELECT 1"))
    trips.clear()
    with sqlite_store.by_itself():
        async with sqlite_store.transaction() as connection:
            await connection.execute(text("INSERT INTO t VALUES (:id)"), [{"id": 1}, {"id": 2}])
        with pytest.raises(IntegrityError):
            await twice(sqlite_store, text("INSERT INTO t VALUES (3)"))
        async with sqlite_store.reading() as connection:
            assert list((await connection.execute(text("SELECT id FROM t ORDER BY id"))).scalars()) == [1, 2]
            assert (await connection.exec_driver_sql("SELECT max(id) FROM t")).scalar_one() == 2
            with pytest.raises(OperationalError):
                await connection.execute(text("SELECT * FROM nowhere"))
        assert trips["all"] == 0
    async with sqlite_store.reading() as connection:
        assert (await connection.execute(text("SELECT count(*) FROM t"))).scalar() == 2
    assert trips["all"] == 2
