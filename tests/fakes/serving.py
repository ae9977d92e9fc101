"""An application on a real server on loopback, which ends as soon as it is told to.

uvicorn looks ten times a second whether it is to end, and then waits a tenth more for connections to go. That is nothing for
a server; of a thousand tests with one each it is minutes. Everything else of it is uvicorn's own.

    async with serving(app) as address: …                   in the test's own event loop
    server = Server(uvicorn.Config(app)); … server.end()    from any thread
"""

import asyncio
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from typing import Any

import uvicorn

TICK = 0.1
"""Seconds between two looks at the clock, for the Date header."""
LOOK = 0.002
"""… and between two looks whether all has been answered."""


class Server(uvicorn.Server):
    """See the module. It leaves the signals to pytest."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._told = asyncio.Event()

    def end(self) -> None:
        """Have it end; what was begun is answered first."""
        self.should_exit = True
        if self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._told.set)

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield

    async def main_loop(self) -> None:
        self._loop = asyncio.get_running_loop()
        count = 0
        while not await self.on_tick(count):
            count += 1
            with suppress(TimeoutError):
                async with asyncio.timeout(TICK):
                    await self._told.wait()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        for server in self.servers:
            server.close()
        for each in sockets or []:
            each.close()
        for connection in list(self.server_state.connections):
            connection.shutdown()
        with suppress(TimeoutError):
            async with asyncio.timeout(self.config.timeout_graceful_shutdown):
                while self.server_state.connections or self.server_state.tasks:  # noqa: ASYNC110 - it has no event for it
                    await asyncio.sleep(LOOK)
        for task in self.server_state.tasks:  # those it was told not to wait for any longer
            task.cancel()
        await self.lifespan.shutdown()


@asynccontextmanager
async def serving(app: Any, **options: Any) -> AsyncIterator[str]:
    """The address of `app`, served over HTTP on a free port of loopback. `options`: of uvicorn.Config."""
    # asyncio switches Nagle's algorithm off only where the socket says TCP: else each answer may wait 40 ms
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.bind(("127.0.0.1", 0))
    usual = {"log_config": None, "log_level": "error", "lifespan": "off", "timeout_graceful_shutdown": 5}
    server = Server(uvicorn.Config(app, **{**usual, **options}))
    task = asyncio.create_task(server.serve(sockets=[listener]))
    while not server.started:
        assert not task.done(), "the server ended before it began"
        await asyncio.sleep(LOOK)
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        server.end()
        await task
