"""The demo's Slack workspace: the Web API methods the hub calls, with Slack's own limits and ways of saying no.

    POST /api/chat.postMessage  /api/chat.update  /api/conversations.open  /api/views.publish  /api/views.open
    GET or POST /api/auth.test  /api/api.test  /api/users.lookupByEmail  /api/users.info
    /api/files.getUploadURLExternal, POST /upload/<id>, /api/files.completeUploadExternal
    POST /press  /command  /home      what people do there: hub.demo.pressing
    GET, POST /_faults          what goes wrong: see Faults

Bodies are JSON or forms, answers are HTTP 200 with `ok` even where the call failed. A channel takes about a message a second
after a short burst, then 429 with Retry-After. What is taken is in the outbox before it is answered.
"""

import asyncio
import hmac
import time
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from math import ceil
from typing import Any
from urllib.parse import parse_qsl

import orjson
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from hub.clock import utc_now
from hub.demo.faults import Countdown, faults_route
from hub.demo.outbox import Outbox
from hub.demo.pressing import Hand
from hub.demo.uploads import Answer, Arguments, Refused
from hub.demo.workspace import Workspace


@dataclass(slots=True, kw_only=True)
class SlackFaults(Countdown):
    """What goes wrong with the next n calls of a method that posts; each counts down as it strikes.

    rate_limited     429, with `retry_after` seconds
    server_errors    503, and nothing is posted
    dropped_answers  it is posted, and the connection is closed before Slack says so
    fatal_errors     it is posted, and the answer says fatal_error
    delay            seconds before every answer
    """

    rate_limited: int = 0
    retry_after: int = 1
    server_errors: int = 0
    dropped_answers: int = 0
    fatal_errors: int = 0
    delay: float = 0.0


class Dropped(Response):
    """Headers that promise a body, and then nothing: the server closes the connection."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"512")]})


def app(
    outbox: Outbox,
    *,
    token: str,
    people: Callable[[], Mapping[str, str]],
    channels: Collection[str] | None = None,
    faults: SlackFaults | None = None,
    burst: int = 5,
    per_second: float = 1.0,
    clock: Callable[[], datetime] = utc_now,
    monotonic: Callable[[], float] = time.monotonic,
    hub_url: str = "",
    signing_secret: str = "",
    prefix: str = "",
) -> Starlette:
    """The workspace.

    hub_url, signing_secret   where what people do is sent to, and what it is signed with
    prefix    the path below which all of this is served, such as /slack

    people    e-mail -> name of its members
    channels  names of its channels, without #; None: every well-formed name is one
    """
    workspace = Workspace(outbox, people=people, channels=channels, clock=clock)
    pace = Pace(burst=burst, per_second=per_second, monotonic=monotonic)
    faults = faults or SlackFaults()
    front = _Front(workspace, token=token, faults=faults, pace=pace, prefix=prefix)
    hand = Hand(workspace, outbox, hub_url=hub_url, signing_secret=signing_secret, prefix=prefix, clock=clock)
    return Starlette(
        routes=[
            Route("/api/{method}", front.call, methods=["GET", "POST"]),
            Route("/upload/{id}", front.upload, methods=["POST"]),
            *hand.routes(),
            faults_route(faults),
        ]
    )


class Pace:
    """A bucket of `burst` messages for each channel, refilled at `per_second`."""

    def __init__(self, *, burst: int, per_second: float, monotonic: Callable[[], float]) -> None:
        self._burst, self._rate, self._monotonic = burst, per_second, monotonic
        self._buckets: dict[str, tuple[float, float]] = {}

    def wait(self, channel: str) -> float:
        """0 and one message is taken from the bucket, or the seconds until it holds one again."""
        now = self._monotonic()
        left, seen = self._buckets.get(channel, (float(self._burst), now))
        left = min(float(self._burst), left + (now - seen) * self._rate)
        taken = left >= 1.0
        self._buckets[channel] = (left - 1.0 if taken else left, now)
        return 0.0 if taken else (1.0 - left) / self._rate


class _Front:
    """Tokens, pace and faults before the workspace."""

    def __init__(self, workspace: Workspace, *, token: str, faults: SlackFaults, pace: Pace, prefix: str) -> None:
        self._prefix = prefix
        self._workspace, self._token, self._faults, self._pace = workspace, token, faults, pace
        self._methods: Mapping[str, Callable[[Arguments], Answer]] = {
            "api.test": workspace.test,
            "auth.test": workspace.who_am_i,
            "chat.postMessage": self._post,
            "chat.update": workspace.update,
            "conversations.open": workspace.open,
            "users.lookupByEmail": workspace.look_up,
            "users.info": workspace.info,
            "views.publish": workspace.publish,
            "views.open": workspace.open_view,
            "files.completeUploadExternal": workspace.files.finish,
        }

    async def call(self, request: Request) -> Response:
        await asyncio.sleep(self._faults.delay)
        name = request.path_params["method"]
        posts = name.startswith("chat.")
        if posts and self._faults.take("rate_limited"):
            return _limited(self._faults.retry_after)
        if posts and self._faults.take("server_errors"):
            return PlainTextResponse("upstream connect error or disconnect/reset before headers", 503)
        try:
            arguments, warnings = await _arguments(request)
            if name == "files.getUploadURLExternal":
                self._check_token(request, arguments)
                at = f"{str(request.base_url).rstrip('/')}{self._prefix}/upload"
                return JSONResponse({"ok": True, **self._workspace.files.ask(arguments, at=at)})
            if name not in self._methods:
                raise Refused("unknown_method", req_method=name)
            if name != "api.test":
                self._check_token(request, arguments)
            answer = {"ok": True, **self._methods[name](arguments)}
        except Refused as refused:
            return JSONResponse(refused.answer)
        except _Wait as wait:
            return _limited(ceil(wait.seconds))
        if posts and self._faults.take("dropped_answers"):
            return Dropped()
        if posts and self._faults.take("fatal_errors"):
            return JSONResponse({"ok": False, "error": "fatal_error"})
        if warnings:
            answer |= {"warning": ",".join(warnings), "response_metadata": {"warnings": warnings}}
        return JSONResponse(answer)

    async def upload(self, request: Request) -> Response:
        taken = self._workspace.files.receive(request.path_params["id"], await request.body())
        return PlainTextResponse("OK" if taken else "not what was announced", 200 if taken else 400)

    def _post(self, arguments: Arguments) -> Answer:
        if (seconds := self._pace.wait(self._workspace.place(arguments)[0])) > 0:
            raise _Wait(seconds)
        told = self._faults.dropped_answers == 0 and self._faults.fatal_errors == 0
        return self._workspace.post(arguments, answered=told)

    def _check_token(self, request: Request, arguments: Arguments) -> None:
        header = request.headers.get("authorization", "")
        given = header.removeprefix("Bearer ") if header.startswith("Bearer ") else str(arguments.get("token", ""))
        if not given:
            raise Refused("not_authed")
        if not hmac.compare_digest(given.encode(), self._token.encode()):
            raise Refused("invalid_auth")


class _Wait(Exception):  # noqa: N818  a way out of a method, turned into a 429
    """The channel is full for so many seconds."""

    def __init__(self, seconds: float) -> None:
        super().__init__(seconds)
        self.seconds = seconds


async def _arguments(request: Request) -> tuple[dict[str, Any], list[str]]:
    """The call's arguments, and Slack's warnings about how they were sent."""
    arguments: dict[str, Any] = dict(request.query_params)
    body = await request.body()
    kind, _, parameters = request.headers.get("content-type", "").partition(";")
    if request.method == "GET" or not body:
        return arguments, []
    if kind == "application/json":
        try:
            given = orjson.loads(body)
        except orjson.JSONDecodeError:
            raise Refused("invalid_json") from None
        if not isinstance(given, dict):
            raise Refused("json_not_object")
        return arguments | given, [] if "charset" in parameters else ["missing_charset"]
    if kind != "application/x-www-form-urlencoded":
        raise Refused("invalid_post_type" if kind else "missing_post_type")
    form: dict[str, Any] = dict(parse_qsl(body.decode(errors="replace"), keep_blank_values=True))
    for name in ("blocks", "metadata"):
        if name in form:
            try:
                form[name] = orjson.loads(form[name])
            except orjson.JSONDecodeError:
                raise Refused(f"invalid_{name}_format") from None
    return arguments | form, []


def _limited(seconds: int) -> Response:
    return JSONResponse({"ok": False, "error": "ratelimited"}, 429, {"Retry-After": str(seconds)})
