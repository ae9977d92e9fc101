"""One sync per source at a time: a lock that is a row, renewed by a beat, and taken over from a process that is gone."""

import asyncio
import os
import secrets
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import datetime, timedelta

from hub.durable.process import place
from hub.errors import BusyError
from hub.store import Store
from hub.store.syncs import keep_lock, lock_source, release_source

LOCK_FOR = timedelta(seconds=60)
BEAT = 15.0


def new_holder() -> str:
    """A name for this sync as the holder of a lock: where process ids mean the same, this process, something unique."""
    return f"{place()}:{os.getpid()}:{secrets.token_hex(4)}"


@asynccontextmanager
async def locked(store: Store, source: str, *, holder: str, clock: Callable[[], datetime]) -> AsyncIterator[None]:
    """Hold the lock of `source`; raise BusyError where another living sync has it."""
    async with store.transaction() as connection:
        now = clock()
        other = await lock_source(connection, source, holder=holder, now=now, until=now + LOCK_FOR)
        if other and _is_gone(other):
            other = await lock_source(connection, source, holder=holder, now=now, until=now + LOCK_FOR, dead=other)
    if other:
        raise BusyError(f"source {source!r} is being synced by {other}")
    beat = asyncio.create_task(_beat(store, source, holder, clock))
    try:
        yield
    finally:
        beat.cancel()
        async with store.transaction() as connection:
            await release_source(connection, source, holder=holder)


async def _beat(store: Store, source: str, holder: str, clock: Callable[[], datetime]) -> None:
    while True:
        await asyncio.sleep(BEAT)
        async with store.transaction() as connection:
            await keep_lock(connection, source, holder=holder, until=clock() + LOCK_FOR)


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
