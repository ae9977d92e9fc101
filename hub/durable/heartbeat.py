"""Says that this process is alive, and lets one process hand over the work of those that died.

The engine's library leaves the running work of a dead process where it is: it belongs to an executor id, and ours are
unique to a process. So each process beats, one of them leads, and the leader gives back to the queues whatever runs under an
id that no longer beats. A process known to be gone (same machine, its process id gone) counts as dead at once, so a
restart takes over its own past without waiting.

A process that only seems dead (stopped, swapped out) finds its jobs running elsewhere when it comes back: they run twice,
which is harmless by contract, and the engine keeps only the outcome of whoever holds the job.

The beat has a thread and connections of its own, because a handler may keep the event loop busy for longer than a process
may be silent.
"""

import asyncio
import logging
import threading
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta

from hub.durable.process import is_gone
from hub.store import Store, executors

log = logging.getLogger(__name__)


class Heartbeat:
    """The beat of process `executor`.

    running    the ids of all executors that own running work
    hand_over  gives the running work of these executors back to the queues; returns how much it was
    tidy       called now and then in the leading process, on the beat's own event loop
    """

    def __init__(
        self,
        store: Store,
        *,
        executor: str,
        clock: Callable[[], datetime],
        beat_seconds: float,
        dead_seconds: float,
        running: Callable[[], Awaitable[set[str]]],
        hand_over: Callable[[list[str]], int],
        tidy: Callable[[], Awaitable[None]],
    ) -> None:
        self._url = store.url
        self._executor = executor
        self._clock = clock
        self._started_at = clock()
        self._every = beat_seconds
        self._silence = timedelta(seconds=dead_seconds)
        self._running = running
        self._hand_over = hand_over
        self._tidy = tidy
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._live, name="durable-heartbeat", daemon=True)

    async def beat(self, store: Store) -> bool:
        """One beat; return whether this process leads. The first one comes before the process takes any work."""
        now = self._clock()
        async with store.reading() as connection:
            known = await executors.find_beats(connection)
        if gone := [each for each in known if is_gone(each, own=self._executor)]:
            async with store.transaction() as connection:
                await executors.remove(connection, gone)
        async with store.transaction() as connection:
            await executors.beat(connection, id=self._executor, started_at=self._started_at, now=now)
        async with store.transaction() as connection:
            return await executors.lead(connection, id=self._executor, now=now, until=now + self._silence)

    def start(self) -> None:
        self._thread.start()

    async def stop(self) -> None:
        """Say goodbye: what still runs under this id may be handed over at once."""
        self._stop.set()
        if self._thread.is_alive():
            await asyncio.to_thread(self._thread.join)

    def _live(self) -> None:
        asyncio.run(self._beat_until_stopped())

    async def _beat_until_stopped(self) -> None:
        async with Store.open(self._url) as store:
            while not self._stop.is_set():
                try:
                    if await self.beat(store):
                        await self._look_for_orphans(store)
                        await self._tidy()
                except Exception:  # the worker's loop: the next beat comes when the database is back
                    log.exception("the heartbeat of %s failed; next in %g s", self._executor, self._every)
                self._stop.wait(self._every)  # nothing else lives on this thread's event loop
            try:
                async with store.transaction() as connection:
                    await executors.remove(connection, [self._executor])
            except Exception:  # the worker's end: without a goodbye the others wait a little longer
                log.exception("the heartbeat of %s could not say goodbye", self._executor)

    async def _look_for_orphans(self, store: Store) -> None:
        # in this order: who owns work now has beaten before he took it, so a newcomer is never mistaken for a dead one
        owners = await self._running()
        async with store.reading() as connection:
            beats = await executors.find_beats(connection)
        silent_since = self._clock() - self._silence
        dead = {each for each, at in beats.items() if at <= silent_since and each != self._executor}
        orphaned = sorted(owners - (beats.keys() - dead) - {self._executor})
        if orphaned:
            count = self._hand_over(orphaned)
            log.warning("took over %d running jobs of processes that are gone: %s", count, ", ".join(orphaned))
        if dead:
            async with store.transaction() as connection:
                await executors.remove(connection, dead, beaten_by=silent_since)
