"""One process for everything around the hub in the demo: every vendor's sandbox, Slack, mail, the outbox.

    /<connector>/…   each connector's sandbox, found by its folder; POST /<connector>/_faults switches its faults
    /slack/api/…     Slack;  /slack/press, /command and /home: what people do there;  /slack/_faults
    /pagerduty/v2/enqueue   PagerDuty;  /pagerduty/_faults, /pagerduty/_incidents
    /hooks/demo      a webhook receiver;  /hooks/_faults
    /mail/_faults    the mail server's faults; the server itself speaks SMTP on a port of its own
    /outbox          what arrived; /outbox.json
    /_ready          what is served, and until when the simulated company has lived
    POST /_world     {"until": "2026-11-30T08:00:00Z"}: live on (or back) to that moment, and stay there; null: live on by
                     itself again. {"tempo": 600}: so fast pass the seconds of the vendors' rate limits

    python -m hub.demo.sandboxes --folder DIR --started-on 2025-05-22     prints one line of JSON when it is ready

The company has lived until the last midnight, and lives on by itself when the day changes. The process ends on SIGTERM,
SIGINT, and when its parent is gone. What time it is, says the file `--clock`, where there is one (hub.demo.month.clock).
"""

import argparse
import asyncio
import base64
import logging
import os
import signal
import socket
import sys
from collections.abc import Callable, Sequence
from contextlib import nullcontext, suppress
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any, Self

import orjson
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from connectors.kit import registry, tempo
from connectors.kit.sandbox import Faults, Rendered
from connectors.kit.simulated import World
from hub.clock import utc_now
from hub.demo import hooks, page, pagerduty, slack
from hub.demo.company import Simulation
from hub.demo.faults import faults_route
from hub.demo.mail import MailServer
from hub.demo.month.clock import MovedClock
from hub.demo.mounts import Mounts
from hub.demo.outbox import Outbox

DAY_CHECK_SECONDS = 30.0
PARENT_CHECK_SECONDS = 1.0
TOKENS = {
    "slack": "xoxb-demo-slack-token",
    "slack_signing": "demo-slack-signing-secret",
    "pagerduty": "demo0pagerduty0integration0key00",
    "hooks": "whsec_" + base64.b64encode(b"demo webhook secret, 32 bytes of").decode(),
}


def token(name: str) -> str:
    """What the sandbox of `name` ("slack", "slack_signing", "pagerduty", "hooks" or a connector) takes as its token."""
    return TOKENS.get(name, f"demo-{name}-token")


class Sandboxes:
    """All of it, in this process's event loop. Ports 0 take free ones; `port`, `smtp_port` and `url` say which."""

    def __init__(
        self,
        *,
        folder: Path,
        started_on: date,
        seed: int = 7,
        customers: int = 300,
        months: int = 18,
        newcomers: int = 0,
        until: datetime | None = None,
        through: datetime | None = None,
        port: int = 0,
        smtp_port: int = 0,
        hub_url: str = "",
        clock: Callable[[], datetime] = utc_now,
    ) -> None:
        self.host, self.port = "127.0.0.1", port
        self.hub_url = hub_url
        self.outbox = Outbox(folder / "outbox.db")
        self.slack_faults = slack.SlackFaults()
        self.pagerduty_faults = pagerduty.PagerDutyFaults()
        self.hook_faults = hooks.HookFaults()
        self.faults: dict[str, Faults] = {}
        self.mail = MailServer(self.outbox, port=smtp_port, clock=clock)
        self._company: dict[str, Any] = {
            "seed": seed,
            "customers": customers,
            "months": months,
            "newcomers": newcomers,
            "started_on": started_on,
        }
        self._pinned = until is not None
        self._until, self._through, self._clock = until, through, clock
        self._simulation: Simulation | None = None
        self._world: World | None = None
        self._server: uvicorn.Server | None = None
        self._serving: asyncio.Task[None] | None = None
        self._living: asyncio.Task[None] | None = None

    @property
    def url(self) -> str:
        return f"http://{self.host}:{self.port}"

    @property
    def smtp_port(self) -> int:
        return self.mail.port

    @property
    def world(self) -> World:
        """The company as the sandboxes serve it now."""
        assert self._world is not None, "start() first"
        return self._world

    async def start(self) -> None:
        await self.live_until(self._until or _midnight(self._clock()))
        await self.mail.start()
        # not create_server: asyncio turns Nagle's algorithm off only on sockets that say they are TCP
        listening = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind((self.host, self.port))
        self.port = listening.getsockname()[1]
        config = uvicorn.Config(
            self.app(), log_level="warning", lifespan="off", access_log=False, timeout_graceful_shutdown=2
        )
        logging.getLogger("uvicorn.error").addFilter(_not_on_purpose)
        self._server = _Server(config)
        self._serving = asyncio.create_task(self._server.serve(sockets=[listening]))
        while not self._server.started:
            if self._serving.done():
                await self._serving
            await asyncio.sleep(0.01)
        self._living = asyncio.create_task(self._keep_living())

    async def stop(self) -> None:
        if self._living is not None:
            self._living.cancel()
            with suppress(asyncio.CancelledError):
                await self._living
        if self._server is not None and self._serving is not None:
            self._server.should_exit = True
            await self._serving
        self._living = self._serving = self._server = None
        await self.mail.stop()
        self.outbox.close()

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    async def live_until(self, until: datetime) -> None:
        """Let the company have lived until `until`; what the sandboxes serve changes at once, as a whole."""
        self._world = await asyncio.to_thread(self._live, until)

    def _live(self, until: datetime) -> World:
        """The company as it was at `until`. What was lived through once is not lived again: earlier days are told of it."""
        if until.tzinfo is None or until.astimezone(UTC).date() < self._company["started_on"]:
            raise ValueError(f"an aware time, not before {self._company['started_on']}, and not {until}")
        until = until.astimezone(UTC)
        if self._simulation is None or self._simulation.until < until:
            through = until if self._through is None else max(until, self._through)
            self._simulation = Simulation(**self._company, until=through)
        return self._simulation.world(until=until)

    def app(self) -> Mounts:
        apps: dict[str, Any] = {}
        for name in registry.names():
            self.faults[name] = Faults()
            apps[name] = registry.sandbox(name)(lambda: self.world, token=token(name), faults=self.faults[name])
        apps["slack"] = slack.app(
            self.outbox,
            token=token("slack"),
            people=self.staff,
            faults=self.slack_faults,
            hub_url=self.hub_url,
            signing_secret=token("slack_signing"),
            prefix="/slack",
            clock=self._clock,
            monotonic=tempo.monotonic,
        )
        apps["pagerduty"] = pagerduty.app(
            self.outbox,
            services={"customer-success": token("pagerduty")},
            faults=self.pagerduty_faults,
            clock=self._clock,
        )
        apps["hooks"] = hooks.app(
            self.outbox, secrets={"demo": token("hooks")}, faults=self.hook_faults, clock=self._clock
        )
        apps["mail"] = Starlette(routes=[faults_route(self.mail.faults)])
        own = [
            Route("/_ready", self._ready),
            Route("/_world", self._live_on, methods=["POST"]),
            *page.routes(self.outbox, people=self.staff),
        ]
        return Mounts(apps, otherwise=Starlette(routes=own))

    def described(self) -> dict[str, Any]:
        """What /_ready says."""
        return {
            "ready": True,
            "url": self.url,
            "smtp_port": self.smtp_port,
            "until": self.world.until.isoformat(),
            "staff": self.staff(),
            "sandboxes": {name: f"{self.url}/{name}" for name in sorted(self.faults)},
        }

    def staff(self) -> dict[str, str]:
        """Our people: e-mail -> name."""
        return {account.csm_email: account.csm_name for account in self.world.accounts}

    async def _ready(self, _: Request) -> Response:
        return JSONResponse(self.described())

    async def _live_on(self, request: Request) -> Response:
        try:
            wanted = orjson.loads(await request.body())
            if "tempo" in wanted:
                tempo.run_at(float(wanted["tempo"]))
            until = wanted["until"]
            await self.live_until(_midnight(self._clock()) if until is None else datetime.fromisoformat(until))
            await asyncio.to_thread(Rendered.again)  # whoever lets the company live on has something else to do
        except (KeyError, TypeError, ValueError) as error:
            return JSONResponse({"error": f'say {{"until": "2026-11-30T08:00:00Z"}}: {error}'}, 400)
        self._pinned = until is not None
        return JSONResponse(self.described())

    async def _keep_living(self) -> None:
        while True:
            await asyncio.sleep(DAY_CHECK_SECONDS)
            now = self._clock()
            if not self._pinned and _midnight(now) > self.world.until:
                await self.live_until(_midnight(now))


def _midnight(now: datetime) -> datetime:
    """The start of the UTC day: within a day the company stands still, so that a second sync finds nothing new."""
    return now.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)


def _not_on_purpose(record: logging.LogRecord) -> bool:
    """Whether a line of the server's log is news: an answer that a fault cut off is none."""
    return not record.getMessage().startswith("ASGI callable returned without")


class _Server(uvicorn.Server):
    """Leaves the process's signals to whoever runs it."""

    def capture_signals(self) -> Any:
        return nullcontext()


def main(argv: Sequence[str] | None = None) -> int:
    """Serve until told to end; 0."""
    parser = argparse.ArgumentParser(prog="python -m hub.demo.sandboxes", description=__doc__.splitlines()[0])
    parser.add_argument("--folder", type=Path, required=True, help="where the outbox is kept")
    parser.add_argument("--started-on", type=date.fromisoformat, required=True, help="first day of the records")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--smtp-port", type=int, default=0)
    parser.add_argument("--hub-url", default="", help="where Slack sends what people press")
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--customers", type=int, default=300)
    parser.add_argument("--months", type=int, default=24)
    parser.add_argument("--newcomers", type=int, default=0, help="of them who sign in the last weeks")
    parser.add_argument(
        "--clock", type=lambda path: MovedClock(Path(path)), default=utc_now, help="the file that says what time it is"
    )
    parser.add_argument("--until", type=datetime.fromisoformat, default=None, help="stand still at this moment")
    parser.add_argument("--through", type=datetime.fromisoformat, default=None, help="how far it will be asked to live")
    sys.setswitchinterval(0.0005)  # whoever asks is answered while the company lives on in a thread
    asyncio.run(_run(Sandboxes(**vars(parser.parse_args(argv))), parent=os.getppid()))
    return 0


async def _run(sandboxes: Sandboxes, *, parent: int) -> None:
    ended = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, ended.set)
    async with sandboxes:
        sys.stdout.write(orjson.dumps(sandboxes.described()).decode() + "\n")
        sys.stdout.flush()
        while not ended.is_set() and os.getppid() == parent:
            with suppress(TimeoutError):
                await asyncio.wait_for(ended.wait(), PARENT_CHECK_SECONDS)


if __name__ == "__main__":
    sys.exit(main())
