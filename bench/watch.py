"""How long the health watch takes after a scoring: reading everybody's scores, deciding their levels, writing what changed.

    python -m bench.watch [--customers 100000]

The scorecards are made up: healths and risks that wander from day to day, a few of them missing. The first time everybody is
new and the days before are looked at; from then on only what changes is written, and once a day everybody's count of days.
"""

import argparse
import asyncio
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
from sqlalchemy import delete, insert, update

from bench.stopwatch import load, peak_mb
from hub.compose.watching import scales_of
from hub.lifecycle.watch import keep
from hub.resources import CONFIG
from hub.settings import load as settings
from hub.store import Store
from hub.store.migrate import upgrade
from hub.store.tables import customer, scorecard

START = datetime(2026, 6, 1, 5, tzinfo=UTC)
BATCH = 20_000
PAST_DAYS = 3
MISSING = 0.01


async def add_customers(store: Store, ids: list[str]) -> None:
    await upgrade(store)
    rows = [{"id": id_, "name": id_, "created_at": START, "updated_at": START} for id_ in ids]
    async with store.transaction() as connection:
        await connection.execute(insert(customer), rows)


async def add_day(store: Store, ids: list[str], now: datetime, health: np.ndarray, churn: np.ndarray) -> None:
    day = now.date()
    shared = {"as_of": day, "coverage": 1.0, "facts": {}, "readings": [], "definition_hash": "x", "latest": True}
    rows = [
        {"id": f"{id_}:{day}", "customer_id": id_, "health": h, "churn_annualised": c, "computed_at": now, **shared}
        for id_, h, c in zip(ids, [None if np.isnan(v) else v for v in health.tolist()], churn.tolist(), strict=True)
    ]
    async with store.transaction() as connection:
        await connection.execute(delete(scorecard).where(scorecard.c.as_of == day))
        await connection.execute(update(scorecard).values(latest=False))
        for start in range(0, len(rows), BATCH):
            await connection.execute(insert(scorecard), rows[start : start + BATCH])


async def bench(customers: int) -> None:
    chance = np.random.default_rng(3)
    ids = [f"c{i:06}" for i in range(customers)]
    health, churn = chance.beta(5, 2.5, customers), chance.beta(1.5, 6, customers)
    scales = scales_of(settings(CONFIG))

    async def timed(store: Store, words: str, now: datetime) -> None:
        began, cpu = time.perf_counter(), time.process_time()
        changes = await keep(store, scales, look_back=timedelta(days=30), now=now)
        took, used = time.perf_counter() - began, time.process_time() - cpu
        print(f"  {words}: {took:.2f} s ({used:.2f} s of CPU), {len(changes):,} changes of level ({load()})")

    with tempfile.TemporaryDirectory() as folder:
        async with Store.open(f"sqlite:///{Path(folder) / 'bench.db'}") as store:
            await add_customers(store, ids)
            print(f"health watch of {customers:,} customers after a scoring:")
            for day in range(PAST_DAYS + 3):
                now = START + timedelta(days=day)
                health = np.clip(health + chance.normal(0, 0.03, customers), 0, 1)
                churn = np.clip(churn + chance.normal(0, 0.02, customers), 0, 1)
                known = np.where(chance.random(customers) < MISSING, np.nan, health)
                await add_day(store, ids, now, known, churn)
                if day < PAST_DAYS:
                    continue
                words = "everybody is new" if day == PAST_DAYS else "the first scoring of a day"
                await timed(store, f"{words}", now)
                later = now + timedelta(hours=4)
                await add_day(store, ids, later, known, churn)
                await timed(store, "another one of the day", later)
    print(f"  peak memory {peak_mb():,.0f} MB")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--customers", type=int, default=100_000)
    asyncio.run(bench(parser.parse_args().customers))


if __name__ == "__main__":
    main()
