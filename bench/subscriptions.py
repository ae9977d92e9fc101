"""A thousand open subscriptions to one server process: what memory they take, and how long an event takes to reach all.

    python -m bench.subscriptions [--subscriptions 1000] [--url postgresql://…]

The server is `cshub serve`, a process of its own. Each subscription is a WebSocket of its own, opened by this process; they ask
in ten different ways for alerts with the customer, and one in ten is a stream of server-sent events. Events are written by
another process than the server: this one, straight into the store. Nothing of the way is left out: tokens, cost, row scope,
the log, its numbers.
"""

import argparse
import asyncio
import json
import os
import socket
import statistics
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
from sqlalchemy import insert
from websockets.asyncio.client import ClientConnection, connect
from websockets.typing import Subprotocol

from bench.stopwatch import load, verdict
from hub.access.tokens import create
from hub.model.actions import Role
from hub.store import Store, alerts
from hub.store.migrate import upgrade
from hub.store.tables import customer

NOW = datetime.now(UTC)
CUSTOMERS, CSMS = 500, 50
WAYS = 10
ROUNDS = 5
MOST_MB, MOST_SECONDS = 400, 2.0
QUERY = """
subscription {{ alertChanged {{ cursor change alert {{ id title severity state customer {{ name way{}: segment }} }} }} }}
"""


async def fill(store: Store, csms: int) -> str:
    """Customers and a token; return its secret."""
    await upgrade(store)
    async with store.transaction() as connection:
        row = {"segment": "smb", "created_at": NOW, "updated_at": NOW}
        rows = [
            {**row, "id": f"c{i:04}", "name": f"Customer {i}", "csm_email": f"csm{i % csms}@us.example"}
            for i in range(CUSTOMERS)
        ]
        await connection.execute(insert(customer), rows)
    return (await create(store, name="bench", role=Role.MANAGER, now=NOW)).secret


@asynccontextmanager
async def server(folder: Path, url: str) -> AsyncIterator[tuple[str, int]]:
    """`cshub serve` over the store: its host and port, and its process id."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    environment = {**os.environ, "CSHUB_STORE": url}
    arguments = ["serve", "--no-worker", "--port", str(port)]
    process = await asyncio.create_subprocess_exec(
        Path(sys.executable).parent / "cshub",
        *arguments,
        cwd=folder,
        env=environment,
        stdout=asyncio.subprocess.DEVNULL,
    )
    try:
        async with httpx.AsyncClient() as client:
            for _ in range(600):
                try:
                    if (await client.get(f"http://127.0.0.1:{port}/healthz")).status_code == 200:
                        break
                except httpx.TransportError:
                    await asyncio.sleep(0.1)
        yield f"127.0.0.1:{port}", process.pid
    finally:
        began = time.perf_counter()
        process.terminate()
        await process.wait()
        print(f"the server ended {time.perf_counter() - began:.1f} s after it was told to")


def memory_mb(pid: int) -> float:
    """Resident memory of a process, now."""
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / (1 << 20)


class Watcher:
    """One subscription, and when each event came."""

    def __init__(self) -> None:
        self.came: dict[str, float] = {}

    def take(self, body: str | bytes) -> None:
        message = json.loads(body)
        data = message.get("payload", message)["data"]["alertChanged"]
        self.came[data["alert"]["title"]] = time.perf_counter()


async def open_socket(stack: AsyncExitStack, host: str, secret: str, way: int) -> tuple[ClientConnection, Watcher]:
    opened = await stack.enter_async_context(
        connect(f"ws://{host}/graphql", subprotocols=[Subprotocol("graphql-transport-ws")], compression=None)
    )
    await opened.send(json.dumps({"type": "connection_init", "payload": {"authorization": f"Bearer {secret}"}}))
    assert json.loads(await opened.recv())["type"] == "connection_ack"
    await opened.send(json.dumps({"id": "1", "type": "subscribe", "payload": {"query": QUERY.format(way)}}))
    await opened.send('{"type": "ping"}')
    assert json.loads(await opened.recv())["type"] == "pong"
    return opened, Watcher()


async def open_stream(stack: AsyncExitStack, client: httpx.AsyncClient, secret: str, way: int) -> tuple[Any, Watcher]:
    headers = {"accept": "text/event-stream", "authorization": f"Bearer {secret}"}
    request = client.stream("POST", "/graphql", headers=headers, json={"query": QUERY.format(way)})
    lines = (await stack.enter_async_context(request)).aiter_lines()
    assert (await anext(lines)).startswith("id: ")
    return lines, Watcher()


async def watch_socket(opened: ClientConnection, watcher: Watcher) -> None:
    async for message in opened:
        watcher.take(message)


async def watch_stream(lines: Any, watcher: Watcher) -> None:
    async for line in lines:
        if line.startswith("data: {"):
            watcher.take(line[6:])


async def reached(watchers: list[Watcher], name: str, since: float) -> list[float]:
    """Seconds until each has been told."""
    while not all(name in each.came for each in watchers):
        await asyncio.sleep(0.01)
        if time.perf_counter() - since > 60:
            raise TimeoutError(
                f"{sum(name in each.came for each in watchers)} of {len(watchers)} were told within 60 s"
            )
    return sorted(each.came[name] - since for each in watchers)


async def bench(count: int, url: str | None) -> bool:
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        url = url or f"sqlite:///{folder / 'cshub.db'}"
        async with Store.open(url) as store:
            secret = await fill(store, CSMS)
            async with server(folder, url) as (host, pid), AsyncExitStack() as stack:
                before = memory_mb(pid)
                limits = httpx.Limits(max_connections=count)
                client = await stack.enter_async_context(
                    httpx.AsyncClient(base_url=f"http://{host}", limits=limits, timeout=60)
                )
                watching, watchers = [], []
                began = time.perf_counter()
                for number in range(count):
                    streams = number % 10 == 9
                    if streams:
                        lines, watcher = await open_stream(stack, client, secret, number % WAYS)
                    else:
                        opened, watcher = await open_socket(stack, host, secret, number % WAYS)
                    watch = watch_stream(lines, watcher) if streams else watch_socket(opened, watcher)
                    watching.append(asyncio.create_task(watch))
                    watchers.append(watcher)
                print(f"{count} subscriptions opened in {time.perf_counter() - began:.1f} s")
                await asyncio.sleep(1)
                times = []
                for number in range(ROUNDS):
                    row = {
                        "id": f"a{number}",
                        "customer_id": f"c{number:04}",
                        "kind": "alert",
                        "title": f"alert {number}",
                    }
                    row |= {
                        "severity": "high",
                        "state": "open",
                        "dedup_key": f"k{number}",
                        "opened_at": NOW,
                        "updated_at": NOW,
                    }
                    since = time.perf_counter()
                    async with store.transaction() as connection:
                        await alerts.open_alerts(connection, [row])
                    times.append(await reached(watchers, f"alert {number}", since))
                memory = memory_mb(pid)
                for task in watching:
                    task.cancel()
                await asyncio.gather(*watching, return_exceptions=True)
    slowest = max(each[-1] for each in times)
    median = statistics.median(each[len(each) // 2] for each in times)
    dialect = url.partition(":")[0]
    print(
        f"{dialect}: the server has {memory:.0f} MB with {count} subscriptions, {before:.0f} MB without: "
        f"{verdict(memory, MOST_MB)} MB"
    )
    print(
        f"{dialect}: an event reached all {count} after {slowest:.2f} s at the worst of {ROUNDS}, half of them after "
        f"{median:.2f} s: {verdict(slowest, MOST_SECONDS)} s  ({load()})"
    )
    return memory <= MOST_MB and slowest <= MOST_SECONDS


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--subscriptions", type=int, default=1_000)
    parser.add_argument("--url", help="of an empty PostgreSQL database, instead of a SQLite file")
    given = parser.parse_args()
    sys.exit(0 if asyncio.run(bench(given.subscriptions, given.url)) else 1)


if __name__ == "__main__":
    main()
