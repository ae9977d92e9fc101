"""SQLite's log of what was written is carried over into the database beside the work, not within a commit.

What is committed stands in the log (WAL) first. By itself SQLite carries it over within the commit that fills the log up: some
64 MB, in which whoever commits then waits for a tenth of a second and more, and everybody behind him. Here a thread with a
connection of its own does that, and commits go on. What is committed meanwhile is little, and the next commit carries it over
itself: then the log begins anew. SQLite's own way stays as a net, for a log that has grown four times as long.
"""

import asyncio
import logging
import sqlite3
from contextlib import closing
from pathlib import Path

from sqlalchemy.ext.asyncio import AsyncConnection

log = logging.getLogger(__name__)

PAGES = 16_384
"""Of the log, 64 MB: a bulk load rewrites the same pages of its indexes over and over."""
NET_PAGES = 4 * PAGES
BYTES = PAGES * 4_096
KEPT_BYTES = BYTES // 8 * 7
"""What is left of the file where the log begins anew (`journal_size_limit`): to write over it costs less than to make it
longer, and by the rest is seen that the log is full again."""
BUSY_SECONDS = 30.0


class Checkpoints:
    """Of the database at `path`."""

    def __init__(self, path: str) -> None:
        self._path, self._log = path, Path(f"{path}-wal")
        self._under_way: asyncio.Future[None] | None = None
        self._rest = False
        self._from = BYTES

    async def after(self, connection: AsyncConnection) -> None:
        """To be called when a transaction of the connection that writes is over."""
        if self._under_way is not None:
            if not self._under_way.done():
                return
            self._under_way, self._rest = None, True
        if self._rest:
            self._rest = False
            raw = (await connection.get_raw_connection()).driver_connection
            assert raw is not None, "the connection is open"
            await (await raw.execute("PRAGMA wal_checkpoint(PASSIVE)")).close()
        elif self._is_long():
            self._under_way = asyncio.ensure_future(asyncio.to_thread(self._carry_over))

    async def close(self) -> None:
        if self._under_way is not None:
            await self._under_way

    def _is_long(self) -> bool:
        """Longer, too, than when it was carried over last: whoever still reads what was before keeps it from beginning anew."""
        try:
            length = self._log.stat().st_size
        except FileNotFoundError:  # nothing was ever written
            return False
        if length < self._from:
            self._from = min(self._from, max(BYTES, length + BYTES // 8))
            return False
        self._from = length + BYTES // 8
        return True

    def _carry_over(self) -> None:
        try:
            with closing(sqlite3.connect(self._path, timeout=BUSY_SECONDS)) as own:
                own.execute("PRAGMA synchronous = NORMAL")
                own.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchall()
        except sqlite3.Error as error:  # a full disk, say, of which the next commit tells whoever commits
            log.warning("the log of the database was not carried over: %s", error)
