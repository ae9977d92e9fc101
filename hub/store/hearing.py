"""An ear on the database: it wakes whoever waits when events were committed, by this process or another.

    async with Ear.open(store) as ear:
        await ear.wait(timeout=2)          until something may be new, or the time is over

PostgreSQL tells by NOTIFY, on a connection of the ear's own; when that connection is lost, waiting takes its whole time, and
each wait tries to have it again: what is missed is then found by looking. SQLite is asked whether another connection has
committed (`PRAGMA data_version`, a look at one number in shared memory), which is true of this process's own writer, too.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any, Protocol

from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection

from hub.store.events import CHANNEL
from hub.store.store import Store

LOOK_EVERY = 0.1
"""Seconds between two looks at SQLite."""


class Ear(Protocol):
    """Hears that something was committed."""

    async def wait(self, *, timeout: float) -> None:
        """Return when there may be something new, at the latest after `timeout` seconds."""


@asynccontextmanager
async def listening(store: Store) -> AsyncIterator[Ear]:
    """An ear, with a connection of its own for as long as the block lasts."""
    if store.dialect == "sqlite":
        async with store.alone() as connection:
            yield _SqliteEar(connection)
        return
    ear = _PostgresqlEar(store)
    try:
        yield ear
    finally:
        await ear.close()


class _SqliteEar:
    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection
        self._version = -1

    async def wait(self, *, timeout: float) -> None:
        loop = asyncio.get_running_loop()
        until = loop.time() + timeout
        while True:
            version = (await self._connection.exec_driver_sql("PRAGMA data_version")).scalar_one()
            if version != self._version:
                self._version = version
                return
            left = until - loop.time()
            if left <= 0:
                return
            await asyncio.sleep(min(LOOK_EVERY, left))


class _PostgresqlEar:
    def __init__(self, store: Store) -> None:
        self._store = store
        self._told = asyncio.Event()
        self._lost = asyncio.Event()
        self._stack: AsyncExitStack | None = None

    async def wait(self, *, timeout: float) -> None:
        if self._stack is None or self._lost.is_set():
            await self._connect()
        try:
            await asyncio.wait_for(self._told.wait(), timeout)
        except TimeoutError:
            return
        self._told.clear()

    async def _connect(self) -> None:
        await self.close()
        stack = AsyncExitStack()
        try:
            connection = await stack.enter_async_context(self._store.alone())
            raw: Any = (await connection.get_raw_connection()).driver_connection
            self._lost.clear()
            raw.add_termination_listener(lambda *_: self._lost.set())
            await raw.add_listener(CHANNEL, lambda *_: self._told.set())
        except (DBAPIError, OSError):  # it is asked for again with the next wait, and until then by looking
            await stack.aclose()
            return
        self._stack = stack
        self._told.set()  # what was said before there was anybody to listen

    async def close(self) -> None:
        stack, self._stack = self._stack, None
        if stack is not None:
            try:
                await stack.aclose()
            except (DBAPIError, OSError):  # it was lost already
                return
