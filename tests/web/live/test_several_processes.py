"""Another process writes, its transactions overlapping; whoever watches is told by any server of the store, once."""

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from hub.store import Store
from tests.web.live.conftest import ALERTS, FakeHub, connected, customers, serving, settled, token

WRITERS, TURNS = 3, 8
WRITE = """
import asyncio, sys
from datetime import UTC, datetime
from hub.store import Store, alerts

now = datetime(2026, 11, 22, 9, tzinfo=UTC)

async def write(store, writer):
    for turn in range({turns}):
        id_ = f"{{writer}}.{{turn}}"
        row = dict(id=id_, customer_id="acme", kind="alert", title=id_, severity="high", state="open", dedup_key=id_)
        async with store.transaction() as connection:
            await alerts.open_alerts(connection, [row | dict(opened_at=now, updated_at=now)])
            await asyncio.sleep(0.01 * ((writer * 5 + turn * 3) % 7))  # they commit in another order than they write
        await asyncio.sleep(0.02)

async def main():
    async with Store.open(sys.argv[1]) as store:
        await asyncio.gather(*(write(store, writer) for writer in range({writers})))

asyncio.run(main())
"""


@asynccontextmanager
async def writing(url: str) -> AsyncIterator[None]:
    """A process that writes, for as long as it has something to write."""
    script = WRITE.format(writers=WRITERS, turns=TURNS)
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", script, url)
    try:
        yield
        assert await asyncio.wait_for(process.wait(), 60) == 0
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


@pytest.mark.long
async def test_nothing_is_lost_or_doubled_whoever_writes_and_whatever_breaks(hub: FakeHub, store_url: str) -> None:
    await customers(hub.store, acme="ann@us.example")
    secret = await token(hub.store)
    expected = sorted(f"{writer}.{turn}" for writer in range(WRITERS) for turn in range(TURNS))
    async with (
        Store.open(store_url) as other_store,
        serving(hub) as host,
        serving(FakeHub(other_store)) as other,
        connected(other, secret) as steady,
    ):
        await steady.subscribe(ALERTS)
        await settled(steady)
        await steady.subscribe("{ eventCursor }", id_="place")
        cursor = (await steady.receive())["payload"]["data"]["eventCursor"]
        await steady.receive()
        async with writing(store_url):
            told: list[str] = []
            turn = 0
            while len(told) < len(expected):
                # by the one server and the other in turn, and each connection breaks after a few events
                async with connected((host, other)[turn % 2], secret) as client:
                    await client.subscribe(ALERTS, after=cursor)
                    for _ in range(min(1 + turn % 4, len(expected) - len(told))):
                        event = await client.next()
                        told.append(event["alert"]["title"])
                        cursor = event["cursor"]
                    client.socket.transport.abort()
                turn += 1
        steadily = [(await steady.next())["alert"]["title"] for _ in expected]

    assert sorted(told) == expected
    assert steadily == told
