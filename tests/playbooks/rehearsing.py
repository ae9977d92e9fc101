"""A handmade past for rehearsals: customers with scorecards day by day, who pay, and some of whom leave."""

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any

from sqlalchemy import func, select, update

from hub.documents import Document
from hub.model.records import Company, Record, Subscription, SubscriptionStatus
from hub.playbooks import Playbook
from hub.playbooks.loading import load
from hub.playbooks.rehearsal import Asked, Plan, rehearse
from hub.store import Store
from hub.store.records import upsert
from hub.store.tables import RECORD_TABLES, customer, lifecycle_change, scorecard
from tests.playbooks.conftest import Folder

TODAY = date(2026, 6, 30)
NOW = datetime(2026, 6, 30, 9, tzinfo=UTC)
START = datetime(2025, 1, 1, tzinfo=UTC)
PLAIN = """
playbook: low
version: 2
title: Health is low
when: {health: {lt: 0.5}}
rest: 10 days
do:
  - slack: {channel: "#alerts", template: note}
examples:
  - {facts: {health: 0.4}, fires: true}
  - {facts: {health: 0.5}, fires: false}
"""


def day(ago: int) -> date:
    return TODAY - timedelta(days=ago)


def at(ago: float) -> datetime:
    return NOW - timedelta(days=ago)


class Past:
    """Customers' scorecards of so many days ago, oldest first."""

    def __init__(self, store: Store) -> None:
        self.store = store

    async def customers(self, *ids: str, **values: Any) -> None:
        rows = [{"id": id_, "name": id_.title(), "created_at": START, "updated_at": START, **values} for id_ in ids]
        async with self.store.transaction() as connection:
            await connection.execute(customer.insert(), rows)

    async def scores(
        self, id_: str, healths: Mapping[int, float | None], *, csm: str = "ann@x.example", **values: Any
    ) -> None:
        """{days ago: health}; values: other columns of scorecards, the rest facts."""
        own = {name: values.pop(name) for name in list(values) if name in scorecard.c}
        facts = {"csm_email": csm, "mrr": 100.0, **values}
        rows = [
            {
                "coverage": 1.0,
                "readings": [],
                "definition_hash": "x",
                "computed_at": at(ago),
                "latest": ago == min(healths),
                "id": f"{id_}:{day(ago)}",
                "customer_id": id_,
                "as_of": day(ago),
                "health": health,
                "facts": facts,
                "churn_annualised": None,
                "churn_band": None,
                **own,
            }
            for ago, health in healths.items()
        ]
        async with self.store.transaction() as connection:
            await connection.execute(scorecard.insert(), rows)

    async def pays(self, id_: str, *, since: int = 400, left: int | None = None, noticed: int | None = None) -> None:
        term = Subscription(
            key=id_,
            version=1,
            company_key=id_,
            plan="Pro",
            mrr=100.0,
            started_on=day(since),
            ended_on=None if left is None else day(left),
            status=SubscriptionStatus.ACTIVE if left is None else SubscriptionStatus.ENDED,
            cancelled_at=None if noticed is None else at(noticed),
        )
        await self.put(Company(key=id_, version=1, company_key=id_), term)

    async def put(self, *records: Record) -> None:
        async with self.store.transaction() as connection:
            await upsert(connection, records, source="crm", now=NOW, historical=True)
            for table in RECORD_TABLES.values():
                await connection.execute(update(table).values(customer_id=table.c.company_key))

    async def changes(self, field: str, *found: tuple[str, str | None, str | None, float]) -> None:
        """(customer, old, new, days ago)."""
        rows = [
            {"customer_id": id_, "field": field, "old": old, "new": new, "changed_at": at(ago)}
            for id_, old, new, ago in found
        ]
        async with self.store.transaction() as connection:
            await connection.execute(lifecycle_change.insert(), rows)

    async def rows(self) -> int:
        """How many rows there are of all that a hub does."""
        async with self.store.reading() as connection:
            names = (
                "playbook_run",
                "playbook_step",
                "delivery",
                "alert",
                "approval",
                "playbook_assignment",
                "audit_record",
            )
            tables = customer.metadata.tables
            counts = [select(func.count()).select_from(tables[name]) for name in names]
            return sum([(await connection.execute(each)).scalar_one() for each in counts])


def playbook(folder: Folder, text: str) -> Playbook:
    return load(Document.from_text(text, name="tried"), renderer=folder.load().renderer)


async def plan(store: Store, folder: Folder, text: str, *, live: str | None = None, **options: Any) -> Plan:
    options = {"days": 30, "horizon": 20, "grace": 10, **options}
    asked = Asked(
        playbook=playbook(folder, text),
        live=None if live is None else playbook(folder, live),
        live_is="version 1" if live else "there is none",
        **options,
    )
    return await rehearse(store, asked, now=NOW)


def steady(health: float, days: Sequence[int]) -> dict[int, float | None]:
    return dict.fromkeys(days, health)
