"""Six customers that a hub has scored itself, with a few of everything beside: what pages and recipes are tried on."""

import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import delete, update

from hub.compose import Hub
from hub.resources import CONFIG
from hub.settings import load
from hub.store import tables
from tests.fakes.durable import FakeDurable
from tests.schema.company import NOW, TODAY, insert, record, seed

DAYS = (63, 35, 7)
"""Days before today that are scored, too."""


class Engine(FakeDurable):
    executor = "here"


async def company(hub: Hub) -> None:
    """Six customers with a few of everything, in use for months, scored by the hub itself; two have renewals ahead."""
    store = hub.store
    await seed(store, 6)
    ids = [f"c{number:03}" for number in range(6)]
    async with store.transaction() as connection:
        await connection.execute(update(tables.alert).values(snoozed_until=None))
        for table in (tables.churn_prediction, tables.scorecard, tables.extra_scorecard, tables.rollup_scorecard):
            await connection.execute(delete(table))  # the hub makes its own
        await connection.execute(delete(tables.churn_model))
    terms = [
        record(
            "bill", f"t-{customer}", customer, plan="Pro", mrr=100.0, currency="EUR", started_on=TODAY + timedelta(due - 365),
            renews_on=TODAY + timedelta(due), ended_on=None, auto_renew=False, status="active", seats_purchased=5,
        )
        for customer, due in (("c001", 20), ("c002", 50))
    ]  # fmt: skip
    await insert(store, tables.subscription, terms)
    use = [
        record(
            "app", f"{customer}-{user}-{days}-use", customer, user_key=f"u{user}", day=TODAY - timedelta(days=days),
            events=10, sessions=2, minutes=7.5,
        )
        for number, customer in enumerate(ids) for user in range(20 if number == 1 else number + 1)
        for days in range(4, 100, 1 + user)
    ]  # fmt: skip
    await insert(store, tables.user_activity_day, use)
    known = [
        record(source, customer, customer, name=customer, domains=[], state="matched", method="domain", reason="same domain")
        for source in ("desk", "app", "bill") for customer in ids
    ]  # fmt: skip
    known.append(
        record("crm", "acme", None, name="Acme", domains=["acme.example"], state="ambiguous", reason="two have it")
    )
    syncs: list[dict[str, Any]] = [
        {
            "id": f"sync-{source}-{days}-ago", "source": source, "state": "succeeded", "started_at": NOW - timedelta(days=days),
            "finished_at": NOW - timedelta(days=days), "streams": {}, "pulled": 1, "new": 1,
        }
        for source in ("desk", "app", "bill", "crm") for days in (*DAYS, 0)
    ]  # fmt: skip
    for each in known:
        await insert(store, tables.external_id, [each])
    await insert(store, tables.sync_run, syncs)
    async with store.transaction() as connection:
        for table in (*tables.RECORD_TABLES.values(), tables.external_id):
            await connection.execute(update(table).values(learned_at=NOW - timedelta(days=200)))
        calm = update(tables.ticket).where(tables.ticket.c.customer_id == ids[1])  # one that has outgrown its seats
        await connection.execute(calm.values(severity="normal"))
        for table in (tables.user_activity_day, tables.feature_usage_day):  # one that has not begun yet
            await connection.execute(delete(table).where(table.c.customer_id == ids[0]))
    await hub.backfill([TODAY - timedelta(days=days) for days in DAYS])
    await hub.score(fire=False)


async def make(folder: Path) -> None:
    """The configuration that ships and a store with the company in it, to be copied by `opened`."""
    shutil.copytree(CONFIG, folder / "config")
    team = folder / "config" / "team.yaml"
    team.write_text(team.read_text("utf-8").replace("members: {}", "members: {ann@cs.example: {name: Ann}}"), "utf-8")
    async with _hub(folder, migrate=True) as hub:
        await company(hub)


@asynccontextmanager
async def opened(made: Path, folder: Path) -> AsyncIterator[Hub]:
    """A hub over a copy of what was made, at the moment NOW."""
    shutil.copytree(made, folder)
    async with _hub(folder) as hub:
        yield hub


@asynccontextmanager
async def _hub(folder: Path, *, migrate: bool = False) -> AsyncIterator[Hub]:
    settings = load(folder / "config", environment={"CSHUB_STORE": f"sqlite:///{folder / 'cshub.db'}"})
    engine = Engine(clock=lambda: NOW)
    async with Hub.open(settings, clock=lambda: NOW, migrate=migrate, work=False, engine=engine) as hub:
        yield hub
