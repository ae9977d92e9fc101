"""When things were used last, kept here and written for all of them at once, at most once a minute.

uses = LastUse(store, write, what="tokens")
uses.note(id_, now=now)        on every request: costs nothing
await uses.close()             writes the rest
"""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime, timedelta

from hub.store import Store
from hub.store.store import Connection

log = logging.getLogger(__name__)
WRITTEN_EVERY = timedelta(minutes=1)
Write = Callable[[Connection, Mapping[str, datetime]], Awaitable[None]]


class LastUse:
    """See the module. what: a word for the log."""

    def __init__(
        self, store: Store, write: Write, *, what: str, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self._store = store
        self._write = write
        self._what = what
        self._monotonic = monotonic
        self._used: dict[str, datetime] = {}
        self._written_at = monotonic()
        self.writing: asyncio.Task[None] | None = None

    def note(self, id_: str, *, now: datetime) -> None:
        self._used[id_] = max(now, self._used.get(id_, now))
        due = self._monotonic() - self._written_at >= WRITTEN_EVERY.total_seconds()
        if due and (self.writing is None or self.writing.done()):
            self._written_at = self._monotonic()
            self.writing = asyncio.create_task(self._write_on())

    def of(self, id_: str) -> datetime | None:
        """The last use that is not written yet."""
        return self._used.get(id_)

    async def flush(self) -> None:
        """Write what is not written yet."""
        used = dict(self._used)
        self._written_at = self._monotonic()
        if used:
            async with self._store.transaction() as connection:
                await self._write(connection, used)
            self._used = {id_: at for id_, at in self._used.items() if used.get(id_) != at}

    async def close(self) -> None:
        if self.writing is not None:
            await self.writing
        await self.flush()

    async def _write_on(self) -> None:
        try:
            await self.flush()
        except Exception:  # a worker's loop: requests go on, and what was not written is written with the next
            log.exception("when %s were used last could not be written", self._what)
