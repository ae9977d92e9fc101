"""The web application: the GraphQL API at /graphql, the dashboard, a page to explore the API, static files, a health check.

    app(hub)            a Starlette application over anything that has a store, actions, a clock and playbooks

Every request to /graphql needs a token (Authorization: Bearer cshub_…) or the cookie of who signed in, introspection too. Here
the two halves meet that do not know each other: `hub.web.graphql`, which knows HTTP, and `schema`, which knows GraphQL.
"""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any, Protocol

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.errors import ServerErrorMiddleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import BaseRoute, Mount, Route, WebSocketRoute
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from hub.access import Viewer
from hub.access.admission import Admission
from hub.access.issuer import PAUSE, IssuerAwayError
from hub.access.reading import Reads
from hub.compose import asking
from hub.compose.asking import context_of
from hub.compose.live import Live
from hub.store.ping import answers
from hub.web import dashboard, graphiql
from hub.web.browsers import Browsers
from hub.web.entrance import browsers_of, entrance
from hub.web.graphql.endpoint import Answered, Endpoint, FindViewer
from hub.web.graphql.origins import Origins
from hub.web.graphql.reading import Asked
from hub.web.live import Limits
from schema.answering import answer
from schema.errors import BadInputError
from schema.guard.guard import Guard
from schema.guard.secrecy import Whose
from schema.nodes import global_id, parse_id

_HEADERS = (
    (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'"),
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"cross-origin-opener-policy", b"same-origin"),
)
_ENCRYPTED = (b"strict-transport-security", b"max-age=15552000")
"""Of a hub that people reach by https: for half a year browsers ask it by nothing else."""
_NOT_KEPT = (b"cache-control", b"no-store")
_STATIC = "/static/"


class HubLike(asking.HubLike, Protocol):
    """What the web application needs of a hub. `start` and `stop` are called with the server."""

    async def start(self) -> None: ...

    async def stop(self) -> None: ...


def app(
    hub: HubLike,
    *,
    demo_token: str | None = None,
    routes: Sequence[BaseRoute] = (),
    guard: Guard | None = None,
    origins: Sequence[str] = (),
    explorer: Whose = "admins",
    live_limits: Limits | None = None,
    admission: Admission | None = None,
    company: str = "",
) -> Starlette:
    """The application.

    demo_token  fill it in on the explorer's page
    routes      more of them, such as webhooks
    guard       what may be asked, and how much of it
    origins     pages of other origins that may call the API from a browser
    admission   who may come in; without it whoever has one of our tokens, and every CSM sees all customers
    live_limits how many subscriptions, and how patient with them
    explorer    whose tokens the explorer's page takes; nobody: there is none
    company     whose hub it is, as the dashboard says
    """
    guard = guard or Guard()
    admission = admission or Admission(hub.store)
    find = entrance(admission, clock=hub.clock)
    browsers = browsers_of(admission)
    reads = Reads(hub.store)
    live = Live(
        hub,
        find_viewer=find,
        guard=guard,
        reads=reads,
        origins=Origins(origins),
        limits=live_limits,
        browsers=browsers,
    )
    limits = {"introspection": guard.rules.introspection, "explorer": explorer}

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        await hub.start()
        try:
            yield
        finally:
            await live.close()
            await admission.close()
            await hub.stop()

    page = graphiql.page(demo_token=demo_token, **limits)

    async def explore(_: Request) -> Response:
        return HTMLResponse(page, headers={"content-security-policy": graphiql.CONTENT_SECURITY_POLICY})

    async def healthz(_: Request) -> Response:
        reachable = await answers(hub.store)
        return JSONResponse({"store": "ok" if reachable else "unreachable"}, status_code=200 if reachable else 503)

    pages = [
        Route("/graphiql", explore),
        Mount("/static/graphiql", _Only(StaticFiles(directory=graphiql.assets_folder()), graphiql.ASSETS)),
    ]
    endpoint = _endpoint(hub, guard, reads, origins, find, browsers)
    graphql = _Graphql(endpoint, live.streaming(endpoint))
    encrypted = browsers is not None and browsers.secure
    made = _Application(
        graphql,
        encrypted=encrypted,
        routes=[
            Route("/graphql", graphql),
            WebSocketRoute("/graphql", live.socket),
            Route("/healthz", healthz),
            *(pages if explorer != "nobody" else ()),
            *routes,
            *dashboard.routes(
                _asking(hub, guard, reads), find, clock=hub.clock, customer_id=_customer_id, company=company
            ),
            Mount("/static", StaticFiles(directory=graphiql.OURS)),
        ],
        middleware=[Middleware(_SafeHeaders, encrypted=encrypted)],
        exception_handlers={IssuerAwayError: _away},
        lifespan=lifespan,
    )
    made.state.end_streams = live.close  # a server waits for its requests to end before it ends the lifespan
    made.state.sessions = live.sessions
    return made


async def _away(_: Request, error: Exception) -> Response:
    return _said_away(error)


def _said_away(error: Exception) -> Response:
    """Nobody was refused: whether the token is good can't be told now."""
    body = {"errors": [{"message": str(error), "extensions": {"code": "TRY_AGAIN"}}]}
    return JSONResponse(body, status_code=503, headers={"retry-after": str(int(PAUSE))})


def _asking(hub: HubLike, guard: Guard, reads: Reads) -> dashboard.Ask:
    """How pages ask: as requests to /graphql are answered, without the way over HTTP."""

    async def ask(viewer: Viewer, document: str, variables: Mapping[str, Any]) -> dashboard.Asked:
        given = await answer(context_of(hub, viewer, guard=guard, reads=reads), document, variables, reading_only=True)
        return dashboard.Asked.of(given.said(), status=given.status, retry_after=given.retry_after)

    return ask


def _customer_id(key: str) -> str:
    """The API's id of a customer, of itself or of the hub's own key, which the links of messages have."""
    try:
        parse_id(key)
    except BadInputError:
        return global_id("customer", key)
    return key


def _endpoint(
    hub: HubLike,
    guard: Guard,
    reads: Reads,
    origins: Sequence[str],
    find: FindViewer,
    browsers: Browsers | None,
) -> Endpoint:
    async def answered(asked: Asked, viewer: Viewer, reading_only: bool) -> Answered:
        given = await answer(
            context_of(hub, viewer, guard=guard, reads=reads),
            asked.query,
            asked.variables,
            asked.operation,
            document_id=asked.document_id,
            reading_only=reading_only,
        )
        headers = {} if given.retry_after is None else {"retry-after": str(given.retry_after)}
        return Answered(given.encoded(), given.status, headers)

    return Endpoint(answered, find_viewer=find, origins=Origins(origins), browsers=browsers)


class _Graphql:
    """Who accepts no events is answered at once; who may, by what looks closer."""

    def __init__(self, endpoint: ASGIApp, streaming: ASGIApp) -> None:
        self.endpoint = endpoint
        self.streaming = streaming

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        streams = any(name == b"accept" and b"event-stream" in value.lower() for name, value in scope["headers"])
        try:
            await (self.streaming if streams else self.endpoint)(scope, receive, send)
        except IssuerAwayError as error:  # raised before anything is answered; Starlette's handlers are passed by
            await _said_away(error)(scope, receive, send)


class _Application(Starlette):
    """Starlette, past whose routes requests to /graphql go straight to where they are answered: they are the most."""

    def __init__(self, graphql: ASGIApp, *, encrypted: bool, **given: Any) -> None:
        super().__init__(**given)
        self._graphql = ServerErrorMiddleware(_SafeHeaders(graphql, encrypted=encrypted))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        straight = scope["type"] == "http" and scope["path"] == "/graphql"
        await (self._graphql if straight else super().__call__)(scope, receive, send)


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
    """Gives every response headers that let a browser do as little with it as possible, unless it says otherwise.

    Nothing is kept on the way either, but for files that are the same for everybody: no answer has to think of it.
    """

    def __init__(self, app: ASGIApp, *, encrypted: bool) -> None:
        self.app = app
        self._of_files = (*_HEADERS, _ENCRYPTED) if encrypted else _HEADERS
        self._of_answers = (*self._of_files, _NOT_KEPT)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        given = self._of_files if scope.get("path", "").startswith(_STATIC) else self._of_answers

        async def send_safely(message: Message) -> None:
            if message["type"] == "http.response.start":
                known = {name for name, _ in message["headers"]}
                message["headers"] = [*message["headers"], *(each for each in given if each[0] not in known)]
            await send(message)

        await self.app(scope, receive, send_safely if scope["type"] == "http" else send)
