"""How long an operation may take, and what becomes of it when its client is gone.

A query that takes too long is cancelled, and so is one whose client has hung up: cancelling reaches the database, where the
statement ends (`hub.store.store`). A mutation gets more time, and is finished although nobody waits any more: what was begun is
either done and noted, or undone as a whole, and its idempotency key tells which.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

from hub.errors import CshubError

T = TypeVar("T")


class TimedOutError(CshubError):
    """The operation took longer than it may."""


async def within(seconds: float, run: Callable[[], Awaitable[T]]) -> T:
    """What `run` returns; TimedOutError where that takes longer, and what it did is cancelled.

    As asyncio.timeout does it, for a third of what that costs, which each request would pay.
    """
    working = asyncio.current_task()
    assert working is not None, "what has a limit runs in a task"
    before, expired = working.cancelling(), False

    def expire() -> None:
        nonlocal expired
        expired = True
        working.cancel()

    limit = asyncio.get_running_loop().call_later(seconds, expire)
    try:
        return await run()
    except asyncio.CancelledError:
        if not expired or working.cancelling() > before + 1:  # somebody else's, too
            raise
        raise TimedOutError(
            f"this took longer than {seconds:g} seconds and was stopped: ask for less at a time"
        ) from None
    finally:
        limit.cancel()
        if expired:
            working.uncancel()


class Finishing:
    """Runs what must be finished though its caller is cancelled."""

    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[object]] = set()  # a task that nobody holds may be collected before it is done

    async def run(self, seconds: float, run: Callable[[], Awaitable[T]]) -> T:
        """As `within`, and cancelling the caller leaves it running."""
        task = asyncio.ensure_future(within(seconds, run))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return await asyncio.shield(task)
