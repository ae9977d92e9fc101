"""A real hub on a real server with a company in it, for suites that audit from outside: `python -m tests.audits.serving`.

    --folder FOLDER     where its store and configuration are made; default: one of its own, removed at the end
    --minute POINTS     of each token's budget, for suites that ask without end

It says where it is and what opens it in one line of JSON ({"url": …, "tokens": {role: token}}), and ends on SIGTERM or SIGINT.
The configuration is the one that ships; the store is SQLite, seeded with a few customers that have a few of everything.
"""

import argparse
import asyncio
import json
import shutil
import signal
import sys
import tempfile
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path

import uvicorn
import yaml

from hub.access.tokens import create
from hub.asgi import app
from hub.cli.serve import Served
from hub.clock import utc_now
from hub.compose import Hub
from hub.compose.admission import admission_of
from hub.compose.graphql import guard_of
from hub.compose.web import routes_of
from hub.model.actions import Role
from hub.resources import CONFIG
from hub.settings import load
from tests.fakes.durable import FakeDurable
from tests.schema.company import seed

CUSTOMERS = 12
CSM = "ann@cs.example"
"""Whose the first half of the customers are; the other half is somebody else's."""


class Engine(FakeDurable):
    executor = "here"


def configure(folder: Path, *, minute: int) -> Path:
    """A copy of the configuration that ships, with another budget, and a book for every CSM."""
    config = folder / "config"
    shutil.copytree(CONFIG, config)
    path = config / "hub.yaml"
    given = yaml.safe_load(path.read_text("utf-8"))
    made = {**given, "graphql": {"cost": {"minute": minute}}, "access": {"csm": "book"}}
    path.write_text(yaml.safe_dump(made), "utf-8")
    return config


async def serve(folder: Path, *, minute: int) -> None:
    environment: Mapping[str, str] = {"CSHUB_STORE": f"sqlite:///{folder / 'cshub.db'}"}
    settings = load(configure(folder, minute=minute), environment=environment)
    engine = Engine(clock=utc_now)
    async with Hub.open(settings, clock=utc_now, migrate=True, work=False, engine=engine) as hub:
        await seed(hub.store, CUSTOMERS // 2, csm_email=CSM)
        await seed(hub.store, CUSTOMERS // 2, first=CUSTOMERS // 2, csm_email="bob@cs.example")
        now = utc_now()
        tokens = {
            role.value: (
                await create(
                    hub.store,
                    name=f"a {role.value}",
                    role=role,
                    now=now,
                    expires_at=now + timedelta(days=1),
                    csm_email=CSM if role is Role.CSM else None,
                )
            ).secret
            for role in Role
        }
        admission = admission_of(hub)
        served = app(Served(hub, None), routes=routes_of(hub), guard=guard_of(settings), admission=admission)
        server = uvicorn.Server(uvicorn.Config(served, host="127.0.0.1", port=0, log_level="warning"))
        loop = asyncio.get_running_loop()
        for each in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(each, lambda: setattr(server, "should_exit", True))
        task = asyncio.create_task(server._serve())
        while not server.started and not task.done():  # noqa: ASYNC110 - uvicorn tells it no other way
            await asyncio.sleep(0.01)
        if not task.done():
            port = server.servers[0].sockets[0].getsockname()[1]
            sys.stdout.write(json.dumps({"url": f"http://127.0.0.1:{port}/graphql", "tokens": tokens}) + "\n")
            sys.stdout.flush()
        await task


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.audits.serving")
    parser.add_argument("--folder", type=Path)
    parser.add_argument("--minute", type=int, default=300_000)
    given = parser.parse_args()
    if given.folder is not None:
        given.folder.mkdir(parents=True, exist_ok=True)
        asyncio.run(serve(given.folder, minute=given.minute))
        return
    with tempfile.TemporaryDirectory(prefix="cshub-audit-") as folder:
        asyncio.run(serve(Path(folder), minute=given.minute))


if __name__ == "__main__":
    main()
