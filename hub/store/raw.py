"""Reading one text at a time with as little as possible between: what the compiled read path runs its statements on.

    text = await store.raw.text(sql, parameters)        None where the statement returned no row
    texts = await store.raw.texts([(sql, parameters)])  of several statements, on PostgreSQL in one round trip
    text = await store.raw.text_of(sql, parameters, at) of one row by its key, which others may ask for at the same time

A tiny statement costs 281 µs by way of SQLAlchemy and aiosqlite, and 6 µs when it is run where it is asked for. So on SQLite
a statement is first run in the event loop, for `PATIENCE` at most: then it is broken off there, and run in a thread. What was
broken off again and again, or is not `BRIEF`, is not tried there for a while: the machine has other cores. PostgreSQL has a
pool for it (hub.store.raw_postgresql).

Connections can only read. Whoever is cancelled takes the statement along: SQLite is interrupted, PostgreSQL told.
"""

import asyncio
import sqlite3
import time
from collections.abc import Hashable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from typing import Any, Protocol, cast

from hub.store.texts import teach

THREADS = 4
PATIENCE = 0.005
"""Seconds of computing that a statement may hold up the event loop, and at most as many more; those in which the machine did
something else are no fault of the statement's, up to `LONGEST`."""
LONGEST = 0.1
"""Seconds by the clock, waiting for the disk among them."""
BRIEF = 0.001
"""Seconds of computing that a request's statements may take in the event loop again and again: what takes longer holds it up,
while another core may have nothing to do, and is worth the hop to a thread, some 100 µs."""
STUCK = 0.25
"""Seconds in which no thread was done: then what is not long alone does not wait for one."""
INTERRUPTED_EVERY = 0.05
_LOOK_EVERY = 4_000
"""Steps of SQLite's machine between looks at the clock; some 100 µs."""
_REMEMBERED = 512
_TIMES, _AGAIN_AFTER = 3, 60.0
"""How often in a row a statement is too long before it is not begun in the event loop any more, because once may be the
machine's; and seconds after which it is tried there again."""
_PRAGMAS = (
    "query_only = 1",
    "temp_store = MEMORY",
    "cache_size = -65536",
    "mmap_size = 268435456",
    "busy_timeout = 5000",
)


Statement = tuple[str, Sequence[Any]]
"""With its parameters."""


class RawError(Exception):
    """A statement failed; the ordinary path may know better."""


class Raw(Protocol):
    """A way to read texts."""

    async def text(self, sql: str, parameters: Sequence[Any]) -> bytes | None:
        """The one value of the one row, in UTF-8; RawError where the database refuses."""
        ...

    async def texts(self, statements: Sequence[Statement]) -> list[bytes | None]:
        """The same of each of several statements, in their order; RawError where the database refuses one of them."""
        ...

    async def text_of(self, sql: str, parameters: Sequence[Any], at: int) -> bytes | None:
        """As `text`, of a brief statement for the one row whose key is the parameter at that place, from 0."""
        ...

    async def row(self, sql: str, parameters: Sequence[Any]) -> Sequence[Any] | None: ...

    async def close(self) -> None: ...


class RawSqlite:
    """One connection for the event loop and some for threads, opened when first needed."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._here: sqlite3.Connection | None = None
        self._begun = self._let_go = 0.0
        self._deadline: float | None = None
        self._long: dict[Hashable, tuple[int, float]] = {}
        self._idle: list[sqlite3.Connection] = []
        self._turn = asyncio.Semaphore(THREADS)
        self._threads: ThreadPoolExecutor | None = None
        self._opened: list[sqlite3.Connection] = []

    async def text(self, sql: str, parameters: Sequence[Any]) -> bytes | None:
        row = await self.row(sql, parameters)
        return None if row is None else cast("bytes | None", row[0])

    async def text_of(self, sql: str, parameters: Sequence[Any], at: int) -> bytes | None:
        return await self.text(sql, parameters)  # nothing is saved by waiting for others: there is no round trip

    async def texts(self, statements: Sequence[Statement]) -> list[bytes | None]:
        return [None if row is None else cast("bytes | None", row[0]) for row in await self._rows(statements)]

    async def _rows(self, statements: Sequence[Statement]) -> list[Sequence[Any] | None]:
        which = tuple(sql for sql, _ in statements)
        stuck = self._turn.locked() and time.monotonic() - self._let_go > STUCK
        if self._is_long(which) and not stuck:
            return await self._run_there(statements)
        rows: list[Sequence[Any] | None] = []
        began = time.thread_time()
        for at, (sql, parameters) in enumerate(statements):
            done, row = self._tried_here(sql, parameters)
            if not done:  # one that takes long is in a thread, and all that follow go along
                return rows + await self._run_there(statements[at:])
            rows.append(row)
        self._note(which, long=time.thread_time() - began > BRIEF)
        return rows

    async def row(self, sql: str, parameters: Sequence[Any]) -> Sequence[Any] | None:
        done, row = self._tried_here(sql, parameters)
        return row if done else (await self._run_there([(sql, parameters)]))[0]

    def _tried_here(self, sql: str, parameters: Sequence[Any]) -> tuple[bool, Sequence[Any] | None]:
        """Whether it was run in the event loop, to its end; and its row."""
        if self._is_long(sql):
            return False, None
        try:
            row = self._run_here(sql, parameters)
        except TimeoutError:
            self._note(sql, long=True)
            return False, None
        self._note(sql, long=False)
        return True, row

    def _is_long(self, which: Hashable) -> bool:
        """Whether a statement, or several together, were long again and again, not long ago."""
        times, until = self._long.get(which, (0, 0.0)) if self._long else (0, 0.0)
        return times >= _TIMES and until >= time.monotonic()

    def _note(self, which: Hashable, *, long: bool) -> None:
        if long:
            if len(self._long) >= _REMEMBERED:
                self._long.clear()
            self._long[which] = self._long.get(which, (0, 0.0))[0] + 1, time.monotonic() + _AGAIN_AFTER
        elif self._long:
            self._long.pop(which, None)

    def _run_here(self, sql: str, parameters: Sequence[Any]) -> Sequence[Any] | None:
        if self._here is None:
            self._here = self._connect()
            self._here.execute("PRAGMA busy_timeout = 0")  # the event loop waits for nobody
            self._here.set_progress_handler(self._look, _LOOK_EVERY)
        self._begun, self._deadline = time.perf_counter(), None
        try:
            cursor = self._here.execute(sql, parameters)
            row: Sequence[Any] | None = cursor.fetchone()
            cursor.close()
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode in (sqlite3.SQLITE_INTERRUPT, sqlite3.SQLITE_BUSY):
                raise TimeoutError from None
            raise RawError(str(error)) from error
        except sqlite3.Error as error:
            raise RawError(str(error)) from error
        return row

    def _look(self) -> bool:
        taken = time.perf_counter() - self._begun
        if taken < PATIENCE:
            return False
        if self._deadline is None:  # what was computed costs a system call to know, which most statements are spared
            self._deadline = time.thread_time() + PATIENCE
        return taken > LONGEST or time.thread_time() > self._deadline

    async def _run_there(self, statements: Sequence[Statement]) -> list[Sequence[Any] | None]:
        if self._threads is None:
            self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="read")
        loop = asyncio.get_running_loop()
        async with self._turn:
            connection = self._idle.pop() if self._idle else self._connect()
            running = loop.run_in_executor(self._threads, _fetch, connection, statements)
            try:
                return await asyncio.shield(running)
            except asyncio.CancelledError:
                while not running.done():  # the connection is given back when the thread has let go of it
                    connection.interrupt()  # again and again: one that had not begun was not interrupted
                    try:
                        await asyncio.wait([running], timeout=INTERRUPTED_EVERY)
                    except asyncio.CancelledError:
                        continue
                running.exception()
                raise
            except sqlite3.Error as error:
                raise RawError(str(error)) from error
            finally:
                self._idle.append(connection)
                self._let_go = time.monotonic()

    def _connect(self) -> sqlite3.Connection:
        connection = sqlite3.connect(self._path, check_same_thread=False, isolation_level=None, cached_statements=512)
        for pragma in _PRAGMAS:
            connection.execute(f"PRAGMA {pragma}")
        connection.text_factory = bytes
        teach(connection)
        self._opened.append(connection)
        return connection

    async def close(self) -> None:
        if self._threads is not None:
            self._threads.shutdown(wait=True)
        for connection in self._opened:
            connection.close()
        self._opened.clear()
        self._idle.clear()
        self._here = self._threads = None


def _fetch(connection: sqlite3.Connection, statements: Sequence[Statement]) -> list[Sequence[Any] | None]:
    rows: list[Sequence[Any] | None] = []
    for sql, parameters in statements:
        with closing(connection.execute(sql, parameters)) as cursor:
            rows.append(cursor.fetchone())
    return rows
