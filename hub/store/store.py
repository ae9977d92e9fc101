"""`Store`: a database opened from a URL, and the only place where a transaction begins and commits.

    store = Store.open("sqlite:///…/cshub.db")          or  "postgresql://user:password@host/name"
    async with store.transaction() as connection: …     all of it is committed, or none
    async with store.reading() as connection: …         one consistent snapshot, no writes
    async with store.reading_twice() as (connection, beside): …     two of the same moment, to be asked at once
    async with store.scratch() as connection: …         a snapshot that temporary tables may be laid over; all undone

SQLite has one writing connection (BEGIN IMMEDIATE, WAL, foreign keys on, busy timeout) and a few that can only read.
"""

import sqlite3
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager
from pathlib import Path
from typing import Self

import orjson
from sqlalchemy import Dialect
from sqlalchemy.engine import URL
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine
from sqlalchemy.pool import NullPool

from hub.errors import ConfigError, Fault, TransientError
from hub.store.checkpoints import Checkpoints
from hub.store.extending import Extending, ExtendingPostgresql, ExtendingSqlite
from hub.store.lending import Lent
from hub.store.one_hop import Hops
from hub.store.pairs import Pair
from hub.store.raw import Raw, RawSqlite
from hub.store.raw_postgresql import RawPostgresql
from hub.store.sqlite_connections import prepare_sqlite
from hub.store.sqlite_memory import stop_counting
from hub.store.urls import for_asyncpg, parse_url

Connection = AsyncConnection
READERS = 4
POSTGRESQL_POOL = 8
COLLISIONS = frozenset({"40001", "40P01", "55P03"})
"""PostgreSQL's: could not serialise, deadlock, lock not to be had."""
BUSY = frozenset({sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED})


class Store:
    """A database, open. `description` names it without its password."""

    def __init__(
        self,
        url: URL,
        writer: AsyncEngine,
        reader: AsyncEngine,
        hops: Sequence[Hops] = (),
        pair: AsyncEngine | None = None,
    ) -> None:
        self.url = url
        self._writer = writer
        self._reader = reader
        self._written, self._read = Lent(writer, *hops[:1]), Lent(reader, *hops[1:])
        self._pair = None if pair is None else Pair(pair)
        self._checkpoints = None if pair is None else Checkpoints(str(url.database))
        self._hops = tuple(hops)
        self._raw: Raw | None = None
        self._extending: Extending | None = None

    @classmethod
    def open(cls, url: str | URL) -> Self:
        """Open `url`; raise ConfigError where it names no database we speak to. Connects on first use."""
        parsed = parse_url(url)
        if parsed.get_backend_name() == "sqlite":
            return cls._open_sqlite(parsed.set(drivername="sqlite+aiosqlite"))
        engine = create_async_engine(
            for_asyncpg(parsed),
            pool_size=POSTGRESQL_POOL,
            pool_pre_ping=True,
            hide_parameters=True,  # errors are logged, and values may be people's
            json_serializer=_dump,
            json_deserializer=orjson.loads,
        )
        return cls(parsed, engine, engine)

    @classmethod
    def _open_sqlite(cls, url: URL) -> Self:
        stop_counting()
        if url.database and url.database != ":memory:":
            try:
                Path(url.database).parent.mkdir(parents=True, exist_ok=True)
            except OSError as error:
                message = f"its folder cannot be made: {error.strerror}"
                raise ConfigError([Fault(message, where=url.database, key="store")]) from None
        writer, reader, pair = (
            create_async_engine(
                url,
                pool_size=size,
                max_overflow=0,
                hide_parameters=True,
                json_serializer=_dump,
                json_deserializer=orjson.loads,
            )
            for size in (1, READERS, 2)
        )
        hops = (
            prepare_sqlite(writer, begin="BEGIN IMMEDIATE", read_only=False),
            prepare_sqlite(reader, begin="BEGIN", read_only=True),
        )
        prepare_sqlite(pair, begin="BEGIN", read_only=True)
        return cls(url, writer, reader, hops, None if url.database in (None, "", ":memory:") else pair)

    @property
    def dialect(self) -> str:
        """`sqlite` or `postgresql`."""
        return self._writer.dialect.name

    @property
    def sql_dialect(self) -> Dialect:
        """What statements for `raw` are compiled for."""
        return self._reader.sync_engine.dialect

    @property
    def raw(self) -> Raw | None:
        """Reads texts with as little as possible between (hub.store.raw); None for a database in memory, which is private."""
        if self._raw is None and self.dialect == "postgresql":
            self._raw = RawPostgresql(self.url)
        elif self._raw is None and self.url.database not in (None, "", ":memory:"):
            self._raw = RawSqlite(str(self.url.database))
        return self._raw

    @property
    def extending(self) -> Extending | None:
        """Adds to chains with as little as possible between (hub.store.extending); None for a database in memory."""
        if self._extending is None and self.dialect == "postgresql":
            self._extending = ExtendingPostgresql(self.url)
        elif self._extending is None and self.url.database not in (None, "", ":memory:"):
            self._extending = ExtendingSqlite(str(self.url.database))
        return self._extending

    @property
    def description(self) -> str:
        if self.dialect == "sqlite":
            return self.url.database or ""
        return self.url.set(query={}).render_as_string(hide_password=True)  # a password may stand in the query, too

    @contextmanager
    def by_itself(self) -> Iterator[None]:
        """While within, SQLite answers without its threads: for whoever plays time and has nothing else to do meanwhile.

        To be entered and left when no statement is under way.
        """
        before = [hops.none for hops in self._hops]
        for hops in self._hops:
            hops.none = True
        try:
            yield
        finally:
            for hops, was in zip(self._hops, before, strict=True):
                hops.none = was

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Connection]:
        """A connection whose work is committed when the block ends, and undone when it raises.

        TransientError where it collided with another's (a deadlock, a lock that nobody let go of in time): all of it is
        undone, and the same may be done again.
        """
        try:
            async with self._for_writing() as connection:
                async with connection.begin():
                    yield connection
                if self._checkpoints is not None:
                    await self._checkpoints.after(connection)
        except DBAPIError as error:
            if collided(error):
                raise TransientError(
                    "the store was busy with other work in the same place; nothing was changed"
                ) from error
            raise

    @asynccontextmanager
    async def migrating(self) -> AsyncIterator[Connection]:
        """A transaction that may make tables anew: SQLite then looks at references when all is done, not at each step.

        A table is changed there by filling a new one and dropping the old, which others refer to; whether they do is a
        setting of the connection that no transaction can change.
        """
        async with self._for_writing() as connection:
            sqlite = self.dialect == "sqlite"
            if sqlite:
                await _set_foreign_keys(connection, on=False)
            try:
                async with connection.begin():
                    yield connection
                    if sqlite and (broken := (await connection.exec_driver_sql("PRAGMA foreign_key_check")).all()):
                        raise RuntimeError(f"rows refer to what is not there: {broken[:5]}")
            finally:
                if sqlite:
                    await _set_foreign_keys(connection, on=True)

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[Connection]:
        """A connection to read with: everything it reads is of one moment, and it cannot write."""
        if self.dialect == "sqlite":
            async with self._read.connection() as connection:
                yield connection
            return
        async with self._reader.connect() as connection:
            await connection.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
            yield connection

    @asynccontextmanager
    async def reading_twice(self) -> AsyncIterator[tuple[Connection, Connection | None]]:
        """Two to read with, of the same moment, that may be asked at once; None for the second where there is only one.

        One is what PostgreSQL gives, which may itself use several processors for a statement, and whoever comes while
        another has the two.
        """
        if self._pair is not None and self._pair.is_free:
            async with self._pair.reading() as two:
                yield two
            return
        async with self.reading() as connection:
            yield connection, None

    @asynccontextmanager
    async def scratch(self) -> AsyncIterator[Connection]:
        """A connection to read with that may lay temporary tables and views over the real ones; all it does is undone."""
        if self.dialect == "sqlite":
            async with self._read.connection() as connection:
                await connection.exec_driver_sql("PRAGMA query_only = 0")  # which forbids temporary ones, too
                try:
                    yield connection
                finally:
                    await connection.rollback()
                    await connection.exec_driver_sql("PRAGMA query_only = 1")
            return
        # a statement prepared before would go on reading the table it found then: nothing is prepared ahead here
        plain = {"prepared_statement_cache_size": 0, "statement_cache_size": 0}
        engine = create_async_engine(
            for_asyncpg(self.url),
            poolclass=NullPool,
            connect_args=plain,
            hide_parameters=True,
            json_serializer=_dump,
            json_deserializer=orjson.loads,
        )
        try:
            async with engine.connect() as connection:
                await connection.execution_options(isolation_level="REPEATABLE READ")
                yield connection
        finally:
            await engine.dispose()

    @asynccontextmanager
    async def alone(self) -> AsyncIterator[Connection]:
        """A connection that is no pool's and in no transaction, for whoever keeps one: to listen."""
        url = self.url if self.dialect == "sqlite" else for_asyncpg(self.url)
        engine = create_async_engine(url, poolclass=NullPool, hide_parameters=True, isolation_level="AUTOCOMMIT")
        try:
            async with engine.connect() as connection:
                yield connection
        finally:
            await engine.dispose()

    def _for_writing(self) -> AbstractAsyncContextManager[Connection]:
        """PostgreSQL's pool looks whether a connection still stands before it hands it out."""
        return self._written.connection() if self.dialect == "sqlite" else self._writer.connect()

    async def close(self) -> None:
        if self._raw is not None:
            await self._raw.close()
            self._raw = None
        if self._extending is not None:
            await self._extending.close()
            self._extending = None
        for each in (self._checkpoints, self._pair, self._written, self._read):
            if each is not None:
                await each.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()


def collided(error: DBAPIError) -> bool:
    """Whether another transaction stood in the way, and nothing is wrong with this one."""
    state = getattr(error.orig, "sqlstate", None)
    code = getattr(error.orig, "sqlite_errorcode", None)
    return state in COLLISIONS or (code is not None and code & 0xFF in BUSY)


async def _set_foreign_keys(connection: AsyncConnection, *, on: bool) -> None:
    raw = (await connection.get_raw_connection()).driver_connection
    assert raw is not None, "the connection is open"
    cursor = await raw.execute(f"PRAGMA foreign_keys = {'ON' if on else 'OFF'}")
    await cursor.close()


def _dump(value: object) -> str:
    return orjson.dumps(value, option=orjson.OPT_SERIALIZE_NUMPY).decode()
