"""One sync per source at a time: a lock that is a row, renewed by a beat, and taken over from a process that is gone."""

import asyncio
import logging
import os
import secrets
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import datetime, timedelta

from hub.durable.process import place
from hub.errors import BusyError
from hub.store import Store
from hub.store.syncs import keep_lock, lock_source, release_source

log = logging.getLogger(__name__)
LOCK_FOR = timedelta(seconds=60)
BEAT = 15.0
BEAT_AGAIN = 1.0
ASIDE = "aside-"
PATIENCE = 600.0
LOOK_EVERY = 0.2


def new_holder(*, aside: bool = False) -> str:
    """A name for the holder of a lock: where process ids mean the same, this process, something unique.

    aside  it does something shorter than a sync, which waits until that is over instead of being refused
    """
    return f"{place()}:{os.getpid()}:{ASIDE if aside else ''}{secrets.token_hex(4)}"


@asynccontextmanager
async def locked(
    store: Store, source: str, *, holder: str, clock: Callable[[], datetime], patience: float = 0.0
) -> AsyncIterator[None]:
    """Hold the lock of `source`; raise BusyError where another living sync has it.

    patience  seconds to wait for one that only does something aside, such as fetching what a webhook told of
    """
    waited = 0.0
    while (other := await _taken(store, source, holder, clock)) is not None:
        if waited >= patience or ASIDE not in other:
            raise BusyError(f"source {source!r} is being synced by {other}")
        await asyncio.sleep(LOOK_EVERY)
        waited += LOOK_EVERY
    owner, lost = asyncio.current_task(), asyncio.Event()
    assert owner is not None, "a lock is held by a task"
    beat = asyncio.create_task(_beat(store, source, holder, clock, lost))
    beat.add_done_callback(lambda _: owner.cancel() if lost.is_set() else None)
    try:
        yield
    except asyncio.CancelledError:
        if lost.is_set() and owner.uncancel() == 0:
            raise BusyError(f"source {source!r} was taken over by another sync while this one stood still") from None
        raise
    finally:
        beat.cancel()
        async with store.transaction() as connection:
            await release_source(connection, source, holder=holder)


async def _taken(store: Store, source: str, holder: str, clock: Callable[[], datetime]) -> str | None:
    """Take it; or who has it."""
    async with store.transaction() as connection:
        now = clock()
        other = await lock_source(connection, source, holder=holder, now=now, until=now + LOCK_FOR)
        if other and _is_gone(other):
            other = await lock_source(connection, source, holder=holder, now=now, until=now + LOCK_FOR, dead=other)
    return other


async def _beat(store: Store, source: str, holder: str, clock: Callable[[], datetime], lost: asyncio.Event) -> None:
    """Renew it, until it is lost to another: two that write at once would undo each other."""
    wait = BEAT
    while True:
        await asyncio.sleep(wait)
        try:
            async with store.transaction() as connection:
                kept = await keep_lock(connection, source, holder=holder, until=clock() + LOCK_FOR)
        except Exception:  # the loop of a worker: whatever the store says now, a beat soon after may still be in time
            log.exception("the lock of %s could not be renewed; trying again", source)
            wait = BEAT_AGAIN
            continue
        if not kept:
            lost.set()
            return
        wait = BEAT


def _is_gone(holder: str) -> bool:
    """Whether the holder of a lock is a process that can be seen from here that no longer runs."""
    where, pid, _ = holder.rsplit(":", 2)
    if where != place():
        return False
    try:
        os.kill(int(pid), 0)
    except ProcessLookupError:
        return True
    except PermissionError:
        return False
    return False
