"""A handmade world of customers who use a product and open tickets, and what is asked of the scorecards they get."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

import numpy as np
from sqlalchemy import insert, update

from hub.documents import Document
from hub.model.actions import SyncState
from hub.model.records import Company, Record, Severity, Ticket, TicketStatus, UserActivityDay
from hub.scorecards import ScoreReport, score
from hub.store import Store
from hub.store.records import upsert
from hub.store.scorecards import find_history, find_latest
from hub.store.tables import RECORD_TABLES, churn_model, customer, sync_run
from scoring.book import HealthBook
from scoring.definition import HealthDefinition, load
from scoring.facts import FactTable, Floats

TODAY = date(2026, 6, 30)
NOW = datetime(2026, 6, 30, 9, tzinfo=UTC)
BANDS = """
bands:
  critical: {from: 0, below: 0.3}
  warning: {from: 0.3, below: 0.5}
  stable: {from: 0.5, below: 0.7}
  healthy: {from: 0.7}
"""
# sessions a user and week 0-4 and severe tickets 4-0, straight
DEFINITION = load(
    Document.from_text(
        f"""{BANDS}
groups:
  engagement:
    weight: 0.6
    of:
      login_frequency: {{weight: 1, curve: {{points: [[0, 0], [4, 1]]}}}}
  support:
    weight: 0.4
    of:
      ticket_severity: {{weight: 1, curve: {{points: [[0, 1], [4, 0]]}}}}
""",
        name="health.yaml",
    )
)
BOOK = HealthBook(DEFINITION)


def day(days_ago: int) -> date:
    return TODAY - timedelta(days=days_ago)


def moment(days_ago: int) -> datetime:
    return NOW - timedelta(days=days_ago)


class World:
    """Customers who use a product and open tickets; a company key is the customer's id."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.keys = 0

    async def customers(self, *ids: str) -> None:
        created = datetime(2025, 1, 1, tzinfo=UTC)
        rows = [{"id": id_, "name": id_, "created_at": created, "updated_at": created} for id_ in ids]
        async with self.store.transaction() as connection:
            await connection.execute(customer.insert(), rows)
        for source in ("product", "desk"):
            await self.put(source, *(Company(key=id_, version=1, company_key=id_) for id_ in ids))

    async def put(self, source: str, *records: Record) -> None:
        async with self.store.transaction() as connection:
            await upsert(connection, records, source=source, now=NOW, historical=True)
            for table in RECORD_TABLES.values():
                await connection.execute(update(table).values(customer_id=table.c.company_key))

    def key(self) -> str:
        self.keys += 1
        return str(self.keys)

    def use(self, id_: str, days_ago: int, sessions: int) -> UserActivityDay:
        return UserActivityDay(
            key=self.key(),
            version=1,
            company_key=id_,
            user_key="u",
            day=day(days_ago),
            events=1,
            sessions=sessions,
            minutes=1,
        )

    def urgent(self, id_: str, days_ago: int) -> Ticket:
        return Ticket(
            key=self.key(),
            version=1,
            company_key=id_,
            status=TicketStatus.OPEN,
            severity=Severity.URGENT,
            created_at=moment(days_ago),
        )

    async def sync(self, source: str, days_ago: int) -> None:
        counts = dict.fromkeys(("pulled", "new", "changed", "unchanged", "quarantined"), 0)
        row = {
            "id": f"{source} {days_ago}",
            "source": source,
            "state": SyncState.SUCCEEDED.value,
            "started_at": moment(days_ago),
            "streams": {},
            **counts,
        }
        async with self.store.transaction() as connection:
            await connection.execute(insert(sync_run), [row])


async def good_and_poor(store: Store) -> World:
    """good: 3 sessions a week, no severe ticket; poor: 1 session a week, two of them."""
    world = World(store)
    await world.customers("good", "poor")
    await world.put("product", world.use("good", 10, 12), world.use("poor", 10, 4))
    await world.put("desk", world.urgent("poor", 10), world.urgent("poor", 9))
    return world


GOOD = 0.6 * 0.75 + 0.4 * 1
POOR = 0.6 * 0.25 + 0.4 * 0.5


@dataclass(frozen=True)
class Columns:
    probability: Floats
    annualised: Floats
    band: Sequence[str]
    confidence: Sequence[str]
    reasons: Sequence[Sequence[dict[str, Any]]]


@dataclass
class FakePredictor:
    """Says for the customer at i that the probability is i / 10, and remembers the tables it saw."""

    model_version: str = "m1"
    horizon: str = "90d"
    horizon_days: int | None = 90
    shown: bool = True
    product_features: Sequence[str] = ()

    def __post_init__(self) -> None:
        self.seen: list[FactTable] = []

    def predict(self, table: FactTable) -> Columns:
        self.seen.append(table)
        p = np.arange(len(table)) / 10
        reasons = [[{"code": "USAGE_DROP", "text": id_}] for id_ in table.customers]
        return Columns(p, 1 - (1 - p) ** 4, ["low"] * len(table), ["normal"] * len(table), reasons)


async def add_model(store: Store, version: str = "m1") -> None:
    row = {"version": version, "kind": "xgboost", "horizon_days": 90, "trained_at": NOW, "role": "champion"}
    async with store.transaction() as connection:
        await connection.execute(insert(churn_model), [{**row, "features": [], "evaluation": {}, "parameters": {}}])


async def run(
    store: Store, as_of: date = TODAY, *, definition: HealthDefinition = DEFINITION, **options: Any
) -> ScoreReport:
    predictor = options.pop("predictor", None)
    predictors = options.pop("predictors", [predictor] if predictor else [])
    book = options.pop("book", HealthBook(definition))
    return await score(store, book, predictors, as_of=as_of, now=options.pop("now", NOW), **options)


async def latest(store: Store) -> dict[str, Any]:
    async with store.reading() as connection:
        return dict(await find_latest(connection))


async def history(store: Store, id_: str) -> list[Any]:
    async with store.reading() as connection:
        return (await find_history(connection, [id_]))[id_]
