"""How fast a sync is: many tickets from a Zendesk sandbox over HTTP into SQLite, and the same again with nothing new.

    python -m bench.sync [--tickets 100000] [--memory-limit 300] [--store postgresql://…/empty]

The sandbox is a process of its own, as a vendor would be. Printed: rows a second of the whole sync (pull, map, upsert with
the bookmark, identity), of the store alone, and the peak memory of the syncing process; and beside them the floor, a bare
loop over the same sandbox (bench.floor).
"""

import argparse
import asyncio
import multiprocessing
import resource
import socket
import sys
import tempfile
import time
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import uvicorn

from bench.floor import bare_tickets
from connectors.kit import registry
from connectors.kit.pull import read
from connectors.kit.sandbox import Faults
from connectors.kit.simulated import Account, Person, SupportTicket, World
from hub.clock import utc_now
from hub.collector import relax_collector
from hub.identity import IdentityRules, SourceRules
from hub.model.records import UserActivityDay
from hub.store import Store
from hub.store.migrate import upgrade
from hub.store.records import upsert
from hub.store.syncs import declare_sources
from hub.sync import Source, SyncReport, sync

TOKEN = "bench-token"
COMPANIES = 500
BEGAN = datetime(2025, 1, 1, tzinfo=UTC)
UNLIMITED = 1_000_000


def peak_mb() -> float:
    """Peak resident memory of this process so far."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (1 << 20 if sys.platform == "darwin" else 1 << 10)


def made_world(tickets: int) -> World:
    """Companies with one person each, and tickets a few minutes apart."""
    companies = range(1, COMPANIES + 1)
    return World(
        seed=0,
        started_on=BEGAN.date(),
        until=BEGAN + timedelta(minutes=5 * tickets + 60),
        accounts=[
            Account(
                number=n, name=f"Company {n}", domain=f"company{n}.example", parent=None, segment="smb", industry="retail",
                country="DE", employees=50, csm_name="Kim Ode", csm_email="kim@us.example", signed_on=date(2025, 1, 1),
                updated_at=BEGAN, churned_on=None,
            )
            for n in companies
        ],
        people=[
            Person(
                number=n, account=n, name=f"Person {n}", email=f"person{n}@company{n}.example", title="Admin", role="admin",
                created_at=BEGAN, updated_at=BEGAN, left_at=None,
            )
            for n in companies
        ],
        events=[],
        tickets=[made_ticket(n) for n in range(1, tickets + 1)],
        nps=[],
        terms=[],
        deals=[],
    )  # fmt: skip


def made_ticket(n: int) -> SupportTicket:
    at = BEGAN + timedelta(minutes=5 * n)
    return SupportTicket(
        number=n, account=n % COMPANIES + 1, person=n % COMPANIES + 1, subject=f"Question number {n} about an invoice",
        severity=("low", "normal", "high", "urgent")[n % 4], status="closed", created_at=at,
        updated_at=at + timedelta(minutes=3), first_reply_minutes=12, solved_at=at + timedelta(minutes=3), reopens=0,
        replies=2, csat=None, csat_comment=None, csat_at=None,
    )  # fmt: skip


def serve(tickets: int, listening: socket.socket) -> None:
    """The sandbox, in its own process."""
    world = made_world(tickets)
    make = registry.sandbox("zendesk")
    app = make(lambda: world, token=TOKEN, faults=Faults(), exports_per_minute=UNLIMITED, requests_per_minute=UNLIMITED)  # type: ignore[call-arg]  # this vendor's own limits, beyond the contract of all sandboxes
    uvicorn.Server(uvicorn.Config(app, log_level="warning", lifespan="off")).run(sockets=[listening])


async def bench(tickets: int, url: str, folder: Path, store_url: str | None = None) -> None:
    settings = {
        "base_url": url,
        "email": "bench@us.example",
        "token": TOKEN,
        "exports_per_minute": UNLIMITED,
        "requests_per_minute": UNLIMITED,
    }
    source = Source(name="helpdesk", connector=registry.build("zendesk", settings), connector_name="zendesk")
    rules = IdentityRules(sources={"helpdesk": SourceRules(creates_customers=True)})
    where = store_url or f"sqlite:///{folder / 'bench.db'}"
    async with Store.open(where) as store:
        await upgrade(store)
        async with store.transaction() as connection:
            await declare_sources(connection, {"helpdesk": "zendesk"})
        async for _ in read(source.connector, now=utc_now(), limit=1):
            pass  # the sandbox has started and rendered its world; that is not what is measured
        relax_collector()
        base = peak_mb()
        first = 0.0
        for title in ("first sync", "nothing new"):
            started = time.perf_counter()
            report = await sync(store, source, rules, clock=utc_now)
            seconds = time.perf_counter() - started
            show(title, report, seconds)
            first = first or sum(stream.pulled for stream in report.streams.values()) / seconds
        print(f"peak memory {peak_mb():.0f} MB ({base:.0f} MB of it before the first row)")
        await bench_store(store)
    if store_url is None:  # a second store of its own, as new as the first was
        where = f"sqlite:///{folder / 'bare.db'}"
        async with Store.open(where) as bare:
            await upgrade(bare)
    rows, seconds = await bare_tickets(url, user="bench@us.example/token", password=TOKEN, store=where)
    print(f"bare loop    {rows:9,} rows in {seconds:6.1f} s = {rows / seconds:8,.0f} rows/s, the floor")
    print(f"a first sync is {first / (rows / seconds):.2f} times as fast as the floor")


def show(title: str, report: SyncReport, seconds: float) -> None:
    rows = sum(stream.pulled for stream in report.streams.values())
    states = {name: stream.state for name, stream in report.streams.items() if stream.state != "done"}
    print(
        f"{title:12} {rows:9,} rows in {seconds:6.1f} s = {rows / seconds:8,.0f} rows/s  {report.state} {states or ''}"
    )


async def bench_store(store: Store, rows: int = 100_000, batch: int = 2_000) -> None:
    """The store alone: one batch, one transaction."""
    records = [
        UserActivityDay(
            key=f"{BEGAN.date() + timedelta(days=n // 1000)}|{n % 300}|{n % 1000}", version=1, company_key=str(n % 300),
            user_key=str(n % 1000), day=BEGAN.date() + timedelta(days=n // 1000), events=5, sessions=1, minutes=9.0,
        )
        for n in range(rows)
    ]  # fmt: skip
    for title in ("new", "unchanged"):
        started = time.perf_counter()
        for first in range(0, rows, batch):
            async with store.transaction() as connection:
                await upsert(connection, records[first : first + batch], source="usage", now=utc_now())
        print(f"store alone, {title}: {rows / (time.perf_counter() - started):,.0f} rows/s")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--tickets", type=int, default=100_000)
    parser.add_argument("--store", help="URL of an empty database; else a SQLite file")
    parser.add_argument("--memory-limit", type=float, default=300.0, help="MB; exit with 1 above it")
    given = parser.parse_args()
    with socket.create_server(("127.0.0.1", 0)) as listening, tempfile.TemporaryDirectory() as folder:
        process = multiprocessing.get_context("spawn").Process(
            target=serve, args=(given.tickets, listening), daemon=True
        )
        process.start()
        try:
            url = f"http://127.0.0.1:{listening.getsockname()[1]}"
            asyncio.run(bench(given.tickets, url, Path(folder), given.store))
        finally:
            process.terminate()
            process.join()
    return int(peak_mb() > given.memory_limit)


if __name__ == "__main__":
    sys.exit(main())
