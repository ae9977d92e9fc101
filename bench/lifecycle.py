"""How long all areas of the lifecycle take after a scoring, one after another as the hub keeps them.

    python -m bench.lifecycle [--customers 100000] [--database sqlite postgresql]

The company is made up (bench.company): a term, contacts and answers a customer; its scorecards say all facts. Kept three times:
when everybody is new to every area, again with nothing new, and the day after, when days have passed and all is scored anew.
"""

import argparse
import asyncio
import time
from datetime import datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from sqlalchemy import update

from bench.company import Company, _batches, moment
from bench.playbooks import TODAY, database
from bench.stopwatch import load, peak_mb, verdict
from hub.collector import relax_collector
from hub.compose.watching import scales_of
from hub.lifecycle import watch
from hub.lifecycle.advocacy.keeping import keep_advocacy
from hub.lifecycle.expansion import keep_expansion
from hub.lifecycle.onboarding import keep_onboardings
from hub.lifecycle.renewal import keep_renewals
from hub.resources import CONFIG
from hub.settings import load as settings_of
from hub.store import Store
from hub.store.bulk import upsert_rows, write_rows
from hub.store.migrate import upgrade
from hub.store.tables import RECORD_TABLES, customer, scorecard
from scoring.facts import FACTS

KINDS = ("contact", "subscription", "survey_response")
BATCH = 10_000
SECONDS = 60
Row = dict[str, Any]


async def build(store: Store, company: Company) -> None:
    await upgrade(store)
    rows = company.records()
    async with store.transaction() as connection:
        await connection.execute(customer.insert(), company.profiles())
        for kind in KINDS:
            for some in _batches(rows[kind]):
                await upsert_rows(connection, RECORD_TABLES[kind], some)


async def score(store: Store, company: Company, now: datetime) -> None:
    """A scorecard of everybody."""
    random = np.random.default_rng(now.toordinal())
    async with store.transaction() as connection:
        await connection.execute(update(scorecard).values(latest=False))
        for first in range(0, company.customers, BATCH):
            values = random.random((BATCH, len(FACTS))).round(3)
            rows: list[Row] = [
                {
                    "id": f"{id_}:{now.date()}",
                    "customer_id": id_,
                    "as_of": now.date(),
                    "health": float(value[0]),
                    "band": "stable",
                    "churn_annualised": float(value[1]),
                    "churn_band": "low",
                    "coverage": 1.0,
                    "facts": {
                        name: "Pro" if fact.kind == "text" else 1.2 * float(number)
                        for (name, fact), number in zip(FACTS.items(), value, strict=True)
                    },
                    "readings": [],
                    "definition_hash": "x",
                    "computed_at": now,
                    "latest": True,
                }
                for id_, value in zip(company.ids[first : first + BATCH], values, strict=False)
            ]
            await write_rows(connection, scorecard, rows, replace=False)


async def keep(store: Store, told: str, now: datetime) -> None:
    settings = settings_of(CONFIG)
    areas = settings.lifecycle
    whole = time.perf_counter()
    for name, work in {
        "watch": watch.keep(store, scales_of(settings), look_back=timedelta(days=areas.watch.look_back_days), now=now),
        "onboarding": keep_onboardings(store, areas.onboarding, now=now),
        "renewal": keep_renewals(store, areas.renewal, now=now),
        "advocacy": keep_advocacy(store, areas.advocacy, now=now),
        "expansion": keep_expansion(store, areas.expansion, now=now),
    }.items():
        began, cpu = time.perf_counter(), time.process_time()
        await work
        print(
            f"    {name}: {time.perf_counter() - began:.1f} s ({time.process_time() - cpu:.1f} s of CPU here)",
            flush=True,
        )
    took = time.perf_counter() - whole
    print(f"  {told}: {took:.1f} s, {verdict(took, SECONDS)} s ({load()})", flush=True)


async def measure(url: str, customers: int) -> None:
    company = Company(customers, until=TODAY)
    async with Store.open(url) as store:
        await build(store, company)
        now = moment(TODAY, 5)
        await score(store, company, now)
        await keep(store, "everybody is new", now)
        await keep(store, "nothing is new", now + timedelta(minutes=30))
        await score(store, company, now + timedelta(days=1))
        await keep(store, "the day after", now + timedelta(days=1))


async def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--customers", type=int, default=100_000)
    parser.add_argument("--database", nargs="+", choices=("sqlite", "postgresql"), default=["sqlite", "postgresql"])
    given = parser.parse_args()
    relax_collector()
    for kind in given.database:
        with TemporaryDirectory(prefix="bench-lifecycle-", ignore_cleanup_errors=True) as name:
            print(f"{kind}: the lifecycle of {given.customers:,} customers ({load()})", flush=True)
            async with database(kind, Path(name)) as url:
                await measure(url, given.customers)
            print(f"  peak memory {peak_mb():,.0f} MB", flush=True)


if __name__ == "__main__":
    asyncio.run(main())
