"""Who is connected: how many may be, and the end of those whose token was revoked, has expired or gives other rights."""

import asyncio
import logging
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from typing import Literal

from hub.access import Viewer
from hub.errors import RefusedError
from hub.web.live.port import Limits, Port

log = logging.getLogger(__name__)
Reason = Literal["revoked", "closing"]
End = Callable[[Reason], None]
NAMELESS = 4
"""Of all connections at most one in so many has not said yet who it is: whoever has no token keeps nobody else out."""


class Sessions:
    """All open connections of this process."""

    def __init__(self, port: Port, limits: Limits) -> None:
        self._port = port
        self._limits = limits
        self._open: dict[object, tuple[Viewer, End]] = {}
        self._waiting = 0
        self._checking: asyncio.Task[None] | None = None

    @property
    def count(self) -> int:
        return len(self._open) + self._waiting

    @contextmanager
    def arriving(self) -> Iterator[None]:
        """A connection whose token is yet to come; RefusedError where there are too many, of all or of such ones."""
        self._check_room()
        if self._waiting >= max(1, self._limits.connections // NAMELESS):
            raise RefusedError("too many connections wait here to say who they are: try again later")
        self._waiting += 1
        try:
            yield
        finally:
            self._waiting -= 1

    @contextmanager
    def entered(self, viewer: Viewer, end: End) -> Iterator[None]:
        """A connection of this viewer; `end` is called when its token is no longer valid, or the process ends.

        RefusedError where there are too many, of all or of its token.
        """
        self._check_room()
        own = sum(each.token_id == viewer.token_id for each, _ in self._open.values())
        if own >= self._limits.of_token:
            raise RefusedError(f"this token has {own:,} connections open already, as many as it may")
        key = object()
        self._open[key] = (viewer, end)
        if self._checking is None or self._checking.done():
            self._checking = asyncio.create_task(self._check_on())
        try:
            yield
        finally:
            del self._open[key]

    def _check_room(self) -> None:
        if self.count >= self._limits.connections:
            raise RefusedError(f"{self._limits.connections:,} connections are open here already: try again later")

    async def close(self) -> None:
        """End all connections."""
        for _, end in list(self._open.values()):
            end("closing")
        checking, self._checking = self._checking, None
        if checking is not None:
            checking.cancel()
            await asyncio.gather(checking, return_exceptions=True)

    async def _check_on(self) -> None:
        while self._open:
            await asyncio.sleep(self._limits.check_seconds)
            viewers: Collection[Viewer] = list(dict.fromkeys(viewer for viewer, _ in self._open.values()))
            try:
                gone = set(await self._port.find_ended(viewers))
            except Exception:  # the loop of a worker: the store may be away for a while
                log.exception("tokens of open connections could not be looked at; trying again")
                continue
            for viewer, end in list(self._open.values()):
                if viewer in gone:
                    end("revoked")
