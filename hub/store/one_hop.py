"""SQLite's statements in one hop to their thread and back, instead of five.

SQLite answers in the calling thread, so the asynchronous driver keeps a thread for every connection and asks it one thing at a
time: a cursor, the statement, its rows, the cursor's end. Each is a trip to the thread and back, which costs more than most of
our statements take. Here the thread does all of it at once. Streams of rows keep their own cursor.
"""

from collections import deque
from collections.abc import Callable
from typing import Any

from sqlalchemy import event
from sqlalchemy.connectors.asyncio import AsyncAdapt_dbapi_cursor
from sqlalchemy.dialects.sqlite.aiosqlite import AsyncAdapt_aiosqlite_connection
from sqlalchemy.ext.asyncio import AsyncEngine
from sqlalchemy.util.concurrency import await_

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
        connection: Any = self._connection

        def work() -> _Done:
            cursor = start(connection._conn)
            try:
                rows = cursor.fetchall() if cursor.description else []
                return cursor.description, cursor.rowcount, cursor.lastrowid, rows
            finally:
                cursor.close()

        async def there_and_back() -> _Done:
            async with self._adapt_connection._execute_mutex:
                done: _Done = await connection._execute(work)
                return done

        try:
            self._done = await_(there_and_back())
        except Exception as error:  # noqa: BLE001  raised again, as SQLAlchemy has the driver's errors
            self._adapt_connection._handle_exception(error)
        self._rows = deque(self._done[3])


class _Connection(AsyncAdapt_aiosqlite_connection):
    __slots__ = ()
    _cursor_cls = _Cursor  # type: ignore[assignment]  # all that is asked of it, of another base


def in_one_hop(engine: AsyncEngine) -> None:
    """Let the connections of this engine, of SQLite, work so."""

    @event.listens_for(engine.sync_engine, "do_connect")
    def connect(dialect: Any, _: object, arguments: Any, named: Any) -> Any:
        made = dialect.connect(*arguments, **named)
        return _Connection(made.dbapi, made._connection)
