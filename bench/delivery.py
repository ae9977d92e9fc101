"""How fast the ledger sends, with much and with little behind it: a channel that answers at once, so that all time is ours.

    python -m bench.delivery [messages]

Many messages wait for one address without a pace, and then the same for a thousand addresses. What counts is that the rate
stays when the backlog grows.
"""

import asyncio
import sys
import tempfile
import time
from datetime import timedelta
from pathlib import Path

from bench.stopwatch import load
from hub.clock import utc_now
from hub.delivery.base import Manners, Message, Receipt
from hub.playbooks.ledger import Ledger
from hub.store import Store, deliveries
from hub.store.migrate import upgrade

AT_ONCE = Manners(interval=timedelta(0), ordered=False, recognises=True)
MEASURED = 1_000


class Instant:
    """Takes every message, and lets the ledger go on only until enough were taken."""

    name, manners = "webhook", AT_ONCE

    def __init__(self, enough: int) -> None:
        self.left = enough
        self.done = asyncio.Event()

    async def send(self, message: Message) -> Receipt:
        self.left -= 1
        if self.left <= 0:
            self.done.set()
        return {}


async def rate(folder: Path, *, backlog: int, addresses: int) -> float:
    """Messages a second."""
    async with Store.open(f"sqlite:///{folder}/{backlog}-{addresses}.db") as store:
        await upgrade(store)
        now = utc_now()
        rows = [
            {
                "id": f"d{number:07}",
                "dedup_key": f"d{number:07}",
                "channel": "webhook",
                "address": f"place{number % addresses}",
                "payload": {"data": "x" * 400},
                "state": "reserved",
                "attempts": 0,
                "reserved_at": now,
            }
            for number in range(backlog)
        ]
        async with store.transaction() as connection:
            await deliveries.reserve(connection, rows)
        channel = Instant(min(MEASURED, backlog))
        ledger = Ledger(store, {"webhook": channel}, executor="bench", clock=utc_now)
        began = time.perf_counter()
        draining = asyncio.create_task(ledger.drain())
        await asyncio.wait([draining, asyncio.create_task(channel.done.wait())], return_when=asyncio.FIRST_COMPLETED)
        if draining.done():
            draining.result()
        took = time.perf_counter() - began
        draining.cancel()
        await asyncio.gather(draining, return_exceptions=True)
    return min(MEASURED, backlog) / took


async def main(most: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        for addresses in (1, 1_000):
            for backlog in (1_000, most):
                made = await rate(Path(folder), backlog=backlog, addresses=addresses)
                print(f"{backlog:>7,} waiting for {addresses:>5,} addresses: {made:8,.0f} a second   {load()}")


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]) if len(sys.argv) > 1 else 30_000))
