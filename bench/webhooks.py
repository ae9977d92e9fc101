"""A burst of webhooks: each kept before it is answered, none lost, and all of them done afterwards.

    python -m bench.webhooks [--events 2000] [--rows 10000] [--store URL]

Signed webhooks arrive over HTTP on many connections at once, each naming a ticket to fetch; then rows that are sent
themselves, a hundred in a body, as tracking libraries do. Printed: how many a second are answered, and how fast they are
done. Fails where one that was answered with 200 is not there in the end. Without --store: a SQLite file of its own.
"""

import argparse
import asyncio
import socket
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import httpx
import orjson
import uvicorn
from sqlalchemy import func, select
from starlette.applications import Starlette

from connectors.kit.base import Page, Raw, Stream, Window
from connectors.kit.signing import Hint, Pushed, header, hmac_hex, require
from hub.clock import utc_now
from hub.identity import IdentityRules
from hub.model.records import Record, Ticket, TicketStatus
from hub.store import Store
from hub.store.migrate import upgrade
from hub.store.syncs import declare_sources
from hub.store.tables import ticket
from hub.sync import Source
from hub.sync.hearing import Ear, Webhook
from hub.sync.heeding import heed
from hub.sync.inbox import Inbox
from hub.web.hooks import routes

SECRET = "bench-secret"
CONNECTIONS = 100
ROWS_A_BODY = 100
RULES = IdentityRules(sources={})
BEGAN = datetime(2026, 1, 1, tzinfo=UTC)


def row(number: int) -> dict[str, Any]:
    return {"id": number, "version": 1, "subject": f"Trouble {number}"}


def mapped(raw: Raw) -> Iterable[Record]:
    yield Ticket(
        key=str(raw["id"]), version=raw["version"], subject=raw["subject"], status=TicketStatus.OPEN, created_at=BEGAN
    )


class Desk:
    """A vendor in memory: what counts here is the hub's part."""

    manifest: Any = SimpleNamespace(lag_seconds=0)

    @asynccontextmanager
    async def client(self) -> AsyncIterator[Any]:
        yield SimpleNamespace(quotas=())

    async def pull(self, _client: Any, _window: Window) -> AsyncIterator[Page]:
        yield Page(rows=[])

    async def fetch(self, _client: Any, keys: Sequence[str]) -> AsyncIterator[Page]:
        yield Page(rows=[row(int(key)) for key in keys])

    def streams(self) -> tuple[Stream, ...]:
        return (Stream(name="tickets", makes=(Ticket,), pull=self.pull, records=mapped, fetch=self.fetch),)


def verified(headers: Mapping[str, str], body: bytes, **_: Any) -> None:
    require(header(headers, "x-signature"), hmac_hex(SECRET, body))


def hints(_headers: Mapping[str, str], body: bytes) -> Sequence[Hint]:
    told = orjson.loads(body)
    return [] if isinstance(told, list) else [Hint(event_id=told["event"], stream="tickets", key=told["ticket"])]


def rows(_headers: Mapping[str, str], body: bytes) -> Sequence[Pushed]:
    told = orjson.loads(body)
    return [Pushed(event_id=str(each["id"]), stream="tickets", raw=each) for each in told if isinstance(told, list)]


@asynccontextmanager
async def served(store: Store, source: Source) -> AsyncIterator[str]:
    async def wake(_: str) -> None:
        return None

    async def take(*_: Any) -> str | None:
        return None

    ear = Ear(
        source, Webhook(verified=verified, hints=hints, rows=rows), None, inbox=Inbox(store), wake=wake, clock=utc_now
    )
    app = Starlette(routes=routes({}, take=take, clock=utc_now, ears={source.name: ear}))
    with socket.create_server(("127.0.0.1", 0), backlog=2_048) as listener:
        server = uvicorn.Server(uvicorn.Config(app, lifespan="off", log_level="warning"))
        running = asyncio.create_task(server.serve(sockets=[listener]))
        while not server.started:  # noqa: ASYNC110 - uvicorn has no event to wait for
            await asyncio.sleep(0.01)
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        server.should_exit = True
        await running


async def sent(address: str, bodies: Sequence[bytes]) -> tuple[int, float]:
    """How many were answered with 200, and the seconds it took."""
    waiting, statuses = list(bodies), list[int]()
    plain = httpx.create_ssl_context(trust_env=False)  # made once: it takes longer than the requests do

    async def post_on() -> None:
        async with httpx.AsyncClient(base_url=address, timeout=60, verify=plain) as client:
            while waiting:
                body = waiting.pop()
                headers = {"x-signature": hmac_hex(SECRET, body)}
                statuses.append((await client.post("/hooks/desk", content=body, headers=headers)).status_code)

    began = time.perf_counter()
    await asyncio.gather(*(post_on() for _ in range(CONNECTIONS)))
    return statuses.count(200), time.perf_counter() - began


async def done(store: Store, source: Source) -> float:
    began = time.perf_counter()
    while (await heed(store, source, RULES, clock=utc_now)).left:
        pass
    return time.perf_counter() - began


async def stored(store: Store) -> int:
    async with store.reading() as connection:
        return (await connection.execute(select(func.count()).select_from(ticket))).scalar_one()


async def measure(url: str, events: int, pushed: int) -> bool:
    store = Store.open(url)
    try:
        await upgrade(store)
        async with store.transaction() as connection:
            await declare_sources(connection, {"desk": "fake"})
        desk: Any = Desk()
        source = Source(name="desk", connector=desk, connector_name="fake")
        async with served(store, source) as address:
            hinted = [orjson.dumps({"event": f"e{number}", "ticket": str(number)}) for number in range(events)]
            kept, seconds = await sent(address, hinted)
            took = await done(store, source)
            there = await stored(store)
            print(
                f"{kept:,} of {events:,} webhooks kept, {kept / seconds:,.0f} a second; fetched in {took:.2f} s: {there:,}"
            )
            whole = there == kept == events
            batches = [
                orjson.dumps([row(1_000_000 + number) for number in range(start, min(start + ROWS_A_BODY, pushed))])
                for start in range(0, pushed, ROWS_A_BODY)
            ]
            kept, seconds = await sent(address, [*batches, *batches[:10]])  # some are sent twice
            took = await done(store, source)
            there = await stored(store) - events
            print(
                f"{pushed:,} rows sent in {kept:,} bodies, kept in {seconds:.2f} s; landed in {took:.2f} s: {there:,}"
            )
            return whole and there == pushed
    finally:
        await store.close()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--events", type=int, default=2_000)
    parser.add_argument("--rows", type=int, default=10_000)
    parser.add_argument("--store", help="URL of an empty store; default: a SQLite file of its own")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        url = given.store or f"sqlite:///{Path(folder) / 'bench.db'}"
        return 0 if asyncio.run(measure(url, given.events, given.rows)) else 1


if __name__ == "__main__":
    sys.exit(main())
