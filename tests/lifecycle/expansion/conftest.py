"""Customers with facts of a day, and opportunities kept of them."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select, update

from hub.lifecycle.expansion import ExpansionSettings, keep_expansion
from hub.store import Store, tables
from hub.store.lifecycle import find_lifecycles, write_lifecycles
from tests.schema.company import insert, scorecard_row

NOW = datetime(2026, 11, 22, 9, tzinfo=UTC)
SETTINGS: dict[str, Any] = {
    "not_when": {
        "unhealthy": {"any": [{"band": {"in": ["warning", "critical"]}}, {"watch_level": {"in": ["warning", "critical"]}}]},
        "unhappy": {"nps_last": {"lte": 6}},
    },
    "rules": [
        {
            "name": "seats_full", "kind": "seats", "title": "More seats", "when": {"seat_utilisation": {"gt": 0.9}},
            "evidence": ["seat_utilisation", "mau"], "value": {"seats": {"to": 1.2}}, "probability": 0.5,
        },
        {
            "name": "ceiling", "kind": "plan_upgrade", "title": "The next plan",
            "when": {"feature_adoption": {"gte": 0.9}, "plan": {"ne": "Max"}},
            "evidence": ["feature_adoption"], "value": {"share_of_arr": 0.25}, "probability": 0.2,
        },
        {
            "name": "growth", "kind": "add_on", "title": "An add-on", "when": {"usage_trend": {"gte": 0.3}},
            "evidence": ["usage_trend", "name"], "value": {"amount": 6000}, "probability": 0.1,
        },
    ],
}  # fmt: skip
FULL = {"seat_utilisation": 0.95, "mau": 95.0, "seats_purchased": 100.0, "mrr": 1000.0, "plan": "Pro"}


class Company:
    """Writes scorecards of a day, keeps opportunities and reads them."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.now = NOW
        self.settings = ExpansionSettings.model_validate(SETTINGS)

    async def customer(self, id_: str, *, band: str | None = "healthy", **facts: Any) -> None:
        row = {"id": id_, "name": id_.title(), "csm_email": "ann@cs.example", "created_at": NOW, "updated_at": NOW}
        await insert(self.store, tables.customer, [row])
        await insert(self.store, tables.scorecard, [scorecard_row(id_, NOW.date(), facts=facts, band=band)])

    async def now_has(self, id_: str, *, band: str | None = "healthy", **facts: Any) -> None:
        async with self.store.transaction() as connection:
            card = tables.scorecard
            await connection.execute(update(card).where(card.c.customer_id == id_).values(facts=facts, band=band))

    async def stands(self, id_: str, **columns: Any) -> None:
        async with self.store.transaction() as connection:
            await write_lifecycles(connection, {id_: columns}, now=self.now)

    async def left(self, id_: str) -> None:
        async with self.store.transaction() as connection:
            card = tables.scorecard
            await connection.execute(update(card).where(card.c.customer_id == id_).values(latest=False))

    async def keep(self, days: int | None = None) -> None:
        """Keep opportunities; `days`: so many after the test's first day."""
        if days is not None:
            self.now = NOW + timedelta(days=days)
        await keep_expansion(self.store, self.settings, now=self.now)

    async def rows(self) -> list[Mapping[str, Any]]:
        row = tables.expansion_opportunity.c
        async with self.store.reading() as connection:
            found = await connection.execute(
                select(tables.expansion_opportunity).order_by(row.customer_id, row.rule, row.found_on)
            )
            return [dict(each._mapping) for each in found]

    async def states(self) -> list[tuple[str, str, str]]:
        return [(row["customer_id"], row["rule"], row["state"]) for row in await self.rows()]

    async def standing(self) -> dict[str, tuple[str | None, float | None]]:
        async with self.store.reading() as connection:
            found = await find_lifecycles(connection, ["expansion_kind", "expansion_value"])
        return {id_: (row["expansion_kind"], row["expansion_value"]) for id_, row in found.items()}


@pytest.fixture
def company(store: Store) -> Company:
    """On each database in turn."""
    return Company(store)
