"""/graphql as server-sent events, for those who accept text/event-stream: a connection for each operation.

    Streaming(port, sessions, limits, otherwise)       an ASGI application; who accepts no events gets what `otherwise` gives

`event: next` has a result, `event: complete` ends it. The id of an event is its cursor, which browsers send back as
Last-Event-ID when they connect again by themselves: it goes on behind that event. The first thing sent is the id of the place
it begins at, so that this is true before the first event, too. A comment every few seconds keeps proxies from hanging up.
"""

import asyncio
from collections.abc import AsyncGenerator, Mapping

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from hub.access import Viewer
from hub.errors import RefusedError
from hub.events import EndedError, Ending, Parcel
from hub.web.browsers import Browsers
from hub.web.graphql.endpoint import refused, why_no_call
from hub.web.graphql.origins import Origins
from hub.web.graphql.reading import LARGEST_BODY, Asked, BadRequestError, check_content_type, got, posted
from hub.web.live.port import Limits, Port, Refused
from hub.web.live.sessions import Reason, Sessions

EVENTS = "text/event-stream"
_COMPLETE = b"event: complete\ndata:\n\n"
_BEAT = b":\n\n"


class Streaming:
    """See the module."""

    def __init__(
        self,
        port: Port,
        sessions: Sessions,
        limits: Limits,
        *,
        origins: Origins,
        otherwise: ASGIApp,
        browsers: Browsers | None = None,
    ) -> None:
        self._port = port
        self._sessions = sessions
        self._limits = limits
        self._origins = origins
        self._otherwise = otherwise
        self._browsers = browsers

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = Headers(scope=scope)
        if scope["method"] not in ("GET", "POST") or not accepts_events(headers.get("accept")):
            await self._otherwise(scope, receive, send)
            return
        origin = self._origins.headers(headers.get("origin"))
        viewer = await self._port.find_viewer(headers)
        if viewer is None:
            response = refused(
                "a valid token is needed", 401, code="UNAUTHENTICATED", headers={"www-authenticate": "Bearer"}
            )
            response.headers.update(origin)
            await response(scope, receive, send)
            return
        if viewer.session is not None and (why := why_no_call(self._browsers, headers, scope["method"])):
            await refused(why, 403, code="FORBIDDEN", headers=origin)(scope, receive, send)
            return
        gone = asyncio.Event()
        stopped = asyncio.Event()
        try:
            asked = got(scope["query_string"], headers) if scope["method"] == "GET" else await _posted(headers, receive)

            def end(reason: Reason) -> None:
                if reason == "revoked":  # when the process ends, the stream itself does
                    stopped.set()

            with self._sessions.entered(viewer, end):
                stream = _Stream(self._port, self._limits, send, gone=gone, stopped=stopped)
                reading = asyncio.create_task(_watch(receive, gone))
                try:
                    await stream.run(asked, viewer, headers.get("last-event-id"), scope["method"] == "GET", origin)
                finally:
                    reading.cancel()
        except BadRequestError as error:
            await refused(str(error), error.status, headers={**error.headers, **origin})(scope, receive, send)
        except RefusedError as error:
            await refused(str(error), 503, code="TOO_MANY", headers=origin)(scope, receive, send)


class _Stream:
    """One response. gone: the other side hung up; stopped: its token is no longer valid."""

    def __init__(self, port: Port, limits: Limits, send: Send, *, gone: asyncio.Event, stopped: asyncio.Event) -> None:
        self._port = port
        self._limits = limits
        self._send = send
        self._gone = gone
        self._stopped = stopped

    async def run(
        self, asked: Asked, viewer: Viewer, last: str | None, reading_only: bool, headers: Mapping[str, str]
    ) -> None:
        if not self._port.streams(asked, viewer):
            answered = await self._port.answer(asked, viewer, reading_only=reading_only)
            if isinstance(answered, Refused):
                await self._refuse(answered, headers)
                return
            await self._begin(200, EVENTS, headers)
            await self._write(_event(answered) + _COMPLETE, more=False)
            return
        given = await self._port.subscribe(asked, viewer, last or None)
        if isinstance(given, Refused):
            await self._refuse(given, headers)
            return
        await self._begin(200, EVENTS, headers)
        await self._write(f"id: {given.cursor}\n\n".encode())
        try:
            await self._tell(given.parcels)
        except EndedError as error:
            if error.ending is not Ending.CLOSING:
                await self._write(_event(b'{"errors":' + self._port.ended(error) + b"}"))
        except (TimeoutError, _OverError):
            return  # it is not told: it takes nothing, is not there, or has no right to it
        await self._write(_COMPLETE, more=False)

    async def _tell(self, parcels: AsyncGenerator[Parcel]) -> None:
        """Tell what comes, and in between that we are still there."""
        over = [asyncio.create_task(each.wait()) for each in (self._gone, self._stopped)]
        coming: asyncio.Task[Parcel] | None = None
        try:
            while True:
                coming = coming or asyncio.create_task(_next(parcels))
                await asyncio.wait(
                    {coming, *over}, timeout=self._limits.beat_seconds, return_when=asyncio.FIRST_COMPLETED
                )
                if self._gone.is_set() or self._stopped.is_set():
                    raise _OverError
                if not coming.done():
                    await self._write(_BEAT)
                    continue
                parcel, coming = coming.result(), None
                await self._write(_event(parcel.body, cursor=self._port.cursor(parcel.number)))
        finally:
            tasks = [*over, *([coming] if coming is not None else [])]
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            await parcels.aclose()

    async def _refuse(self, given: Refused, headers: Mapping[str, str]) -> None:
        await self._begin(given.status, "application/json; charset=utf-8", headers)
        await self._write(given.body, more=False)

    async def _begin(self, status: int, type_: str, headers: Mapping[str, str]) -> None:
        own = {"content-type": type_, "cache-control": "no-store", "x-accel-buffering": "no", **headers}
        raw = [(name.encode(), value.encode()) for name, value in own.items()]
        await self._send({"type": "http.response.start", "status": status, "headers": raw})

    async def _write(self, body: bytes, *, more: bool = True) -> None:
        async with asyncio.timeout(self._limits.send_seconds):
            await self._send({"type": "http.response.body", "body": body, "more_body": more})


class _OverError(Exception):
    """Nobody is there any more who may be told."""


async def _next(parcels: AsyncGenerator[Parcel]) -> Parcel:
    return await anext(parcels)


async def _watch(receive: Receive, gone: asyncio.Event) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
    gone.set()


async def _posted(headers: Headers, receive: Receive) -> Asked:
    check_content_type(headers.get("content-type"), headers.get("content-encoding"))
    body = bytearray()
    more = True
    while more:
        message = await receive()
        body += message.get("body", b"")
        if len(body) > LARGEST_BODY:
            raise BadRequestError(f"the request is larger than {LARGEST_BODY:,} bytes", 413)
        more = message.get("more_body", False)
    return posted(bytes(body))


def accepts_events(accept: str | None) -> bool:
    """Whether a client names events, rather than taking anything."""
    ranges = [part.partition(";")[0].strip().lower() for part in (accept or "").split(",")]
    return EVENTS in ranges


def _event(body: bytes, *, cursor: str | None = None) -> bytes:
    """An event `next`; our JSON is one line."""
    id_ = b"" if cursor is None else f"id: {cursor}\n".encode()
    return b"event: next\n" + id_ + b"data: " + body + b"\n\n"
