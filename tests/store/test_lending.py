"""Connections that stay at hand between two pieces of work."""

import asyncio
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine

from hub.store.lending import Lent


async def temporary(connection: AsyncConnection) -> int:
    """How many temporary tables it has: they are the connection's own, and outlive its transactions."""
    return int((await connection.execute(text("SELECT count(*) FROM sqlite_temp_master"))).scalar_one())


async def marked(lent: Lent) -> None:
    async with lent.connection() as connection:
        await connection.execute(text("CREATE TEMP TABLE mark (x)"))
        await connection.commit()


async def test_the_same_connection_is_lent_again_and_nothing_undone_is_left_in_it(tmp_path: Path) -> None:
    lent = Lent(create_async_engine(f"sqlite+aiosqlite:///{tmp_path}/x.db", pool_size=1, max_overflow=0))
    async with lent.connection() as connection:
        await connection.execute(text("CREATE TABLE t (x)"))
        await connection.commit()
    await marked(lent)
    async with lent.connection() as connection:
        assert not connection.in_transaction()
        assert await temporary(connection) == 1
        await connection.execute(text("INSERT INTO t VALUES (1)"))
    async with lent.connection() as connection:
        assert (await connection.execute(text("SELECT count(*) FROM t"))).scalar_one() == 0
    await lent.close()


async def test_who_waits_gets_what_comes_back_in_turn(tmp_path: Path) -> None:
    lent = Lent(
        create_async_engine(f"sqlite+aiosqlite:///{tmp_path}/x.db", pool_size=2, max_overflow=0, pool_timeout=10)
    )
    under_way = most = done = 0

    async def work() -> None:
        nonlocal under_way, most, done
        async with lent.connection() as connection:
            under_way += 1
            most = max(most, under_way)
            await connection.execute(text("SELECT 1"))
            under_way -= 1
        done += 1

    for _ in range(2):
        await asyncio.gather(*(work() for _ in range(20)))
    assert (most, done) == (2, 40)
    await lent.close()


async def test_what_failed_or_was_cancelled_is_not_lent_again(tmp_path: Path) -> None:
    lent = Lent(
        create_async_engine(f"sqlite+aiosqlite:///{tmp_path}/x.db", pool_size=1, max_overflow=0, pool_timeout=10)
    )
    given: list[AsyncConnection] = []
    has_one = asyncio.Event()

    async def hold() -> None:
        async with lent.connection() as connection:
            given.append(connection)
            has_one.set()
            await asyncio.Event().wait()

    async def fail() -> None:
        async with lent.connection() as connection:
            given.append(connection)
            raise ZeroDivisionError

    holding = asyncio.create_task(hold())
    await has_one.wait()
    holding.cancel()
    with pytest.raises(asyncio.CancelledError):
        await holding
    with pytest.raises(ZeroDivisionError):
        await fail()
    async with lent.connection() as connection:
        assert len({id(each) for each in (*given, connection)}) == 3
        assert all(each.closed for each in given)
    await lent.close()
