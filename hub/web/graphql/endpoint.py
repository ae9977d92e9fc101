"""The ASGI application at /graphql: who asks, what, and the answer with the status and type that client understands.

    Endpoint(answer, find_viewer=…, origins=…)

A client that hangs up before its answer is ready cancels the work for it. It is watched for only after a moment, because
most answers are ready before that.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import orjson
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from hub.access import Viewer
from hub.web.browsers import Browsers
from hub.web.graphql import accept
from hub.web.graphql.origins import METHODS, Origins
from hub.web.graphql.reading import LARGEST_BODY, Asked, BadRequestError, check_content_type, got, posted

_PATIENCE_SECONDS = 0.05
_ALWAYS_SAID = frozenset({405, 429})
"""Statuses that older clients get too: they are not about GraphQL, and what retries requests goes by them."""

_NOT_KEPT = {
    type_: {"content-type": f"{type_}; charset=utf-8", "cache-control": "no-store"}
    for type_ in (accept.JSON, accept.RESPONSE)
}


@dataclass(frozen=True, slots=True)
class Answered:
    """An answer. `status`: as clients of the newer media type get it."""

    body: bytes
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)


Answering = Callable[[Asked, Viewer, bool], Awaitable[Answered]]
"""(what is asked, who asks, whether only reading is allowed)"""
FindViewer = Callable[[Mapping[str, str]], Awaitable[Viewer | None]]


class _GoneError(Exception):
    """The client hung up."""


class Endpoint:
    """See the module."""

    def __init__(
        self,
        answer: Answering,
        *,
        find_viewer: FindViewer,
        origins: Origins | None = None,
        browsers: Browsers | None = None,
    ) -> None:
        self.answer = answer
        self.find_viewer = find_viewer
        self.origins = origins or Origins()
        self.browsers = browsers
        self._patience = Patience()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        # names are in small letters already; of a header that is there twice the first counts
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in [*scope["headers"]][::-1]}
        origin = headers.get("origin")
        if scope["method"] == "OPTIONS":
            answered = Answered(b"", 204, {"allow": METHODS, **self.origins.preflight(origin)})
        else:
            try:
                answered = await self._respond(scope, headers, receive)
            except _GoneError:
                return
            if allowed := self.origins.headers(origin):
                answered = replace(answered, headers={**answered.headers, **allowed})
        await _send(answered, send, head=scope["method"] == "HEAD")

    async def _respond(self, scope: Scope, headers: Mapping[str, str], receive: Receive) -> Answered:
        type_ = accept.chosen(headers.get("accept"))
        if type_ is None:
            return _refused(f"the answer is {accept.RESPONSE} or {accept.JSON}: accept one of them", 406)
        if scope["method"] not in ("GET", "HEAD", "POST"):
            return _refused("send a POST, or a GET to read", 405, type_=type_, headers={"allow": METHODS})
        viewer = await self.find_viewer(headers)
        if viewer is None:
            return _refused(
                "a valid token is needed: Authorization: Bearer cshub_… (cshub token create makes one)",
                401,
                code="UNAUTHENTICATED",
                type_=type_,
                headers={"www-authenticate": 'Bearer realm="cshub"'},
            )
        if viewer.session is not None and (why := why_no_call(self.browsers, headers, scope["method"])):
            return _refused(why, 403, code="FORBIDDEN", type_=type_)
        reading_only = scope["method"] != "POST"
        try:
            asked = got(scope["query_string"], headers) if reading_only else await self._posted(headers, receive)
        except BadRequestError as error:
            return _refused(str(error), error.status, type_=type_, headers=error.headers)
        answered = await _unless_gone(receive, self.answer(asked, viewer, reading_only), self._patience)
        status = answered.status if type_ == accept.RESPONSE or answered.status in _ALWAYS_SAID else 200
        allowing = {"allow": "POST"} if status == 405 else {}
        return Answered(answered.body, status, {**answered.headers, **_NOT_KEPT[type_], **allowing})

    async def _posted(self, headers: Mapping[str, str], receive: Receive) -> Asked:
        check_content_type(headers.get("content-type"), headers.get("content-encoding"))
        body = bytearray()
        while True:
            message = await receive()
            if message["type"] == "http.disconnect":
                raise _GoneError
            body += message.get("body", b"")
            if len(body) > LARGEST_BODY:
                raise BadRequestError(f"the request is larger than {LARGEST_BODY:,} bytes", 413)
            if not message.get("more_body", False):
                return posted(bytes(body))


def why_no_call(browsers: Browsers | None, headers: Mapping[str, str], method: str) -> str | None:
    """Why who came with a session's cookie is refused; None where a page of ours calls."""
    return "this takes a token" if browsers is None else browsers.why_no_call(headers, method)


class Patience:
    """Calls what still waits after a moment: `_PATIENCE_SECONDS`, or up to twice that. One timer is set for all of them."""

    def __init__(self) -> None:
        self._young: dict[object, Callable[[], None]] = {}
        self._old: dict[object, Callable[[], None]] = {}
        self._ticking = False

    def wait(self, who: object, call: Callable[[], None]) -> None:
        self._young[who] = call
        if not self._ticking:
            self._ticking = True
            asyncio.get_running_loop().call_later(_PATIENCE_SECONDS, self._tick)

    def done(self, who: object) -> None:
        if self._young.pop(who, None) is None:
            self._old.pop(who, None)

    def _tick(self) -> None:
        late, self._old, self._young = self._old, self._young, {}
        self._ticking = bool(self._old)
        if self._ticking:
            asyncio.get_running_loop().call_later(_PATIENCE_SECONDS, self._tick)
        for call in late.values():
            call()


async def _unless_gone(receive: Receive, answer: Awaitable[Answered], patience: Patience) -> Answered:
    """The answer; where the client hangs up first, its work is cancelled."""
    working = asyncio.current_task()
    assert working is not None, "a request is answered in a task"
    watching: asyncio.Task[None] | None = None
    gone = False

    async def watch() -> None:
        nonlocal gone
        while (await receive())["type"] != "http.disconnect":
            pass
        gone = True
        working.cancel()

    def begin() -> None:
        nonlocal watching
        watching = asyncio.create_task(watch())

    patience.wait(working, begin)
    try:
        return await answer
    except asyncio.CancelledError:
        if gone and working.uncancel() == 0:
            raise _GoneError from None
        raise
    finally:
        patience.done(working)
        if watching is not None:
            watching.cancel()


async def _send(answered: Answered, send: Send, *, head: bool) -> None:
    headers = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in answered.headers.items()]
    if answered.status != 204:
        headers.append((b"content-length", b"%d" % len(answered.body)))
    await send({"type": "http.response.start", "status": answered.status, "headers": headers})
    await send({"type": "http.response.body", "body": b"" if head else answered.body})


def _refused(
    message: str,
    status: int,
    *,
    code: str = "BAD_REQUEST",
    type_: str = accept.JSON,
    headers: Mapping[str, str] | None = None,
) -> Answered:
    body: dict[str, Any] = {"errors": [{"message": message, "extensions": {"code": code}}]}
    return Answered(orjson.dumps(body), status, {**(headers or {}), **_NOT_KEPT[type_]})


def refused(
    message: str,
    status: int,
    *,
    code: str = "BAD_REQUEST",
    type_: str = accept.JSON,
    headers: Mapping[str, str] | None = None,
) -> Response:
    """An answer to what is no request, or nobody's."""
    made = _refused(message, status, code=code, type_=type_, headers=headers)
    return Response(made.body, status, made.headers)
