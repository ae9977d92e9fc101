"""How much memory a large export takes: events of a Mixpanel sandbox, a process of its own, summed to days and stored.

    python -m bench.mixpanel [--events 1000000] [--memory-limit 300]

All events lie in one window, so that one export holds them all. Printed: events a second of the first sync, and the peak
memory of the syncing process; it exits with 1 above the limit.
"""

import argparse
import asyncio
import multiprocessing
import socket
import sys
import tempfile
import time
from pathlib import Path

import uvicorn

from bench.shapes import DAYS, TOKEN, made_events
from bench.sync import peak_mb
from connectors.kit import registry
from connectors.kit.sandbox import Faults
from hub.clock import utc_now
from hub.collector import relax_collector
from hub.identity import IdentityRules, SourceRules
from hub.model.actions import SyncState
from hub.store import Store
from hub.store.migrate import upgrade
from hub.store.syncs import declare_sources
from hub.sync import Source, sync


def serve(events: int, listening: socket.socket) -> None:
    """The sandbox, in its own process: as many events, spread over twenty days and 500 companies with ten users each."""
    world = made_events(events)
    app = registry.sandbox("mixpanel")(lambda: world, token=TOKEN, faults=Faults())
    uvicorn.Server(uvicorn.Config(app, log_level="warning", lifespan="off")).run(sockets=[listening])


async def bench(events: int, url: str, folder: Path) -> None:
    settings = {
        "base_url": url,
        "project_id": 1,
        "user": "bench",
        "secret": TOKEN,
        "history_days": DAYS + 2,
        "window_days": 60,
    }
    source = Source(name="usage", connector=registry.build("mixpanel", settings), connector_name="mixpanel")
    rules = IdentityRules(sources={"usage": SourceRules(creates_customers=True)})
    async with Store.open(f"sqlite:///{folder / 'bench.db'}") as store:
        await upgrade(store)
        async with store.transaction() as connection:
            await declare_sources(connection, {"usage": "mixpanel"})
        relax_collector()
        base = peak_mb()
        started = time.perf_counter()
        report = await sync(store, source, rules, clock=utc_now)
        seconds = time.perf_counter() - started
    rows = report.streams["usage"].pulled
    print(f"{events:,} events -> {rows:,} rows in {seconds:.1f} s = {events / seconds:,.0f} events/s  {report.state}")
    print(f"peak memory {peak_mb():.0f} MB ({base:.0f} MB of it before the first event)")
    assert report.state is SyncState.SUCCEEDED, report.error


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--events", type=int, default=1_000_000)
    parser.add_argument("--memory-limit", type=float, default=300.0, help="MB; exit with 1 above it")
    given = parser.parse_args()
    with socket.create_server(("127.0.0.1", 0)) as listening, tempfile.TemporaryDirectory() as folder:
        process = multiprocessing.get_context("spawn").Process(
            target=serve, args=(given.events, listening), daemon=True
        )
        process.start()
        try:
            asyncio.run(bench(given.events, f"http://127.0.0.1:{listening.getsockname()[1]}", Path(folder)))
        finally:
            process.terminate()
            process.join()
    return int(peak_mb() > given.memory_limit)


if __name__ == "__main__":
    sys.exit(main())
