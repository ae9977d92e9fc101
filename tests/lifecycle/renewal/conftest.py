"""A store with terms and deals in a few words, and renewals kept of them."""

from collections.abc import Mapping
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import pytest
from sqlalchemy import delete, select, update

from hub.lifecycle.renewal import RenewalSettings, keep_renewals
from hub.store import Store, tables
from hub.store.lifecycle import find_lifecycles
from tests.schema.company import insert, record

NOW = datetime(2026, 11, 22, 9, tzinfo=UTC)
TODAY = NOW.date()
COLUMNS = ("renewal_status", "renewal_days", "renewal_auto", "renewal_amount", "renewal_expected")


def day(off: int) -> date:
    return TODAY + timedelta(days=off)


class Renewals:
    """Writes records to a store, keeps renewals of them and reads them."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.now = NOW
        self.settings = RenewalSettings()

    async def customers(self, *ids: str) -> None:
        rows = [
            {"id": id_, "name": id_.title(), "csm_email": "ann@cs.example", "created_at": NOW, "updated_at": NOW}
            for id_ in ids
        ]
        await insert(self.store, tables.customer, rows)

    async def term(self, key: str, customer: str, due: int, mrr: float = 100.0, **columns: Any) -> None:
        """A term of a year that falls due so many days from the first day of the test."""
        notice = columns.pop("notice", None)
        row = {
            "plan": "Pro", "mrr": mrr, "currency": "USD", "seats_purchased": None, "status": "active", "auto_renew": False,
            "started_on": day(columns.pop("start", due - 365)), "renews_on": day(due), "cancellation_kind": None,
            "ended_on": None if (end := columns.pop("end", None)) is None else day(end),
            "cancelled_at": None if notice is None else datetime.combine(day(notice), time(8), UTC), **columns,
        }  # fmt: skip
        await insert(self.store, tables.subscription, [record("bill", key, customer, **row)])

    async def deal(
        self, key: str, customer: str, stage: str, close: int, amount: float | None = None, **columns: Any
    ) -> None:
        row = {"name": "Renewal", "type": "renewal", "currency": "USD", "target_amount": None, **columns}
        await insert(
            self.store,
            tables.opportunity,
            [record("crm", key, customer, stage=stage, close_on=day(close), amount=amount, **row)],
        )

    async def risk(self, customer: str, probability: float, *, horizon: str = "renewal") -> None:
        version = f"m-{horizon}"
        model = {"version": version, "kind": "xgboost", "trained_at": NOW}
        async with self.store.transaction() as connection:
            known = select(tables.churn_model.c.version).where(tables.churn_model.c.version == version)
            if (await connection.execute(known)).scalar() is None:
                blank = {"features": [], "evaluation": {}, "parameters": {}}
                await connection.execute(tables.churn_model.insert(), [model | blank])
        row = {"customer_id": customer, "as_of": TODAY, "model_version": version, "horizon": horizon}
        row |= {"horizon_days": None, "probability": probability, "band": "low", "confidence": "normal"}
        row |= {"reasons": [], "computed_at": NOW}
        await insert(
            self.store,
            tables.churn_prediction,
            [{"id": f"{customer}:{horizon}", **row, "latest": True, "shown": True, "main": False}],
        )

    async def change(self, key: str, **columns: Any) -> None:
        async with self.store.transaction() as connection:
            await connection.execute(
                update(tables.subscription).where(tables.subscription.c.key == key).values(**columns)
            )

    async def remove(self, key: str) -> None:
        async with self.store.transaction() as connection:
            await connection.execute(delete(tables.subscription).where(tables.subscription.c.key == key))

    async def keep(self, *, days: int | None = None) -> None:
        """Keep renewals; `days`: so many after the test's first day."""
        if days is not None:
            self.now = NOW + timedelta(days=days)
        await keep_renewals(self.store, self.settings, now=self.now)

    async def rows(self) -> dict[str, Mapping[str, Any]]:
        async with self.store.reading() as connection:
            found = await connection.execute(select(tables.renewal).order_by(tables.renewal.c.id))
            return {row.id: dict(row._mapping) for row in found}

    async def statuses(self) -> dict[str, str]:
        return {id_: row["status"] for id_, row in (await self.rows()).items()}

    async def standing(self) -> dict[str, tuple[Any, ...]]:
        async with self.store.reading() as connection:
            found = await find_lifecycles(connection, COLUMNS)
        return {id_: tuple(row[name] for name in COLUMNS) for id_, row in found.items()}

    async def changes(self) -> list[tuple[str, str | None, str | None]]:
        row = tables.lifecycle_change.c
        async with self.store.reading() as connection:
            found = await connection.execute(
                select(row.customer_id, row.old, row.new).where(row.field == "renewal_status").order_by(row.id)
            )
            return [tuple(each) for each in found]


@pytest.fixture
def world(store: Store) -> Renewals:
    """On each database in turn."""
    return Renewals(store)


@pytest.fixture
def sqlite_world(sqlite_store: Store) -> Renewals:
    return Renewals(sqlite_store)
