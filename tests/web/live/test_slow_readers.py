"""Who takes nothing any more of what is sent is let go, on a real socket, and keeps neither a place nor memory."""

import asyncio
import base64
import json
import os
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
import uvicorn

from hub.asgi import app
from hub.cli.serve import STUCK_SECONDS, listen
from hub.store import Store
from hub.web.live import Limits
from tests.fakes.serving import LOOK, Server
from tests.web.live.conftest import ALERTS, FakeHub, connected, customers, open_alert, settled, token

SMALL = 8_192
"""Bytes of the sockets' own buffers, so that little is enough to fill them."""
LONG = "x" * 20_000
needs_linux = pytest.mark.skipif(not hasattr(socket, "TCP_USER_TIMEOUT"), reason="the system has no such time-out")


async def until(is_so: Callable[[], bool]) -> None:
    async with asyncio.timeout(20):
        while not is_so():  # noqa: ASYNC110 - what is looked at tells nobody
            await asyncio.sleep(LOOK)


@asynccontextmanager
async def serving(hub: FakeHub) -> AsyncIterator[tuple[str, Server, Any]]:
    """(host, the server, its sessions) of a hub that waits for nobody for long."""
    made = app(hub, live_limits=Limits(send_seconds=0.1, of_token=1))
    with listen("127.0.0.1", 0) as bound:
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SMALL)
        config = uvicorn.Config(
            made, log_config=None, lifespan="on", ws="websockets-sansio", ws_per_message_deflate=False
        )
        server = Server(config)
        task = asyncio.create_task(server.serve(sockets=[bound]))
        await until(lambda: server.started)
        try:
            yield f"127.0.0.1:{bound.getsockname()[1]}", server, made.state.sessions
        finally:
            await made.state.end_streams()
            server.end()
            await task


class Stuck:
    """A client that reads only when it is told to."""

    def __init__(self, host: str) -> None:
        self.socket = socket.socket()
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, SMALL)
        self.socket.setblocking(False)
        self._host = host

    async def send(self, data: bytes) -> None:
        await asyncio.get_running_loop().sock_sendall(self.socket, data)

    async def read(self, end: bytes) -> bytes:
        found = b""
        async with asyncio.timeout(20):
            while end not in found:
                found += (more := await asyncio.get_running_loop().sock_recv(self.socket, 1_000))
                assert more, found
        return found

    async def open(self, head: str) -> None:
        address, _, port = self._host.partition(":")
        await asyncio.get_running_loop().sock_connect(self.socket, (address, int(port)))
        await self.send(f"{head}\r\nHost: {self._host}\r\n".encode())

    async def message(self, **said: Any) -> None:
        """A text frame; its mask is zeroes, which leaves it as it is."""
        text = json.dumps(said).encode()
        assert 126 <= len(text) < 65_536
        await self.send(b"\x81\xfe" + len(text).to_bytes(2) + bytes(4) + text)


async def stuck_socket(stuck: Stuck, secret: str) -> None:
    """Connected, and subscribed to alerts, over graphql-transport-ws."""
    key = base64.b64encode(os.urandom(16)).decode()
    await stuck.open("GET /graphql HTTP/1.1")
    await stuck.send(
        b"Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: "
        + f"{key}\r\nSec-WebSocket-Protocol: graphql-transport-ws\r\n\r\n".encode()
    )
    await stuck.read(b"\r\n\r\n")
    pad = "." * 100
    await stuck.message(type="connection_init", payload={"authorization": f"Bearer {secret}", "pad": pad})
    await stuck.read(b"connection_ack")
    for number, query in enumerate((ALERTS, "{ eventCursor }")):
        payload = {"query": query, "extensions": {"pad": pad}}
        await stuck.message(id=str(number), type="subscribe", payload=payload)
    await stuck.read(b"complete")  # the query was answered, so the subscription stands


async def stuck_stream(stuck: Stuck, secret: str) -> None:
    """The same over server-sent events."""
    body = json.dumps({"query": ALERTS}).encode()
    await stuck.open("POST /graphql HTTP/1.1")
    await stuck.send(
        f"Authorization: Bearer {secret}\r\nAccept: text/event-stream\r\nContent-Type: application/json\r\n"
        f"Content-Length: {len(body)}\r\n\r\n".encode()
        + body
    )
    await stuck.read(b"id: ")


@needs_linux
async def test_who_stops_reading_is_let_go_and_the_others_are_told(sqlite_store: Store) -> None:
    hub = FakeHub(sqlite_store)
    await customers(hub.store, acme="ann@us.example")
    one, two, three = [await token(hub.store) for _ in range(3)]
    async with serving(hub) as (host, server, sessions), connected(host, three) as steady:
        await steady.subscribe(ALERTS)
        await settled(steady)
        first, second = Stuck(host), Stuck(host)
        with first.socket, second.socket:
            await stuck_socket(first, one)
            await stuck_stream(second, two)
            open_here = server.server_state.connections
            assert (sessions.count, len(open_here)) == (3, 3)
            await open_alert(hub.store, *(f"{number}{LONG}" for number in range(6)))
            for number in range(6):
                assert (await steady.next())["alert"]["title"].startswith(f"title of {number}x")
            await until(lambda: sessions.count == 1)
            assert len(open_here) == 3, "what was written before stays with the system until that gives up, too"
            for each in open_here:
                accepted = each.transport.get_extra_info("socket")
                assert accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT) == STUCK_SECONDS * 1_000
                accepted.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, 100)
            await until(lambda: (len(open_here), len(server.server_state.tasks)) == (1, 1))
        async with connected(host, one) as again:  # of_token is 1: the place was given back
            await settled(again)
        await open_alert(hub.store, "last")
        assert (await steady.next())["alert"]["title"] == "title of last"
