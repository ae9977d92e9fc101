"""SQLite's statements in one hop to their thread and back, instead of five.

SQLite answers in the calling thread, so the asynchronous driver keeps a thread for every connection and asks it one thing at a
time: a cursor, the statement, its rows, the cursor's end. Each is a trip to the thread and back, which costs more than most of
our statements take. Here the thread does all of it at once. Streams of rows keep their own cursor.

A transaction begins with its first statement, in the same hop; one without any never begins. And where nothing else wants the
event loop meanwhile (`Hops.none`), statements are run where they are asked for: no hop, and none of what SQLAlchemy does to let
its own code, which knows of no event loop, wait for one.
"""

from collections import deque
from collections.abc import Callable
from typing import Any, TypeVar

from sqlalchemy import event
from sqlalchemy.connectors.asyncio import AsyncAdapt_dbapi_cursor
from sqlalchemy.dialects.sqlite.aiosqlite import AsyncAdapt_aiosqlite_connection
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine
from sqlalchemy.util.concurrency import await_

T = TypeVar("T")


class Hops:
    """How the statements of an engine get to SQLite. none: without a thread, so that the event loop stands still meanwhile."""

    def __init__(self) -> None:
        self.none = False


_Done = tuple[Any, int, int | None, list[Any]]
"""What a cursor knows when it is done: description, rowcount, lastrowid, and its rows."""


class _Cursor(AsyncAdapt_dbapi_cursor):
    __slots__ = ("_done",)
    _done: _Done

    def __init__(self, adapt_connection: "_Connection") -> None:
        self._adapt_connection = adapt_connection
        self._connection = adapt_connection._connection
        self._rows = deque()
        self._done = (None, -1, None, [])

    @property
    def description(self) -> Any:
        return self._done[0]

    @property
    def rowcount(self) -> int:
        return self._done[1]

    @property
    def lastrowid(self) -> Any:
        return self._done[2]

    def execute(self, operation: Any, parameters: Any = None) -> Any:
        self._hop(lambda raw: raw.execute(operation, () if parameters is None else parameters))
        return self

    def executemany(self, operation: Any, seq_of_parameters: Any) -> Any:
        self._hop(lambda raw: raw.executemany(operation, seq_of_parameters))
        return self

    def close(self) -> None:
        self._rows.clear()

    async def _async_soft_close(self) -> None:
        """Its end has come with its rows."""

    def _hop(self, start: Callable[[Any], Any]) -> None:
        adapted: Any = self._adapt_connection

        def work() -> _Done:
            adapted.begin_now()
            cursor = start(adapted.raw)
            try:
                rows = cursor.fetchall() if cursor.description else []
                return cursor.description, cursor.rowcount, cursor.lastrowid, rows
            finally:
                cursor.close()

        self._done = adapted.hop(work)
        self._rows = deque(self._done[3])


class _Connection(AsyncAdapt_aiosqlite_connection):
    """waiting: the statement that begins the transaction, once there is something to do in it."""

    __slots__ = ("_hops", "waiting")
    _cursor_cls = _Cursor  # type: ignore[assignment]  # all that is asked of it, of another base

    def __init__(self, dbapi: Any, connection: Any, hops: Hops) -> None:
        super().__init__(dbapi, connection)
        self._hops = hops
        self.waiting: str | None = None

    @property
    def raw(self) -> Any:
        driver: Any = self._connection
        return driver._conn

    def begin_now(self) -> None:
        """In SQLite's thread."""
        if self.waiting is not None:
            begin, self.waiting = self.waiting, None
            self.raw.execute(begin).close()

    def hop(self, work: Callable[[], T]) -> T:
        try:
            return work() if self._hops.none else await_(self._there_and_back(work))
        except Exception as error:  # noqa: BLE001  raised again, as SQLAlchemy has the driver's errors
            self._handle_exception(error)

    async def _there_and_back(self, work: Callable[[], T]) -> T:
        driver: Any = self._connection
        async with self._execute_mutex:
            done: T = await driver._execute(work)
            return done

    def cursor(self, server_side: bool = False) -> Any:
        if server_side and self.waiting is not None:
            self.hop(self.begin_now)
        return super().cursor(server_side)

    def commit(self) -> None:
        self._end("commit")

    def rollback(self) -> None:
        self._end("rollback")

    def _end(self, how: str) -> None:
        self.waiting = None
        if self._connection._connection and self.raw.in_transaction:  # None once it is closed
            self.hop(getattr(self.raw, how))


class Direct(AsyncConnection):
    """A connection of an engine that `in_one_hop` prepared. Where no hop is wanted, SQLAlchemy's own connection is asked at
    once; the asynchronous one insists that something is awaited, for whose sake it makes a stack of its own each time."""

    def __init__(self, engine: AsyncEngine, hops: Hops) -> None:
        super().__init__(engine)
        self._hops = hops

    async def execute(self, statement: Any, parameters: Any = None, *, execution_options: Any = None) -> Any:
        if self._hops.none and self.sync_connection is not None:
            return self.sync_connection.execute(statement, parameters, execution_options=execution_options)
        return await super().execute(statement, parameters, execution_options=execution_options)

    async def exec_driver_sql(self, statement: str, parameters: Any = None, execution_options: Any = None) -> Any:
        if self._hops.none and self.sync_connection is not None:
            return self.sync_connection.exec_driver_sql(statement, parameters, execution_options)
        return await super().exec_driver_sql(statement, parameters, execution_options)


def in_one_hop(engine: AsyncEngine, *, begin: str) -> Hops:
    """Let the connections of this engine, of SQLite, work so; their transactions begin with the statement `begin`."""
    hops = Hops()

    @event.listens_for(engine.sync_engine, "do_connect")
    def connect(dialect: Any, _: object, arguments: Any, named: Any) -> Any:
        made = dialect.connect(*arguments, **named)
        return _Connection(made.dbapi, made._connection, hops)

    @event.listens_for(engine.sync_engine, "begin")
    def on_begin(connection: Any) -> None:
        connection.connection.dbapi_connection.waiting = begin

    return hops
