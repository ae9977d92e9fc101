"""How fast health is computed: from a fact table in memory, and from the records of a store.

    python -m bench.scoring [--customers 1000000] [--stored 300] [--months 18] [--backfill 30]

Run it as a module: as a file, its own name would hide the package `scoring`. The first part fills a SQLite file with made-up
use, asks for the facts of single days, and writes the scorecards of the last days as a backfill does. The second reads and
weighs facts made at random by every measure there is, beside the same arithmetic by a line of numpy a measure.
"""

import argparse
import asyncio
import tempfile
import time
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np

from bench.health import bare, every_measure, made_table, segments_of
from bench.stopwatch import best, load, peak_mb, verdict
from hub.scorecards import backfill
from hub.store import Store
from hub.store.facts import find_facts
from hub.store.migrate import upgrade
from hub.store.tables import customer, external_id, feature_usage_day, user_activity_day
from scoring.book import HealthBook
from scoring.definition import HealthDefinition
from scoring.health import score

TODAY = date(2026, 6, 30)
CREATED = datetime(2024, 1, 1, tzinfo=UTC)
BATCH = 20_000
BOUND = 3.0
"""How many times as long as the bare arithmetic health may take."""


def bench_arithmetic(definition: HealthDefinition, n: int) -> None:
    table = made_table(n, TODAY)
    segments = segments_of(table)
    in_table = peak_mb()
    took, health = best(lambda: score(table, definition))
    peak = peak_mb()
    by_hand, alone = best(lambda: bare(table, segments, definition))
    known = ~np.isnan(alone)
    difference = np.abs(health.score[known] - alone[known]).max(initial=0)
    print(f"health of {n:,} customers, {len(health.readings)} measures: {took:.2f} s, {n / took:,.0f} customers/s")
    print(
        f"  bare arithmetic of the same columns: {by_hand:.2f} s; ours takes {took / by_hand:.2f} times as long, "
        f"{verdict(took / by_hand, BOUND)} ({load()})"
    )
    print(f"  of {known.sum():,} customers with everything known the scores differ by at most {difference:.1e}")
    print(f"  peak memory {peak:,.0f} MB, of which the table {in_table:,.0f} MB")
    some = min(n, 10_000)
    worded, _ = best(lambda: health.all_readings(range(some)), 1)
    print(f"  readings with reasons of {some:,} of them: {worded:.2f} s, {some / worded:,.0f} customers/s")


def made_use(customers: int, days: int) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Rows of user and feature days: each customer has up to 12 users, of whom a few come on a day."""
    random = np.random.default_rng(2)
    grid = random.random((customers, days, 12)) < 0.12
    used = random.random((customers, days, 10)) < 0.1
    return _rows(grid, "user_key", {"sessions": 2, "minutes": 14.0}), _rows(used, "feature", {"users": 2})


def _rows(grid: np.ndarray, part: str, values: dict[str, Any]) -> list[dict[str, Any]]:
    days = grid.shape[1]
    first = TODAY - timedelta(days=days - 1)
    dates = [first + timedelta(days=i) for i in range(days)]
    moments = [datetime(day.year, day.month, day.day, tzinfo=UTC) for day in dates]
    places = np.argwhere(grid)
    places = places[np.argsort(places[:, 1], kind="stable")]  # as a source would bring them: by day
    return [
        {
            "id": f"use:{part}:{c}:{d}:{p}",
            "source": "use",
            "key": f"{part}:{c}:{d}:{p}",
            "company_key": str(c),
            "customer_id": f"c{c:06}",
            "version": 1,
            "digest": 0,
            "learned_at": moments[d],
            "synced_at": moments[d],
            "day": dates[d],
            "events": 5 + (c + d + p) % 30,
            part: f"{part} {p}",
            **values,
        }
        for c, d, p in places.tolist()
    ]


async def fill(store: Store, customers: int, days: int) -> int:
    await upgrade(store)
    people, features = made_use(customers, days)
    ids = range(customers)
    seen = {"version": 1, "digest": 0, "learned_at": CREATED, "synced_at": CREATED, "domains": []}
    async with store.transaction() as connection:
        rows = [{"id": f"c{i:06}", "name": f"Company {i}", "segment": f"segment {i % 3}"} for i in ids]
        await connection.execute(
            customer.insert(), [{**row, "created_at": CREATED, "updated_at": CREATED} for row in rows]
        )
        companies = [{"id": f"use:{i}", "source": "use", "key": str(i), "customer_id": f"c{i:06}", **seen} for i in ids]
        await connection.execute(external_id.insert(), companies)
        for table, rows_of_table in ((user_activity_day, people), (feature_usage_day, features)):
            for start in range(0, len(rows_of_table), BATCH):
                await connection.execute(table.insert(), rows_of_table[start : start + BATCH])
    return len(people) + len(features)


async def bench_store(definition: HealthDefinition, *, customers: int, months: int, days: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        async with Store.open(f"sqlite:///{Path(folder) / 'bench.db'}") as store:
            rows = await fill(store, customers, months * 30)
            times = []
            for ago in range(5):
                began = time.perf_counter()
                async with store.reading() as connection:
                    found = await find_facts(connection, as_of=TODAY - timedelta(days=ago))
                times.append(time.perf_counter() - began)
            print(
                f"facts of a day, {len(found['customer_id']):,} customers over {rows:,} rows of use: "
                f"{sorted(times)[2] * 1000:.0f} ms (median of 5)"
            )
            past = [TODAY - timedelta(days=ago) for ago in range(1, days + 1)]
            now = datetime(TODAY.year, TODAY.month, TODAY.day, 12, tzinfo=UTC)
            began, began_cpu = time.perf_counter(), time.process_time()
            report = await backfill(store, HealthBook(definition), [], days=past, now=now)
            took, cpu = time.perf_counter() - began, time.process_time() - began_cpu
            print(
                f"backfill of {len(report.written)} days: {report.cards:,} scorecards in {took:.1f} s "
                f"({cpu:.1f} s of CPU), {report.cards / took:,.0f} scorecards/s; peak memory {peak_mb():,.0f} MB"
            )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--customers", type=int, default=1_000_000)
    parser.add_argument("--stored", type=int, default=300)
    parser.add_argument("--months", type=int, default=18)
    parser.add_argument("--backfill", type=int, default=30, help="days")
    options = parser.parse_args()
    definition = every_measure()
    asyncio.run(bench_store(definition, customers=options.stored, months=options.months, days=options.backfill))
    bench_arithmetic(definition, options.customers)


if __name__ == "__main__":
    main()
