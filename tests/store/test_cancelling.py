"""A statement that nobody waits for any more has ended in the database, not only in Python."""

import asyncio
import threading
import time

import pytest
from sqlalchemy import text

from hub.store import Store

ENDLESS = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {most}) SELECT count(*) FROM n"
SECONDS = 60
"""How long the statement would go on by itself, at least."""


def slow(store: Store) -> str:
    return f"SELECT pg_sleep({SECONDS})" if store.dialect == "postgresql" else ENDLESS.format(most=10**11)


async def running(store: Store) -> list[str]:
    """The statements of others that PostgreSQL works on at this moment."""
    async with store.reading() as connection:
        found = await connection.execute(
            text(
                "SELECT query FROM pg_stat_activity WHERE datname = current_database() AND state = 'active'"
                " AND pid <> pg_backend_pid() AND query LIKE '%pg_sleep%'"
            )
        )
        return list(found.scalars())


@pytest.mark.parametrize("way", ["reading", "transaction"])
async def test_a_cancelled_statement_ends(store: Store, way: str) -> None:
    opened = asyncio.Event()
    threads: list[threading.Thread] = []

    async def work() -> None:
        async with getattr(store, way)() as connection:
            await connection.execute(text("SELECT 1"))
            if store.dialect == "sqlite":
                threads.append((await connection.get_raw_connection()).driver_connection._thread)
            opened.set()
            await connection.execute(text(slow(store)))

    task = asyncio.create_task(work())
    await opened.wait()
    if store.dialect == "postgresql":
        while not await running(store):  # noqa: ASYNC110 - another process, which tells nobody
            await asyncio.sleep(0.01)
    else:
        await asyncio.sleep(0.1)
    begun = time.monotonic()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    # SQLite works in a thread of the connection's own, which ends with the connection
    while await running(store) if store.dialect == "postgresql" else threads[0].is_alive():
        assert time.monotonic() - begun < SECONDS / 2, "the statement goes on"
        await asyncio.sleep(0.01)
    # and the pool is whole: every connection of it can be used
    async with asyncio.timeout(SECONDS / 2), asyncio.TaskGroup() as group:
        for _ in range(10):
            group.create_task(one(store))


async def one(store: Store) -> None:
    async with store.reading() as connection:
        assert (await connection.execute(text("SELECT 1"))).scalar_one() == 1
    async with store.transaction() as connection:
        await connection.execute(text("SELECT 1"))
