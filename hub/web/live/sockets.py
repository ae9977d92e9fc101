"""The WebSocket at /graphql, which speaks graphql-transport-ws.

    Socket(port, sessions, limits, origins)        an ASGI application for the scope "websocket"

The token comes in the Authorization header of the handshake or in the payload of connection_init; on pages of the hub the
session's cookie does. Browsers say which page
opened a socket, and other sites' pages are refused before that, as they are over HTTP. Codes it closes with: 4400 a message
that is none, 4401 an operation before connection_init was acknowledged, 4403 no valid token, now or no longer, 4406 another
subprotocol, 4408 no connection_init in time, 4409 an id that is in use, 4429 a second connection_init, 1001 the process ends,
1013 too many connections, or tokens cannot be looked at now.
"""

import asyncio
from typing import Any

import orjson
from starlette.datastructures import Headers
from starlette.types import Receive, Scope, Send
from starlette.websockets import WebSocket, WebSocketDisconnect

from hub.access import Viewer
from hub.errors import RefusedError, TransientError
from hub.web.browsers import Browsers
from hub.web.graphql.origins import Origins
from hub.web.live.operations import ClosedError, Operations, authorization
from hub.web.live.port import Limits, Port
from hub.web.live.sessions import Reason, Sessions

PROTOCOL = "graphql-transport-ws"
ACK = b'{"type":"connection_ack"}'


class Socket:
    """See the module."""

    def __init__(
        self, port: Port, sessions: Sessions, limits: Limits, *, origins: Origins, browsers: Browsers | None = None
    ) -> None:
        self._port = port
        self._sessions = sessions
        self._limits = limits
        self._origins = origins
        self._browsers = browsers

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        socket = WebSocket(scope, receive, send)
        if not is_ours(socket.headers, self._origins):
            await socket.close()  # before it is accepted: 403
            return
        if PROTOCOL not in scope["subprotocols"]:
            await socket.accept()
            await socket.close(4406, "Subprotocol not acceptable")
            return
        await socket.accept(PROTOCOL)
        await _Connection(socket, self._port, self._sessions, self._limits, self._browsers).run()


class _Connection:
    """One open socket."""

    def __init__(
        self, socket: WebSocket, port: Port, sessions: Sessions, limits: Limits, browsers: Browsers | None
    ) -> None:
        self._socket = socket
        self._port = port
        self._sessions = sessions
        self._limits = limits
        self._browsers = browsers
        self._sending = asyncio.Lock()
        self._stopped: asyncio.Future[ClosedError] = asyncio.get_running_loop().create_future()

    async def run(self) -> None:
        try:
            try:
                with self._sessions.arriving():
                    viewer = await self._begin()
                with self._sessions.entered(viewer, self._end):
                    await self._serve(viewer)
            except RefusedError as error:
                raise ClosedError(1013, str(error)[:120]) from None
        except ClosedError as closed:
            await self._close(closed)
        except WebSocketDisconnect:
            return

    async def _begin(self) -> Viewer:
        """Wait for connection_init, and say who it is."""
        try:
            async with asyncio.timeout(self._limits.init_seconds):
                while (message := await self._receive())["type"] in ("ping", "pong"):
                    await self._answer(message)
        except TimeoutError:
            raise ClosedError(4408, "Connection initialisation timeout") from None
        if message["type"] != "connection_init":
            raise ClosedError(
                4401 if message["type"] == "subscribe" else 4400, "Unauthorized: connection_init comes first"
            )
        headers: Headers = authorization(message.get("payload")) or self._socket.headers
        try:
            viewer = await self._port.find_viewer(headers)
        except TransientError as error:  # whether the token is good can't be told now
            raise ClosedError(1013, str(error)[:120]) from None
        if viewer is None:
            raise ClosedError(4403, "Forbidden: a valid token is needed")
        if viewer.session is not None:
            why = "a token is needed" if self._browsers is None else self._browsers.why_no_socket(self._socket.headers)
            if why is not None:
                raise ClosedError(4403, f"Forbidden: {why}"[:120])
        return viewer

    async def _serve(self, viewer: Viewer) -> None:
        await self._send(ACK)
        operations = Operations(self._port, self._limits, viewer, send=self._send, stop=self._stop)
        reading = asyncio.create_task(self._read(operations))
        try:
            either: set[asyncio.Future[Any]] = {reading, self._stopped}
            await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
            if self._stopped.done():
                raise self._stopped.result()
            await reading
        finally:
            reading.cancel()
            await asyncio.gather(reading, return_exceptions=True)
            await operations.close()

    async def _read(self, operations: Operations) -> None:
        while True:
            message = await self._receive()
            match message["type"]:
                case "subscribe":
                    await operations.begin(message.get("id"), message.get("payload"))
                case "complete":
                    operations.end(message.get("id"))
                case "ping" | "pong":
                    await self._answer(message)
                case "connection_init":
                    raise ClosedError(4429, "Too many initialisation requests")
                case _:
                    raise ClosedError(4400, "a message of an unknown type")

    async def _answer(self, message: dict[str, Any]) -> None:
        if message["type"] == "ping":
            payload = {"payload": message["payload"]} if isinstance(message.get("payload"), dict) else {}
            try:
                answer = orjson.dumps({"type": "pong", **payload})
            except orjson.JSONEncodeError:
                raise ClosedError(4400, "a message is nested too deeply") from None
            await self._send(answer)

    async def _receive(self) -> dict[str, Any]:
        given = await self._socket.receive()
        if given["type"] == "websocket.disconnect":
            raise WebSocketDisconnect(given.get("code", 1005))
        text = given.get("text")
        try:
            message = orjson.loads(text) if isinstance(text, str) else None
        except orjson.JSONDecodeError:
            message = None
        if not isinstance(message, dict) or not isinstance(message.get("type"), str):
            raise ClosedError(4400, "a message is a JSON object with a type")
        return message

    async def _send(self, text: bytes) -> None:
        """One message at a time; who does not take it in time is let go, for what waits would only grow."""
        try:
            async with asyncio.timeout(self._limits.send_seconds), self._sending:
                await self._socket.send({"type": "websocket.send", "text": text.decode()})
        except TimeoutError:
            raise ClosedError(1013, "Too slow: subscribe again, after the last cursor you had") from None
        except WebSocketDisconnect:
            raise ClosedError(1006, "") from None

    def _end(self, reason: Reason) -> None:
        self._stop(ClosedError(1001, "Going away") if reason == "closing" else ClosedError(4403, "Forbidden"))

    def _stop(self, closed: ClosedError) -> None:
        if not self._stopped.done():
            self._stopped.set_result(closed)

    async def _close(self, closed: ClosedError) -> None:
        if closed.code == 1006:  # the other side has gone
            return
        try:
            async with asyncio.timeout(self._limits.send_seconds):
                await self._socket.close(closed.code, closed.reason)
        except (TimeoutError, WebSocketDisconnect, RuntimeError):  # gone in the meantime
            return


def is_ours(headers: Headers, origins: Origins) -> bool:
    """Whether a page that may use this API asks, or no page at all."""
    origin = headers.get("origin")
    if origin is None:
        return True
    host = origin.lower().partition("://")[2]
    return host == headers.get("host", "").lower() or origin.lower() in origins.allowed
