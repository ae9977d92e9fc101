"""`cshub serve` and `cshub worker`: the hub as a process that stays."""

import asyncio
import logging
import signal
import socket
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import AsyncExitStack, contextmanager
from datetime import datetime
from pathlib import Path
from types import FrameType

import click
import uvicorn

from hub.access.issuer import is_safe
from hub.asgi import app
from hub.cli import show
from hub.cli.app import asynchronous, main
from hub.clock import utc_now
from hub.compose import Hub
from hub.compose.actions import HubActions, definitions, source_definitions
from hub.compose.admission import admission_of
from hub.compose.exporting import export_routes
from hub.compose.graphql import guard_of
from hub.compose.live import limits_of
from hub.compose.resthooks import resthook_routes
from hub.compose.signing_in import sign_in_routes
from hub.compose.web import routes_of
from hub.errors import RefusedError
from hub.settings import load
from hub.store import Store
from hub.web.dashboard.signin import DemoToken
from schema.context import Actions, PlaybookDefinition, SourceDefinition

log = logging.getLogger(__name__)

LARGEST_MESSAGE = 1_000_000
STREAMS_SECONDS = 5.0
STUCK_SECONDS = 60
"""So long may a client take nothing of what it is sent before the system hangs up: who never reads keeps no memory for ever."""


class Served:
    """A Hub as the web application wants it; the durable engine lives as long as the server."""

    def __init__(self, hub: Hub, first: Callable[[], Awaitable[object]] | None) -> None:
        self._hub = hub
        self._first = first
        self._working = AsyncExitStack()
        self.store: Store = hub.store
        self.actions: Actions = HubActions(hub)
        self.clock: Callable[[], datetime] = hub.clock

    def playbooks(self) -> Sequence[PlaybookDefinition]:
        return definitions(self._hub)

    def sources(self) -> Sequence[SourceDefinition]:
        return source_definitions(self._hub)

    async def start(self) -> None:
        await self._working.enter_async_context(self._hub.working())
        if self._first is not None:
            await self._first()

    async def stop(self) -> None:
        await self._working.aclose()


class _Server(uvicorn.Server):
    """Ends in peace on SIGINT and SIGTERM; uvicorn's own way is to raise the signal once more when it is done.

    Streams have no end of their own: they are ended first, and told so. A second signal does not wait for that.
    """

    def __init__(self, config: uvicorn.Config, *, end_streams: Callable[[], Awaitable[None]]) -> None:
        super().__init__(config)
        self._end_streams = end_streams
        self._ending: asyncio.Task[None] | None = None

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        if self._ending is None:
            self._ending = asyncio.get_running_loop().create_task(self._end(sig, frame))
        else:
            super().handle_exit(sig, frame)

    async def _end(self, sig: int, frame: FrameType | None) -> None:
        try:
            async with asyncio.timeout(STREAMS_SECONDS):
                await self._end_streams()
        except TimeoutError:
            log.warning("streams did not end in %s s", STREAMS_SECONDS)
        super().handle_exit(sig, frame)

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        loop, signals = asyncio.get_running_loop(), (signal.SIGINT, signal.SIGTERM)
        for each in signals:
            loop.add_signal_handler(each, self.handle_exit, each, None)
        try:
            yield
        finally:
            for each in signals:
                loop.remove_signal_handler(each)


def listen(host: str, port: int) -> socket.socket:
    """A socket bound to the address; RefusedError where it is taken. Bound early, so that it is known before long work."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    bound = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    if hasattr(socket, "TCP_USER_TIMEOUT"):  # of Linux; what is accepted here has it, too
        bound.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, STUCK_SECONDS * 1_000)
    try:
        bound.bind((host, port))
        bound.listen()
    except OSError as error:
        bound.close()
        raise RefusedError(
            f"cannot listen on {host} port {port}: {error.strerror}; choose another with --port"
        ) from None
    return bound


async def serve_hub(
    hub: Hub,
    bound: socket.socket,
    *,
    demo_token: str | None = None,
    demo_tokens: Sequence[DemoToken] = (),
    first: Callable[[], Awaitable[object]] | None = None,
) -> None:
    """Serve until told to stop. `first`: to be done once the durable engine runs, before the first request."""
    graphql = hub.settings.hub.graphql
    admission = admission_of(hub)
    served = app(
        Served(hub, first),
        demo_token=demo_token,
        routes=[
            *routes_of(hub),
            *export_routes(hub, admission),
            *resthook_routes(hub, admission),
            *sign_in_routes(hub, admission, demo=demo_tokens),
        ],
        guard=guard_of(hub.settings),
        origins=graphql.origins,
        explorer=graphql.graphiql,
        live_limits=limits_of(hub.settings),
        admission=admission,
        company=hub.settings.hub.company,
    )
    config = uvicorn.Config(
        served,
        log_level="warning",
        ws="websockets-sansio",
        ws_max_size=LARGEST_MESSAGE,
        ws_per_message_deflate=False,  # a compressor for each socket takes more memory than all else of it
    )
    await _Server(config, end_streams=served.state.end_streams).serve(sockets=[bound])


@main.command()
@click.option("--host", help="Address to listen on. Default: config/hub.yaml.")
@click.option("--port", type=click.IntRange(0, 65535), help="Port to listen on. Default: config/hub.yaml.")
@click.option("--worker/--no-worker", default=True, show_default=True, help="Also do jobs: syncs, scores, playbooks.")
@click.pass_obj
@asynchronous
async def serve(config: Path | None, host: str | None, port: int | None, worker: bool) -> None:
    """Serve GraphQL at /graphql and do the work: one process is a whole hub.

    On PostgreSQL run as many as you like, some with --no-worker, some as `cshub worker`.
    """
    settings = load(config)
    async with Hub.open(settings, clock=utc_now, work=worker) as hub:
        host, port = host or settings.hub.serve.host, settings.hub.serve.port if port is None else port
        with listen(host, port) as bound:
            place = f"http://{host}:{bound.getsockname()[1]}"
            show.say(f"store    {hub.store.description}")
            if not is_safe(settings.hub.url):
                show.complain(
                    f"url: {settings.hub.url} is not https: who is on the way can read what people sign in with"
                )
            show.say(f"GraphQL  {place}/graphql   explorer at {place}/graphiql")
            show.say(f"Pages    {place}/   the dashboard: sign in with a token (cshub token create)")
            await serve_hub(hub, bound)


@main.command()
@click.pass_obj
@asynchronous
async def worker(config: Path | None) -> None:
    """Do jobs without serving: scheduled syncs, scoring, playbooks and deliveries."""
    async with Hub.open(load(config), clock=utc_now) as hub, hub.working():
        show.say(f"working on {hub.store.description}; stop with Ctrl-C")
        stop = asyncio.Event()
        for each in (signal.SIGINT, signal.SIGTERM):
            asyncio.get_running_loop().add_signal_handler(each, stop.set)
        await stop.wait()
