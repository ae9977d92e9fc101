"""What the vendors' sandboxes share: faults that can be switched on, token checks, rate limits, one rendering per World.

    def app(world, *, token, faults):
        rendered = Rendered(world, render)              # vendor JSON, made again only when the world has grown
        async def tickets(request): ...
        return assemble([Route("/api/v2/…", tickets)], faults=faults, limited=limited)

`assemble` puts `FaultInjection` around the routes, and adds `/_faults`: GET shows the faults, POST with a JSON object of
some of `Faults`' fields changes them while the sandbox runs.
"""

import asyncio
import hmac
from collections import deque
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import asdict, dataclass, fields
from typing import Any, ClassVar, Generic, TypeVar
from weakref import WeakSet

import orjson
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import BaseRoute, Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from connectors.kit import tempo
from connectors.kit.simulated import World

Item = TypeVar("Item")
Made = TypeVar("Made")
ELSEWHERE = b"//elsewhere.example"
MAINTENANCE = b"<!DOCTYPE html><html><body><h1>We'll be right back</h1></body></html>"


@dataclass(slots=True, kw_only=True)
class Faults:
    """What goes wrong. A number n: the next n requests; each counts down as it strikes.

    rate_limited    429 in the vendor's style; `retry_after` seconds, where its style tells
    server_errors   503
    resets          the connection is closed before an answer
    truncated       the connection is closed in the middle of the body
    cut_json        the body is half as long, and its Content-Length says that is all
    html            200 with a maintenance page
    repeated_pages  a request to a path asked before gets the answer that path gave last time, page token and all
    duplicate_rows  a page begins with the last row of the one before, where the sandbox serves pages by `take`
    empty_pages     a page without rows that leads on to the next one, where the sandbox has pages and its vendor does so
    foreign_next    links to the sandbox itself in a body lead to another host
    expired         401, as for a credential that has run out; a source that can renews it, once
    forbidden       403, as for a credential that lacks a permission
    drip            seconds between the pieces of a body, while above 0
    only            strike only requests whose path begins so
    """

    rate_limited: int = 0
    retry_after: int = 0
    server_errors: int = 0
    resets: int = 0
    truncated: int = 0
    cut_json: int = 0
    html: int = 0
    repeated_pages: int = 0
    duplicate_rows: int = 0
    empty_pages: int = 0
    foreign_next: int = 0
    expired: int = 0
    forbidden: int = 0
    drip: float = 0.0
    only: str = ""

    def take(self, name: str) -> bool:
        """Whether fault `name` strikes now; counts it down."""
        left: int = getattr(self, name)
        if left > 0:
            setattr(self, name, left - 1)
        return left > 0


Limited = Callable[[Faults], Response]


def limited_plainly(faults: Faults) -> Response:
    """429 as plain text with Retry-After in seconds."""
    return PlainTextResponse("Too many requests", 429, {"Retry-After": str(faults.retry_after)})


def expired_plainly(faults: Faults) -> Response:
    """401 as JSON."""
    return JSONResponse({"error": "the credential has expired"}, 401)


class FaultInjection:
    """ASGI middleware around a sandbox's routes."""

    def __init__(
        self,
        app: ASGIApp,
        *,
        faults: Faults,
        limited: Limited = limited_plainly,
        expired: Limited = expired_plainly,
        logins: Collection[str] = (),
    ) -> None:
        self._app, self._faults, self._limited, self._expired = app, faults, limited, expired
        self._logins = logins
        self._last: dict[str, list[Message]] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        faults, path = self._faults, scope.get("path", "")
        login = any(path.endswith(each) for each in self._logins)  # it may be mounted somewhere
        if scope["type"] != "http" or path == "/_faults" or not path.startswith(faults.only):
            await self._app(scope, receive, send)
        elif faults.take("resets"):
            return  # the server closes the connection on an app that ends without an answer
        elif not login and faults.take("rate_limited"):
            await self._limited(faults)(scope, receive, send)
        elif faults.take("server_errors"):
            await PlainTextResponse("upstream connect error", 503)(scope, receive, send)
        elif not login and faults.take("expired"):
            await self._expired(faults)(scope, receive, send)
        elif faults.take("forbidden"):
            await JSONResponse({"error": "this credential may not do that"}, 403)(scope, receive, send)
        elif faults.take("html"):
            await Response(MAINTENANCE, 200, media_type="text/html")(scope, receive, send)
        elif path in self._last and faults.take("repeated_pages"):
            for message in self._last[path]:
                await send(message)
        else:
            await self._answer(scope, receive, send, path)

    async def _answer(self, scope: Scope, receive: Receive, send: Send, path: str) -> None:
        faults = self._faults
        messages: list[Message] = []

        async def collect(message: Message) -> None:
            messages.append(message)

        await self._app(scope, receive, collect)
        self._last[path] = messages
        body = b"".join(message.get("body", b"") for message in messages[1:])
        start = dict(messages[0])
        if (own := _own_host(scope)) in body and faults.take("foreign_next"):
            body = body.replace(own, ELSEWHERE)
            start["headers"] = _sized(start["headers"], len(body))
        if faults.take("truncated"):
            await send(start)
            await send({"type": "http.response.body", "body": body[: len(body) // 2], "more_body": True})
            return
        if faults.take("cut_json"):
            body = body[: len(body) // 2]
            start["headers"] = _sized(start["headers"], len(body))
        await send(start)
        if faults.drip > 0:
            piece = max(1, len(body) // 8)
            for begin in range(0, len(body), piece):
                await send({"type": "http.response.body", "body": body[begin : begin + piece], "more_body": True})
                await asyncio.sleep(faults.drip)
            body = b""
        await send({"type": "http.response.body", "body": body})


def _own_host(scope: Scope) -> bytes:
    """The host and port the request was sent to, as a link to the sandbox itself names them."""
    return b"//" + next((value for name, value in scope["headers"] if name == b"host"), b"?")


def _sized(headers: Sequence[tuple[bytes, bytes]], size: int) -> list[tuple[bytes, bytes]]:
    others = [(name, value) for name, value in headers if name != b"content-length"]
    return [*others, (b"content-length", str(size).encode())]


def assemble(
    routes: Sequence[BaseRoute],
    *,
    faults: Faults,
    limited: Limited = limited_plainly,
    expired: Limited = expired_plainly,
    logins: Collection[str] = (),
) -> Starlette:
    """The sandbox: its routes, `/_faults`, and the faults around them. `limited` makes the vendor's 429, `expired` its 401.

    `logins` are the paths where tokens are given out: no limit of the API and no old token is met there.
    """

    async def switch(request: Request) -> Response:
        if request.method == "POST":
            wanted = orjson.loads(await request.body())
            known = {field.name for field in fields(Faults)}
            if not isinstance(wanted, dict) or not set(wanted) <= known:
                return JSONResponse({"error": f"faults are: {', '.join(sorted(known))}"}, 400)
            for name, value in wanted.items():
                setattr(faults, name, value)
        return JSONResponse(asdict(faults))

    return Starlette(
        routes=[Route("/_faults", switch, methods=["GET", "POST"]), *routes],
        middleware=[Middleware(FaultInjection, faults=faults, limited=limited, expired=expired, logins=logins)],
    )


class Rendered(Generic[Made]):
    """A vendor's view of the World, made once per World: `rendered()` is made again when `world()` is another one."""

    _all: ClassVar[WeakSet["Rendered[Any]"]] = WeakSet()

    def __init__(self, world: Callable[[], World], make: Callable[[World], Made]) -> None:
        self._world, self._make = world, make
        self._of: World | None = None
        self._made: Made | None = None
        self._all.add(self)

    def __call__(self) -> Made:
        world = self._world()
        if self._made is None or world is not self._of:
            self._made, self._of = self._make(world), world
        return self._made

    @classmethod
    def again(cls) -> None:
        """Make now what will be asked for: the views, as of now, that have been asked for before."""
        for each in list(cls._all):
            if each._of is not None:
                each()


class EachOnce(Generic[Item, Made]):
    """`each_once(items)`: what `make` makes of each object, made once for as long as it is among the items asked for.

    For Worlds that share what has not changed between them. What is made is shared, too: nobody may change it.
    """

    def __init__(self, make: Callable[[Item], Made]) -> None:
        self._make = make
        self._known: dict[int, tuple[Item, Made]] = {}

    def __call__(self, items: Iterable[Item]) -> list[Made]:
        before = self._known
        known: dict[int, tuple[Item, Made]] = {}
        made: list[Made] = []
        for item in items:
            entry = before.get(id(item))  # which holds the object, so that its id is no other's
            if entry is None:
                entry = item, self._make(item)
            known[id(item)] = entry
            made.append(entry[1])
        self._known = known
        return made


class Limiter:
    """A sandbox's own rate limit: at most `requests` in any `seconds`."""

    def __init__(self, requests: int, seconds: float, *, monotonic: Callable[[], float] = tempo.monotonic) -> None:
        self.requests, self.seconds, self._monotonic = requests, seconds, monotonic
        self._hits: deque[float] = deque()

    def hit(self) -> tuple[bool, int, float]:
        """(allowed, requests left, seconds until one more is free)."""
        now = self._monotonic()
        while self._hits and self._hits[0] <= now - self.seconds:
            self._hits.popleft()
        allowed = len(self._hits) < self.requests
        if allowed:
            self._hits.append(now)
        return allowed, self.requests - len(self._hits), self._hits[0] + self.seconds - now


def authorized(request: Request, expected: str) -> bool:
    """Whether the Authorization header is `expected` ("Bearer …", "Basic …")."""
    return hmac.compare_digest(request.headers.get("authorization", "").encode(), expected.encode())
