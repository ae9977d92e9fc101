"""A small book with a known end: 100 customers, 30 of whom leave in August 2026, and models that speak of them."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any

from sqlalchemy import insert, update

from hub.model.records import Subscription
from hub.store import Store
from hub.store.models import StoredModel, keep_model
from hub.store.records import upsert
from hub.store.tables import RECORD_TABLES, churn_prediction, customer
from scoring.churn_definition import ChurnDefinition

NOW = datetime(2026, 11, 22, 4, tzinfo=UTC)
TODAY = NOW.date()
LEFT = date(2026, 8, 15)
JULY = date(2026, 7, 1)
"""The newest month start whose 90 days, lead and grace are over."""
DEFINITION = ChurnDefinition(horizons=("90d",))
LEAVERS = 30
NAMES = tuple(f"c{number:03}" for number in range(100))


def leaves(name: str) -> bool:
    return int(name[1:]) < LEAVERS


async def fill(store: Store) -> None:
    rows = [{"id": name, "name": name.title(), "created_at": NOW, "updated_at": NOW} for name in NAMES]
    terms = [
        Subscription(
            key=name,
            version=1,
            company_key=name,
            plan="Pro",
            mrr=100.0,
            seats_purchased=5,
            started_on=date(2024, 1, 1),
            ended_on=LEFT if leaves(name) else None,
        )
        for name in NAMES
    ]
    async with store.transaction() as connection:
        await connection.execute(insert(customer), rows)
        await upsert(connection, terms, source="billing", now=NOW, historical=True)
        for table in RECORD_TABLES.values():
            await connection.execute(update(table).values(customer_id=table.c.company_key))


async def model(store: Store, version: str, **given: Any) -> StoredModel:
    """A prior of a rate, in the registry; learned until the end of 2025 if nothing else is said."""
    rate = given.pop("rate", 0.1)
    prior = {"rate": rate, "low": rate / 2, "high": rate * 2, "rows": 100, "churned": 10}
    usual: dict[str, Any] = {
        "version": version,
        "kind": "prior",
        "horizon": "90d",
        "horizon_days": 90,
        "trained_at": datetime(2026, 5, 1, tzinfo=UTC),
        "trained_on_from": date(2025, 1, 1),
        "trained_on_to": date(2025, 12, 1),
        "features": [],
        "evaluation": {},
        "parameters": {"prior": prior, "why": "test"},
        "artifact": None,
        "role": "candidate",
    }
    made = StoredModel(**usual | given)
    async with store.transaction() as connection:
        await keep_model(connection, made)
    return made


async def say(store: Store, version: str, day: date, of: Callable[[str], float | None], **given: Any) -> None:
    """Predictions of a model for everybody on a day."""
    rows = [
        {
            "id": f"{name}:{day}:{version}",
            "customer_id": name,
            "as_of": day,
            "model_version": version,
            "horizon": "90d",
            "horizon_days": 90,
            "shown": False,
            "probability": of(name),
            "annualised": of(name),
            "band": "low",
            "confidence": "normal",
            "reasons": [],
            "computed_at": NOW - timedelta(days=100),
            **given,
        }
        for name in NAMES
    ]
    async with store.transaction() as connection:
        await connection.execute(insert(churn_prediction), rows)


def knows(name: str) -> float:
    """Says 0.9 of who leaves and 0.05 of the others."""
    return 0.9 if leaves(name) else 0.05


def guesses(_: str) -> float:
    return 0.3
