"""The web application: the GraphQL API at /graphql, a page to explore it, static files, and a health check.

    app(hub)            a Starlette application over anything that has a store, actions, a clock and playbooks

Every request to /graphql needs a token (Authorization: Bearer cshub_…), introspection too. POST takes one JSON object, GET
takes queries only; a browser cannot be made to send either across sites without being asked first, because JSON is not a
content type of forms and no cookie is ever looked at.
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

import orjson
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from hub.access import Viewer
from hub.access.tokens import find_viewer
from hub.store import Store
from hub.store.ping import answers
from hub.web import graphiql
from schema.answering import answer
from schema.context import Actions, Context, PlaybookDefinition, SourceDefinition
from schema.nodes import global_id

LARGEST_BODY = 1_000_000
_RESPONSE_TYPE = "application/graphql-response+json"
_HEADERS = {
    "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cross-origin-resource-policy": "same-origin",
}


class HubLike(Protocol):
    """What the web application needs of a hub. `start` and `stop` are called with the server."""

    @property
    def store(self) -> Store: ...

    @property
    def actions(self) -> Actions: ...

    @property
    def clock(self) -> Callable[[], datetime]: ...

    def playbooks(self) -> Sequence[PlaybookDefinition]: ...

    def sources(self) -> Sequence[SourceDefinition]: ...

    async def start(self) -> None: ...

    async def stop(self) -> None: ...


def app(hub: HubLike, *, demo_token: str | None = None, routes: Sequence[BaseRoute] = ()) -> Starlette:
    """The application. `demo_token`: fill it in on the explorer's page; `routes`: more of them, such as webhooks."""

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        await hub.start()
        try:
            yield
        finally:
            await hub.stop()

    page = graphiql.page(demo_token=demo_token)

    async def explore(_: Request) -> Response:
        return HTMLResponse(page, headers={"content-security-policy": graphiql.CONTENT_SECURITY_POLICY})

    async def customer(request: Request) -> Response:
        """Where the links of messages lead."""
        id_ = global_id("customer", request.path_params["key"])
        made = graphiql.page(demo_token=demo_token, customer=id_)
        return HTMLResponse(made, headers={"content-security-policy": graphiql.CONTENT_SECURITY_POLICY})

    async def home(_: Request) -> Response:
        return RedirectResponse("/graphiql")

    async def healthz(_: Request) -> Response:
        reachable = await answers(hub.store)
        return JSONResponse({"store": "ok" if reachable else "unreachable"}, status_code=200 if reachable else 503)

    return Starlette(
        routes=[
            Route("/graphql", _graphql(hub), methods=["GET", "POST"]),
            Route("/graphiql", explore),
            Route("/customers/{key}", customer),
            Route("/healthz", healthz),
            Mount("/static/graphiql", _Only(StaticFiles(directory=graphiql.assets_folder()), graphiql.ASSETS)),
            Mount("/static", StaticFiles(directory=graphiql.OURS)),
            *routes,
            Route("/", home),
        ],
        middleware=[Middleware(_SafeHeaders)],
        lifespan=lifespan,
    )


@dataclass(frozen=True, slots=True)
class _Asked:
    query: str
    variables: Mapping[str, Any] | None
    operation: str | None


class _BadRequestError(Exception):
    """A request that is no GraphQL request; answered with its status and message."""

    def __init__(self, message: str, status: int = 400) -> None:
        super().__init__(message)
        self.status = status


def _graphql(hub: HubLike) -> Callable[[Request], Awaitable[Response]]:
    async def graphql(request: Request) -> Response:
        now = hub.clock()
        viewer = await _viewer(hub.store, request, now=now)
        if viewer is None:
            return _error(
                "a valid token is needed: Authorization: Bearer cshub_… (cshub token create makes one)",
                code="UNAUTHENTICATED",
                status=401,
                headers={"www-authenticate": 'Bearer realm="cshub"'},
            )
        try:
            asked = await _posted(request) if request.method == "POST" else _got(request)
        except _BadRequestError as error:
            return _error(str(error), code="BAD_REQUEST", status=error.status)
        context = Context(
            store=hub.store,
            viewer=viewer,
            now=now,
            actions=hub.actions,
            playbooks=hub.playbooks,
            sources=hub.sources,
        )
        given = await answer(
            context, asked.query, asked.variables, asked.operation, reading_only=request.method != "POST"
        )
        strict = _RESPONSE_TYPE in request.headers.get("accept", "")
        # older clients take anything but 200 for a broken server, so they get it for every well-formed request
        status = given.status if strict or given.status == 405 else 200
        return Response(
            orjson.dumps(given.body),
            status_code=status,
            media_type=_RESPONSE_TYPE if strict else "application/json",
            headers={"cache-control": "no-store", **({"allow": "POST"} if status == 405 else {})},
        )

    return graphql


async def _viewer(store: Store, request: Request, *, now: datetime) -> Viewer | None:
    scheme, _, secret = request.headers.get("authorization", "").partition(" ")
    return await find_viewer(store, secret.strip(), now=now) if scheme.lower() == "bearer" else None


async def _posted(request: Request) -> _Asked:
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
        raise _BadRequestError("the content type must be application/json", 415)
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > LARGEST_BODY:
            raise _BadRequestError(f"the request is larger than {LARGEST_BODY:,} bytes", 413)
    try:
        value = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise _BadRequestError(f"the body is not JSON: {error}") from None
    if not isinstance(value, dict):
        raise _BadRequestError("the body must be one JSON object with query, variables and operationName; no batches")
    return _asked(value.get("query"), value.get("variables"), value.get("operationName"))


def _got(request: Request) -> _Asked:
    text = request.query_params.get("variables")
    try:
        variables = None if text is None else orjson.loads(text)
    except orjson.JSONDecodeError as error:
        raise _BadRequestError(f"variables is not JSON: {error}") from None
    return _asked(request.query_params.get("query"), variables, request.query_params.get("operationName"))


def _asked(query: object, variables: object, operation: object) -> _Asked:
    if not isinstance(query, str) or not query.strip():
        raise _BadRequestError("query must be a GraphQL document")
    if variables is not None and not isinstance(variables, dict):
        raise _BadRequestError("variables must be a JSON object")
    if operation is not None and not isinstance(operation, str):
        raise _BadRequestError("operationName must be a text")
    return _Asked(query, variables, operation)


def _error(message: str, *, code: str, status: int, headers: Mapping[str, str] | None = None) -> Response:
    body = {"errors": [{"message": message, "extensions": {"code": code}}]}
    return JSONResponse(body, status_code=status, headers=headers)


class _Only:
    """Serves the named files of a folder, and nothing else in it."""

    def __init__(self, files: ASGIApp, names: Sequence[str]) -> None:
        self.files = files
        self.names = frozenset(names)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        name = str(scope["path"]).rpartition("/")[2]
        served: ASGIApp = self.files if name in self.names else Response("not found", status_code=404)
        await served(scope, receive, send)


class _SafeHeaders:
    """Gives every response headers that let a browser do as little with it as possible, unless it says otherwise."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def send_safely(message: Message) -> None:
            if message["type"] == "http.response.start":
                known = {name for name, _ in message["headers"]}
                message["headers"] = [
                    *message["headers"],
                    *((k.encode(), v.encode()) for k, v in _HEADERS.items() if k.encode() not in known),
                ]
            await send(message)

        await self.app(scope, receive, send_safely if scope["type"] == "http" else send)
