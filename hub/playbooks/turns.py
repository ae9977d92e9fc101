"""Asks the store whose turn it is, no more often than the answer can have changed.

A look at everything that is due passes by what stands behind busy addresses, and that may be a long way. So one that found less
than it was asked for is not repeated at once: until a moment has passed only the addresses that became free are looked at.
"""

import time
from collections.abc import Awaitable, Callable, Collection, Iterable
from datetime import datetime
from typing import Protocol

from hub.model.actions import Delivery
from hub.store.claims import USUAL, Paces

Place = tuple[str, str]
"""Channel and address."""
EVERY_SECONDS = 0.25


class Claim(Protocol):
    """Up to `limit` messages that are due; places: of these alone."""

    def __call__(self, limit: int, places: Collection[Place] | None) -> Awaitable[list[Delivery]]: ...


def rested(sent: Iterable[Delivery], *, now: datetime, paces: Paces) -> list[Place]:
    """Where the next message may go by now: to ask for others would find nothing until their channel's interval is over."""
    return [
        (each.channel, each.address)
        for each in sent
        if each.sent_at is None or now - each.sent_at >= paces.get(each.channel, USUAL).interval
    ]


class Turns:
    def __init__(self, claim: Claim, *, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._claim = claim
        self._monotonic = monotonic
        self._found_little_at: float | None = None
        self._freed: set[Place] = set()

    def free(self, done: Collection[Place]) -> None:
        """These addresses are having a message no more."""
        self._freed |= set(done)

    @property
    def wait(self) -> float | None:
        """Seconds until everything is looked at again; None where that is no matter of time."""
        if self._found_little_at is None:
            return None
        return max(0.0, self._found_little_at + EVERY_SECONDS - self._monotonic())

    async def take(self, limit: int) -> list[Delivery]:
        """Up to `limit` messages to send now; none: there is none for the moment."""
        freed, self._freed = self._freed, set()
        if self.wait:
            return await self._claim(limit, freed) if freed else []
        taken = await self._claim(limit, None)
        self._found_little_at = self._monotonic() if len(taken) < limit else None
        return taken
