"""Two transactions in each other's way: one of them is undone, and its caller is told that it may be done again."""

import asyncio
import sqlite3

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from hub.errors import TransientError
from hub.store import Store


async def test_of_two_that_wait_for_each_other_one_may_try_again(store: Store) -> None:
    if store.dialect == "sqlite":
        pytest.skip("SQLite has one writer at a time")
    async with store.transaction() as connection:
        await connection.execute(text("CREATE TABLE pair (id INTEGER PRIMARY KEY, n INTEGER NOT NULL)"))
        await connection.execute(text("INSERT INTO pair VALUES (1, 0), (2, 0)"))
    both = asyncio.Barrier(2)

    async def add(first: int, then: int) -> bool:
        try:
            async with store.transaction() as connection:
                await connection.execute(text("SET LOCAL deadlock_timeout = '50ms'"))
                for id_ in (first, then):
                    await connection.execute(text("UPDATE pair SET n = n + 1 WHERE id = :id"), {"id": id_})
                    if id_ == first:
                        await both.wait()
        except TransientError:
            return False
        return True

    assert sorted(await asyncio.gather(add(1, 2), add(2, 1))) == [False, True]
    async with store.reading() as connection:
        assert list((await connection.execute(text("SELECT n FROM pair"))).scalars()) == [1, 1]


async def test_a_lock_that_nobody_lets_go_of(sqlite_store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hub.store.sqlite_connections.BUSY_TIMEOUT_MS", 10)
    holder = sqlite3.connect(str(sqlite_store.url.database), isolation_level=None)
    try:
        holder.execute("BEGIN IMMEDIATE")
        with pytest.raises(TransientError, match="nothing was changed"):
            async with sqlite_store.transaction() as connection:
                await connection.execute(text("CREATE TABLE t (id INTEGER PRIMARY KEY)"))
        holder.execute("ROLLBACK")
    finally:
        holder.close()
    async with sqlite_store.transaction() as connection:
        await connection.execute(text("CREATE TABLE t (id INTEGER PRIMARY KEY)"))
    with pytest.raises(IntegrityError):  # what is wrong by itself stays what it is
        await insert_twice(sqlite_store)


async def insert_twice(store: Store) -> None:
    async with store.transaction() as connection:
        await connection.execute(text("INSERT INTO t VALUES (1), (1)"))
