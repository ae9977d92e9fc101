"""Adding rows to the end of a chain, with as little as possible between: by it reads of personal data are noted.

    done = await store.extending.extend(chain, make)      make(head) -> the parameters of the new rows; head: None for none

One transaction reads the newest row, `make` says which rows follow it, and they are committed when it returns. Whoever else
extends the chain, in this process or another, waits: on SQLite for the turn of the only writer there is, on PostgreSQL for the
chain's lock.

On SQLite this is done in the event loop, because writing some rows takes less time than going to a thread and back: nothing is
waited for there, neither the writer's turn (False then, and nothing was done: go by a transaction of the store) nor a
checkpoint, and now and then it is refused as well, so that the WAL is checkpointed where that holds up nobody. On PostgreSQL it
has a connection of its own.
"""

import asyncio
import contextlib
import sqlite3
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import asyncpg  # type: ignore[import-untyped]  # it ships no types
from sqlalchemy import URL

from hub.store.raw import dsn_of

CHECKPOINT_EVERY = 1_000
_LOST = (asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError, OSError)
_BUSY = frozenset({sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED})


@dataclass(frozen=True, slots=True)
class Chain:
    """newest: the statement that reads the newest row; added: the one that adds a row; lock: of PostgreSQL's advisory locks."""

    newest: str
    added: str
    lock: int


Make = Callable[[Sequence[Any] | None], Sequence[Sequence[Any]]]


class Extending(Protocol):
    """A way to extend chains."""

    async def extend(self, chain: Chain, make: Make) -> bool:
        """True when it is committed; False where it is to be done by a transaction of the store, and nothing was done."""
        ...

    async def close(self) -> None: ...


class ExtendingSqlite:
    """A connection in the event loop, opened when first needed."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._connection: sqlite3.Connection | None = None
        self._left = CHECKPOINT_EVERY

    async def extend(self, chain: Chain, make: Make) -> bool:
        if self._left == 0:
            self._left = CHECKPOINT_EVERY
            return False
        connection = self._connection or self._connect()
        try:
            connection.execute("BEGIN IMMEDIATE")
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF in _BUSY:
                return False
            raise
        try:
            head = connection.execute(chain.newest).fetchone()
            connection.executemany(chain.added, make(head))
            connection.execute("COMMIT")
        except BaseException:  # whatever it is: no transaction is left open
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            raise
        self._left -= 1
        return True

    def _connect(self) -> sqlite3.Connection:
        made = self._connection = sqlite3.connect(self._path, isolation_level=None)
        for pragma in ("busy_timeout = 0", "synchronous = NORMAL", "foreign_keys = ON", "wal_autocheckpoint = 0"):
            made.execute(f"PRAGMA {pragma}")
        return made

    async def close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None


class ExtendingPostgresql:
    """A connection of its own; where that was lost while nobody needed it, there is a new one."""

    def __init__(self, url: URL) -> None:
        self._dsn = dsn_of(url)
        self._connection: Any = None
        self._turn = asyncio.Lock()

    async def extend(self, chain: Chain, make: Make) -> bool:
        async with self._turn:
            try:
                connection = await self._begun(chain)
                head = await connection.fetchrow(chain.newest)
                await connection.executemany(chain.added, make(head))
                await connection.execute("COMMIT")
            except BaseException:  # a cancelled one, too: what was not committed goes with its connection
                self._drop()
                raise
        return True

    async def _begun(self, chain: Chain) -> Any:
        begin = f"BEGIN; SELECT pg_advisory_xact_lock({chain.lock})"
        if self._connection is not None:
            try:
                await self._connection.execute(begin)
            except _LOST:  # nothing was begun
                self._drop()
            else:
                return self._connection
        self._connection = await asyncpg.connect(self._dsn, server_settings={"timezone": "UTC", "jit": "off"})
        await self._connection.execute(begin)
        return self._connection

    def _drop(self) -> None:
        if self._connection is not None:
            self._connection.terminate()
            self._connection = None

    async def close(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            with contextlib.suppress(*_LOST):
                await connection.close()
