"""How long a plan takes: a playbook rehearsed beside its live version over 90 days of scorecards.

    python -m bench.plan --customers 100000 --days 90

Scorecards are made by the database itself, with the facts of a hub that has all sources. The plan is made in a process that
has nothing else to do; memory is the most it ever held.
"""

import argparse
import asyncio
import tempfile
import time
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from bench.stopwatch import load, peak_mb
from hub.delivery import Renderer
from hub.documents import Document
from hub.playbooks import loading
from hub.playbooks.rehearsal import Asked, markdown, rehearse
from hub.store import Connection, Store
from hub.store.migrate import upgrade
from hub.store.tables import customer, scorecard
from scoring.facts import FACTS

TODAY = date(2026, 6, 30)
NOW = datetime(2026, 6, 30, 9, tzinfo=UTC)
TRIED = """
playbook: low
version: 2
title: Health is low
when: {health: {lt: 0.3}, mrr: {gt: 100}, any: [{tickets_open: {gt: 5}}, {health_change_30d: {lte: -0.1}}]}
rest: 30 days
do:
  - task: {title: Call}
  - wait: {until: {health: {gte: 0.5}}, at_most: 30 days}
examples:
  - {facts: {health: 0.2, mrr: 200, tickets_open: 6}, fires: true}
  - {facts: {health: 0.5}, fires: false}
"""


async def fill(connection: Connection, customers: int, days: int) -> None:
    await connection.execute(
        customer.insert(),
        [{"id": f"c{i:07}", "name": f"C{i}", "created_at": NOW, "updated_at": NOW} for i in range(customers)],
    )
    names = [name for name, fact in FACTS.items() if fact.kind == "number"]
    for ago in range(days - 1, -1, -1):
        day = TODAY - timedelta(days=ago)
        facts = {name: float((place * 7 + ago) % 11) for place, name in enumerate(names)}
        rows = [
            {
                "id": f"c{i:07}:{day}",
                "customer_id": f"c{i:07}",
                "as_of": day,
                # a third of them wander through all of health in a quarter, each from elsewhere
                "health": ((i * 37 + ago * (11 if i % 3 == 0 else 0)) % 1_000) / 1_000,
                "band": "warning",
                "coverage": 1.0,
                "churn_risk": 0.1,
                "churn_annualised": 0.3,
                "churn_band": "low",
                "facts": {**facts, "mrr": float(i % 997), "csm_email": f"csm{i % max(customers // 200, 1)}@x.example"},
                "readings": [],
                "definition_hash": "x",
                "computed_at": NOW - timedelta(days=ago),
                "latest": ago == 0,
            }
            for i in range(customers)
        ]
        await connection.execute(scorecard.insert(), rows)


async def main(customers: int, days: int, folder: Path) -> None:
    path = folder / "plan.db"
    async with Store.open(f"sqlite:///{path}") as store:
        await upgrade(store)
        began = time.perf_counter()
        async with store.transaction() as connection:
            await fill(connection, customers, days)
        size = path.stat().st_size / 2**20
        took = time.perf_counter() - began
        print(
            f"{customers:,} customers x {days} days: {size:,.0f} MB, filled in {took:.0f} s, peak {peak_mb():,.0f} MB"
        )
        renderer = Renderer(Path(__file__).parents[1] / "templates")
        tried = loading.load(Document.from_text(TRIED, name="tried"), renderer=renderer)
        live = loading.load(Document.from_text(TRIED.replace("lt: 0.3", "lt: 0.25"), name="live"), renderer=renderer)
        for what, playbooks in (("alone", (tried, None)), ("beside its live version", (tried, live))):
            asked = Asked(playbook=playbooks[0], live=playbooks[1], days=days, horizon=30, grace=30)
            began = time.perf_counter()
            plan = await rehearse(store, asked, now=NOW)
            took = time.perf_counter() - began
            rows = customers * days
            print(
                f"{what}: {took:.1f} s, {rows / took / 1e3:,.0f} thousand scorecards/s, {plan.new.firings:,} firings, "
                f"{len(markdown(plan)):,} characters"
            )
    print(f"peak {peak_mb():,.0f} MB; {load()}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--customers", type=int, default=10_000)
    parser.add_argument("--days", type=int, default=90)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as made:
        asyncio.run(main(options.customers, options.days, Path(made)))
