"""What waits for one subscriber: a bounded queue of parcels, and why it ended."""

import asyncio
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum

from hub.errors import CshubError

MOST_WAITING = 2_000
"""Parcels; their bodies are shared with the other subscribers of an audience."""


class Ending(StrEnum):
    """Why a subscriber is told no more.

    slow      it did not take what came as fast as it came
    lost      what was to be told could not be read; the log still has it
    closing   the process ends
    too_old   what comes after its place is no longer kept
    unknown   its place lies beyond the end of this log
    """

    SLOW = "slow"
    LOST = "lost"
    CLOSING = "closing"
    TOO_OLD = "too_old"
    UNKNOWN = "unknown"


class EndedError(CshubError):
    """A subscriber is told no more, and why."""

    def __init__(self, ending: Ending) -> None:
        super().__init__(f"ended: {ending}")
        self.ending = ending


@dataclass(frozen=True, slots=True)
class Parcel:
    """An event as its audience is told of it. `number`: its place in the log."""

    number: int
    body: bytes = field(repr=False)


class Outlet:
    """Where a subscriber takes its parcels from; `most`: how many may wait."""

    __slots__ = ("_ended", "_most", "_ready", "_waiting")

    def __init__(self, *, most: int = MOST_WAITING) -> None:
        self._waiting: deque[Parcel] = deque()
        self._most = most
        self._ready = asyncio.Event()
        self._ended: Ending | None = None

    @property
    def waiting(self) -> int:
        return len(self._waiting)

    def offer(self, parcels: Iterable[Parcel]) -> None:
        """Let parcels wait; where there is no room for them nothing waits any more, and the subscriber has ended."""
        if self._ended is not None:
            return
        self._waiting.extend(parcels)
        if len(self._waiting) > self._most:
            self.end(Ending.SLOW)
        elif self._waiting:
            self._ready.set()

    def end(self, ending: Ending) -> None:
        """Take no more; what waits is given up, for the log has it."""
        if self._ended is None:
            self._ended = ending
            self._waiting.clear()
            self._ready.set()

    async def take(self) -> Parcel:
        """The next parcel, when there is one; EndedError when there will be none."""
        while not self._waiting:
            if self._ended is not None:
                raise EndedError(self._ended)
            self._ready.clear()
            await self._ready.wait()
        return self._waiting.popleft()
