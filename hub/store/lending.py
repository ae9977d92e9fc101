"""Connections that stay at hand between two pieces of work: to take one from a pool and put it back costs more than most of
our statements.

    async with lent.connection() as connection: …       as it came from the pool, in no transaction

Where somebody waits for the pool, what comes back goes there. What failed, or was cancelled, is never lent again.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from hub.store.one_hop import Direct, Hops


class Lent:
    """Of one engine; all its connections are taken here, for those at hand are missing in its pool.

    hops  of an engine that `in_one_hop` prepared: its connections are then `Direct`
    """

    def __init__(self, engine: AsyncEngine, hops: Hops | None = None) -> None:
        self._engine, self._hops = engine, hops
        self._at_hand: list[AsyncConnection] = []
        self._waiting = 0

    @asynccontextmanager
    async def connection(self) -> AsyncIterator[AsyncConnection]:
        connection = self._at_hand.pop() if self._at_hand else await self._from_pool()
        try:
            yield connection
            if connection.in_transaction():
                await connection.rollback()
        except BaseException:  # a cancelled one, too
            await asyncio.shield(connection.close())
            raise
        if self._waiting or connection.closed or connection.invalidated:
            await connection.close()
        else:
            self._at_hand.append(connection)

    async def _from_pool(self) -> AsyncConnection:
        self._waiting += 1
        try:
            return await (self._engine.connect() if self._hops is None else Direct(self._engine, self._hops))
        finally:
            self._waiting -= 1

    async def close(self) -> None:
        """All of them, and the engine."""
        while self._at_hand:
            await self._at_hand.pop().close()
        await self._engine.dispose()
