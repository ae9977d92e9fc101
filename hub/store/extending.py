"""Adding rows to the end of a chain, with as little as possible between: by it reads of personal data are noted.

    done = await store.extending.extend(chain, make)      make(head) -> the parameters of the new rows; head: None for none

One transaction reads the newest row, `make` says which rows follow it, and they are committed when it returns. Whoever else
extends the chain, in this process or another, waits: on SQLite for the turn of the only writer there is, on PostgreSQL for the
chain's lock.

On SQLite this is done in the event loop, because writing some rows takes less time than going to a thread and back: nothing is
waited for there, neither the writer's turn (False then, and nothing was done: go by a transaction of the store) nor a
checkpoint, and now and then it is refused as well, so that the WAL is checkpointed where that holds up nobody.

On PostgreSQL it has a connection of its own, and goes on from the newest row it added itself: one statement takes the lock,
looks whether that is still the newest, and adds, in a single round trip. Where it is not, or another's row came between,
nothing was added, and the newest is read under the lock.
"""

import asyncio
import contextlib
import sqlite3
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import asyncpg  # type: ignore[import-untyped]  # it ships no types
import orjson
from sqlalchemy import URL, Dialect, Table

from hub.store.raw_postgresql import dsn_of

CHECKPOINT_EVERY = 1_000
_LOST = (asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError, OSError)
_BUSY = frozenset({sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED})


@dataclass(frozen=True, slots=True)
class Chain:
    """What a chain is written by.

    newest   the statement that reads the newest row's number and digest
    added    the one that adds a row
    lock     of PostgreSQL's advisory locks
    several  PostgreSQL's that takes the lock and adds rows if the newest has a number and a digest (`several`)
    names    of a row's parameters
    head     where number and digest stand among these; rows of one number cannot be added twice
    """

    newest: str
    added: str
    lock: int
    several: str
    names: tuple[str, ...]
    head: tuple[int, int]


Make = Callable[[Sequence[Any] | None], Sequence[Sequence[Any]]]


def several(table: Table, names: Sequence[str], lock: int, dialect: Dialect) -> str:
    """PostgreSQL's statement of a chain: parameters are the rows as JSON, which costs us half of what a list for each column
    does, then the newest row's number and digest.

    Texts are cast to no length, or they would be cut to it.
    """
    types = [table.c[name].type.compile(dialect=dialect) for name in names]
    given = ", ".join(f"{name} {_given_as(type_)}" for name, type_ in zip(names, types, strict=True))
    chosen = ", ".join(
        f"CAST(t.{name} AS {type_})" if type_.startswith("JSON") else f"t.{name}"
        for name, type_ in zip(names, types, strict=True)
    )
    columns = ", ".join(names)
    newest = f"SELECT number, digest FROM {table.name} ORDER BY number DESC LIMIT 1"  # noqa: S608 - of our own names
    held = f"SELECT pg_advisory_xact_lock({lock})"
    return (
        f"WITH held AS MATERIALIZED ({held}) INSERT INTO {table.name} ({columns}) "  # noqa: S608 - of our own names
        f"SELECT {chosen} FROM held, json_to_recordset($1::TEXT::JSON) AS t({given}) "
        f"WHERE EXISTS (SELECT 1 FROM ({newest}) AS newest WHERE number = $2 AND digest = $3)"
    )


def _given_as(type_: str) -> str:
    return "TEXT" if type_.startswith(("VARCHAR", "TEXT", "JSON")) else type_


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
        self._heads: dict[Chain, Sequence[Any]] = {}

    async def extend(self, chain: Chain, make: Make) -> bool:
        async with self._turn:
            try:
                known = self._heads.pop(chain, None)
                if self._connection is None or known is None or not await self._went_on(chain, known, make(known)):
                    await self._add(chain, make)
            except BaseException:  # a cancelled one, too: what was not committed goes with its connection
                self._drop()
                raise
        return True

    async def _went_on(self, chain: Chain, known: Sequence[Any], rows: Sequence[Sequence[Any]]) -> bool:
        """Whether the rows were added after the head that is known. False: none of them were."""
        if not rows:
            return False
        head = _head(chain, rows)
        try:
            told = orjson.dumps([dict(zip(chain.names, row, strict=True)) for row in rows]).decode()
            done = await self._connection.execute(chain.several, told, *known)
        except asyncpg.UniqueViolationError:  # another's came between
            return False
        except _LOST as error:
            self._drop()
            found = await self._settled(chain)
            if found == head:
                return True
            if found is not None and found[0] >= rows[0][chain.head[0]]:  # whose they are cannot be told
                raise error
            return False
        if done != f"INSERT 0 {len(rows)}":
            return False
        self._heads[chain] = head
        return True

    async def _settled(self, chain: Chain) -> tuple[Any, ...] | None:
        """The newest row's, when whoever was adding on a connection that is lost has done so or never will."""
        connection = await self._begun(chain)
        found = await connection.fetchrow(chain.newest)
        await connection.execute("COMMIT")
        return None if found is None else tuple(found)

    async def _add(self, chain: Chain, make: Make) -> None:
        connection = await self._begun(chain)
        found = await connection.fetchrow(chain.newest)
        rows = make(found)
        await connection.executemany(chain.added, rows)
        await connection.execute("COMMIT")
        if rows:
            self._heads[chain] = _head(chain, rows)

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


def _head(chain: Chain, rows: Sequence[Sequence[Any]]) -> tuple[Any, ...]:
    return tuple(rows[-1][at] for at in chain.head)
