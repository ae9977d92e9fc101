"""The official tracking library against a hub: every call arrives once, though answers are lost on the way.

    python -m bench.tracking [--calls 10000] [--lost-every 20]

The hub is a process of its own, with its own engine and a SQLite store; one in so many of its answers is a 502 although the
body was taken, and the library sends that batch again. Printed: calls a second until all were stored, as the library's
`flush` says, and until all were summed to days of use. Fails where one is missing, doubled, or put aside.
"""

import argparse
import asyncio
import multiprocessing
import socket
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import httpx
import orjson
import uvicorn
from segment.analytics.client import Client as Library
from sqlalchemy import func, select
from starlette.applications import Starlette
from starlette.types import Message, Receive, Scope, Send

from hub.clock import utc_now
from hub.compose import Hub
from hub.compose.hooks import hook_routes
from hub.settings import load
from hub.store import Store
from hub.store.migrate import upgrade
from hub.store.tables import quarantine, tracked_act, user_activity_day

KEY = "wk_of_the_bench_hub"
USERS, COMPANIES = 500, 50
PATIENCE = 300.0
"""Seconds until the hub has started, and until what is stored must be summed."""


class Losing:
    """The hub behind a proxy that loses one answer in so many."""

    def __init__(self, app: Starlette, every: int) -> None:
        self._app, self._every, self._count = app, every, 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self._count += scope["type"] == "http"
        lost = scope["type"] == "http" and self._count % self._every == 0

        async def told(message: Message) -> None:
            if lost and message["type"] == "http.response.start":
                message = {**message, "status": 502}
            await send(message)

        await self._app(scope, receive, told)


def serve(folder: Path, listening: socket.socket, every: int) -> None:
    async def run() -> None:
        async with Hub.open(load(folder, environment={}), clock=utc_now) as hub, hub.working():
            app = Losing(Starlette(routes=hook_routes(hub)), every)
            await uvicorn.Server(uvicorn.Config(app, log_level="error", lifespan="off")).serve(sockets=[listening])

    asyncio.run(run())


def sent(url: str, calls: int) -> float:
    """The seconds until the library says that all were taken."""
    httpx.options(f"{url}/v1/track", timeout=PATIENCE, trust_env=False)  # the hub has started
    errors: list[Exception] = []
    library = Library(
        KEY,
        host=url,
        max_queue_size=max(10_000, calls),
        on_error=lambda error, _: errors.append(error),
        timeout=60,
    )
    began = time.perf_counter()
    for number in range(calls):
        library.track(
            f"u-{number % USERS}",
            "report viewed",
            {"number": number},
            context={"groupId": f"company-{number % COMPANIES}"},
        )
    library.flush()
    seconds = time.perf_counter() - began
    library.shutdown()
    assert not errors, errors[0]
    return seconds


async def counted(store: Store) -> dict[str, int]:
    acts = select(func.count()).select_from(tracked_act)
    events = select(func.coalesce(func.sum(user_activity_day.c.events), 0)).where(
        user_activity_day.c.deleted.is_(False)
    )
    aside = select(func.count()).select_from(quarantine)
    async with store.reading() as connection:
        return {
            name: int((await connection.execute(statement)).scalar_one())
            for name, statement in (("acts", acts), ("events", events), ("aside", aside))
        }


async def summed(url: str, calls: int) -> tuple[dict[str, int], float]:
    """What is there once as many are summed, or patience has ended; and the seconds."""
    began = time.perf_counter()
    async with Store.open(url) as store:
        found = await counted(store)
        while found["events"] < calls and time.perf_counter() - began < PATIENCE:
            await asyncio.sleep(0.2)
            found = await counted(store)
        return found, time.perf_counter() - began


async def prepare(url: str) -> None:
    async with Store.open(url) as store:
        await upgrade(store)


def measure(folder: Path, calls: int, every: int) -> bool:
    url = f"sqlite:///{folder / 'bench.db'}"
    source: dict[str, Any] = {"connector": "segment", "settings": {"write_key": KEY}}
    (folder / "hub.yaml").write_text(f"store: {url}\n")
    (folder / "sources.yaml").write_text(orjson.dumps({"sources": {"product": source}}).decode())
    asyncio.run(prepare(url))
    with socket.create_server(("127.0.0.1", 0), backlog=128) as listening:
        process = multiprocessing.get_context("spawn").Process(
            target=serve, args=(folder, listening, every), daemon=True
        )
        process.start()
        try:
            stored = sent(f"http://127.0.0.1:{listening.getsockname()[1]}", calls)
            found, more = asyncio.run(summed(url, calls))
        finally:
            process.terminate()
            process.join()
    print(f"{calls:,} calls stored in {stored:.1f} s = {calls / stored:,.0f} a second; one answer in {every} was lost")
    print(f"summed {more:.1f} s later = {calls / (stored + more):,.0f} a second: {found['events']:,} events", end="")
    print(f", {found['acts']:,} acts kept, {found['aside']:,} put aside")
    return found == {"acts": calls, "events": calls, "aside": 0}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--calls", type=int, default=10_000)
    parser.add_argument("--lost-every", type=int, default=20)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        return 0 if measure(Path(folder), given.calls, given.lost_every) else 1


if __name__ == "__main__":
    sys.exit(main())
