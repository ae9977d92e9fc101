"""Two connections to SQLite of one moment, so that what takes long is asked on both at once.

    async with pair.reading() as (connection, beside): …      None for `beside` where two are not to be had

SQLite answers in a thread and lets go of the interpreter meanwhile, so two statements take two processors. Whether the two
see the same is known by SQLite's own count of changes (`PRAGMA data_version`): a connection sees it move when anybody else has
committed. The second one looks at it before the first begins and again when it begins itself.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from hub.store.lending import Lent

TRIES = 3
"""Somebody who commits again and again is not waited for."""


class Pair:
    """Of an engine whose pool holds two. Its statements go through their threads whatever others do (`Store.by_itself`)."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._lent = Lent(engine)
        self._taken = False

    @property
    def is_free(self) -> bool:
        return not self._taken

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[tuple[AsyncConnection, AsyncConnection | None]]:
        """For one at a time, while `is_free`."""
        assert not self._taken, "whoever comes second would wait for the one who waits for him"
        self._taken = True
        try:
            async with self._lent.connection() as first, self._lent.connection() as second:
                yield first, second if await _of_one_moment(first, second) else None
        finally:
            self._taken = False

    async def close(self) -> None:
        await self._lent.close()


async def _of_one_moment(first: AsyncConnection, second: AsyncConnection) -> bool:
    """Begin to read on both; False where somebody committed in between each time. The first has begun then all the same."""
    for left in reversed(range(TRIES)):
        before = await _version(second)
        await second.rollback()
        await _version(first)
        if await _version(second) == before:
            return True
        if left:
            await first.rollback()
        await second.rollback()
    return False


async def _version(connection: AsyncConnection) -> int:
    """Its transaction has begun with this, and sees from here on what this saw."""
    return int((await connection.exec_driver_sql("PRAGMA data_version")).scalar_one())
