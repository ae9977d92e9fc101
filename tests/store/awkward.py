"""Customers made to be awkward: ties, missing values, texts of many scripts, equal numbers, some without a scorecard."""

import random
from datetime import UTC, date, datetime, timedelta
from typing import Any

from hub.store import Store, tables
from scoring.facts import CATALOGUE
from tests.schema.company import customer_row, insert, scorecard_row

NOW = datetime(2026, 11, 1, 12, tzinfo=UTC)
NAMES = (
    "acme",
    "Acme",
    "ACME",
    "Ångström",
    "angstrom",
    "Zoë",
    "zoe",
    "Äther",
    "äther",
    "Ωmega",
    "日本",
    "_x",
    "a b",
    "a-b",
    "é",
    "e\u0301",
)
COUNT = 40


def some(chance: random.Random, values: Any) -> Any:
    return None if chance.random() < 0.3 else chance.choice(values)


async def fill(store: Store) -> dict[str, dict[str, Any]]:
    """Customers; {id: the values they are ordered by}."""
    chance = random.Random(7)
    texts = [fact.name for fact in CATALOGUE if fact.kind == "text"]
    numbers = [fact.name for fact in CATALOGUE if fact.kind == "number"]
    customers, cards, stands, found = [], [], [], {}
    for number in range(COUNT):
        own = {
            "name": chance.choice(NAMES),
            "domain": some(chance, ("a.example", "B.example", "ä.example")),
            "segment": some(chance, ("smb", "SMB", "enterprise")),
            "industry": some(chance, NAMES),
            "country": some(chance, ("DE", "AT", "de")),
            "employees": some(chance, (0, 1, 10, 200)),
            "csm_email": some(chance, ("ann@cs.example", "bob@cs.example")),
            "csm_name": some(chance, ("Ann", "Bob", "Änn")),
            "became_customer_on": some(chance, (date(2020, 2, 29), date(2026, 1, 1))),
            "created_at": NOW - chance.choice((timedelta(0), timedelta(microseconds=1), timedelta(days=3))),
            "updated_at": NOW - chance.choice((timedelta(0), timedelta(days=3))),
        }
        row = customer_row(number, id=f"{chance.choice('abcXYZ')}{number:03}", **own)
        customers.append(row)
        values: dict[str, Any] = dict(own)
        if chance.random() < 0.8:
            facts = {name: some(chance, (-1.5, 0.0, 0.1, 0.30000000000000004, 1e12)) for name in numbers}
            facts |= {name: some(chance, NAMES) for name in texts}
            scores = {
                "health": some(chance, (0.0, 0.1, 0.5)),
                "band": some(chance, ("critical", "stable")),
                "previous_band": some(chance, ("critical", "stable")),
                "coverage": chance.choice((0.25, 1.0)),
                "churn_risk": some(chance, (0.1, 0.2)),
                "churn_annualised": some(chance, (0.1, 0.2)),
                "churn_band": some(chance, ("low", "high")),
            }
            cards.append(scorecard_row(row["id"], NOW.date(), facts=facts, **scores))
            values |= {**facts, **own, **scores}
        if chance.random() < 0.7:
            stand = {
                "customer_id": row["id"],
                "watch_level": some(chance, ("clear", "warning")),
                "renewal_on": some(chance, (date(2026, 12, 1), date(2027, 1, 1))),
                "renewal_days": some(chance, (30.0, 61.0)),
                "updated_at": NOW,
            }
            stands.append(stand)
            values |= {name: stand[name] for name in ("watch_level", "renewal_on", "renewal_days")}
        found[row["id"]] = values
    await insert(store, tables.customer, customers)
    await insert(store, tables.scorecard, cards)
    await insert(store, tables.lifecycle, stands)
    return found
