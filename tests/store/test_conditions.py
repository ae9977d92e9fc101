"""What a condition means in SQL and what it means in Python are the same, on both databases, for conditions of every shape."""

import random
from datetime import UTC, date, datetime
from typing import Any

import pytest
from sqlalchemy import select

from hub.model.conditions import ConditionError, Field, matches, parse
from hub.store import Store
from hub.store.conditions import FIELDS, clause, column_of, health_change
from hub.store.tables import customer, scorecard

NOW = datetime(2026, 11, 1, 12, tzinfo=UTC)
TODAY = date(2026, 11, 1)
ALL_FIELDS = {**FIELDS, "mau": Field("mau", "number"), "plan": Field("plan", "text"), "nps": Field("nps", "number")}

NUMBERS = [0.0, 0.1, 0.3, 0.5, 0.7, 1.0, 14.0]
TEXTS = ["pro", "Pro", "100% free", "a_b", "aXb", 'O\'Hara "quoted"', "Ünal GmbH", "ünal gmbh", "back\\slash", ""]
BANDS = ["critical", "warning", "stable", "healthy"]


def maybe(rng: random.Random, values: list[Any]) -> Any:
    return rng.choice([None, *values])


async def populate(store: Store, rng: random.Random, count: int) -> dict[str, dict[str, Any]]:
    """Customers with random values; every tenth has no scorecard at all."""
    known: dict[str, dict[str, Any]] = {}
    customers, scorecards = [], []
    for number in range(count):
        id_ = f"c{number}"
        profile = {
            "name": rng.choice(TEXTS),
            "domain": maybe(rng, TEXTS),
            "segment": maybe(rng, TEXTS),
            "employees": maybe(rng, [0, 1, 14]),
        }
        customers.append({"id": id_, **profile, "created_at": NOW, "updated_at": NOW})
        known[id_] = dict(profile)
        if number % 10 == 0:
            continue
        facts = {"mau": maybe(rng, NUMBERS), "plan": maybe(rng, TEXTS), "nps": maybe(rng, NUMBERS)}
        facts = {name: value for name, value in facts.items() if value is not None or rng.random() < 0.5}
        card = {
            "health": maybe(rng, NUMBERS),
            "band": maybe(rng, BANDS),
            "previous_band": maybe(rng, BANDS),
            "coverage": rng.choice(NUMBERS),
            "churn_risk": maybe(rng, NUMBERS),
        }
        scorecards.append(make_scorecard(id_, TODAY, facts=facts, **card))
        known[id_] |= facts | card
    async with store.transaction() as connection:
        await connection.execute(customer.insert(), customers)
        if scorecards:
            await connection.execute(scorecard.insert(), scorecards)
    return known


def make_scorecard(customer_id: str, day: date, *, latest: bool = True, **values: Any) -> dict[str, Any]:
    blank = {"health": None, "band": None, "previous_band": None, "coverage": 1.0, "churn_risk": None, "facts": {}}
    return blank | values | {
        "id": f"{customer_id}:{day}",
        "customer_id": customer_id,
        "as_of": day,
        "readings": [],
        "definition_hash": "x",
        "computed_at": NOW,
        "latest": latest,
    }  # fmt: skip


def generate(rng: random.Random, depth: int = 3) -> dict[str, Any]:
    shape = rng.choice(["test", "test", "all", "any", "not"]) if depth else "test"
    if shape in ("all", "any"):
        return {shape: [generate(rng, depth - 1) for _ in range(rng.randint(1, 3))]}
    if shape == "not":
        return {"not": generate(rng, depth - 1)}
    name = rng.choice(["name", "domain", "segment", "plan", "employees", "mau", "nps", "health", "churn_risk", "band"])
    if rng.random() < 0.15:
        return {name: {"exists": rng.random() < 0.5}}
    values: list[Any] = BANDS if name == "band" else NUMBERS if ALL_FIELDS[name].kind == "number" else TEXTS
    operators = ["eq", "ne", "in", "not_in"]
    operators += ["lt", "lte", "gt", "gte"] if ALL_FIELDS[name].kind == "number" else ["contains", "starts_with"]
    operator = rng.choice(operators)
    if operator in ("in", "not_in"):
        return {name: {operator: rng.sample(values, rng.randint(1, 3))}}
    return {name: {operator: rng.choice(values)}}


async def chosen(store: Store, condition: Any) -> set[str]:
    statement = select(customer.c.id).select_from(
        customer.outerjoin(scorecard, (scorecard.c.customer_id == customer.c.id) & scorecard.c.latest)
    )
    async with store.reading() as connection:
        return {row.id for row in await connection.execute(statement.where(clause(condition)))}


@pytest.mark.parametrize("seed", [1, 2])
async def test_sql_and_python_choose_the_same_customers(store: Store, seed: int) -> None:
    rng = random.Random(seed)
    known = await populate(store, rng, 60)
    sizes = set()
    for _ in range(150):
        raw = generate(rng)
        condition = parse(raw, ALL_FIELDS)
        expected = {id_ for id_, values in known.items() if matches(condition, values)}
        assert await chosen(store, condition) == expected, raw
        sizes.add(len(expected))
    assert len(sizes) > 20, "the conditions must really choose"


async def test_a_missing_value_compares_as_false_and_its_opposite_as_true(store: Store) -> None:
    await populate(store, random.Random(3), 1)  # the one customer has no scorecard
    for test in ({"health": {"lt": 0.5}}, {"health": {"ne": 0.5}}, {"band": {"not_in": ["critical"]}}):
        assert await chosen(store, parse(test, ALL_FIELDS)) == set()
        assert await chosen(store, parse({"not": test}, ALL_FIELDS)) == {"c0"}
    assert await chosen(store, parse({"health": {"exists": False}}, ALL_FIELDS)) == {"c0"}


async def test_health_change_is_against_a_scorecard_of_30_to_45_days_before(store: Store) -> None:
    async with store.transaction() as connection:
        for id_ in ("steady", "fell", "young", "stale"):
            await connection.execute(customer.insert(), {"id": id_, "name": id_, "created_at": NOW, "updated_at": NOW})
        await connection.execute(
            scorecard.insert(),
            [
                make_scorecard("steady", TODAY, health=0.5),
                make_scorecard("steady", date(2026, 10, 2), latest=False, health=0.5),
                make_scorecard("fell", TODAY, health=0.5),
                make_scorecard("fell", date(2026, 10, 3), latest=False, health=0.1),  # 29 days
                make_scorecard("fell", date(2026, 10, 2), latest=False, health=0.75),  # 30 days
                make_scorecard("fell", date(2026, 9, 20), latest=False, health=0.2),  # older than that one
                make_scorecard("young", TODAY, health=0.5),
                make_scorecard("stale", TODAY, health=0.5),
                make_scorecard("stale", date(2026, 9, 16), latest=False, health=0.9),  # 46 days
            ],
        )
    assert await chosen(store, parse({"health_change_30d": {"lte": -0.25}}, ALL_FIELDS)) == {"fell"}
    assert await chosen(store, parse({"health_change_30d": {"exists": False}}, ALL_FIELDS)) == {"young", "stale"}
    async with store.reading() as connection:
        rows = await connection.execute(
            select(scorecard.c.customer_id, health_change()).where(scorecard.c.latest).order_by(scorecard.c.customer_id)
        )
        assert [tuple(row) for row in rows] == [("fell", -0.25), ("stale", None), ("steady", 0.0), ("young", None)]


def test_a_comparison_with_before_is_no_sql() -> None:
    condition = parse({"health": {"rises_by": 0.1}}, ALL_FIELDS, changes=True)
    with pytest.raises(ValueError, match="rises_by"):
        clause(condition)
    with pytest.raises(ConditionError):
        parse({"health": {"rises_by": 0.1}}, ALL_FIELDS)


async def test_aliases_are_taken(store: Store) -> None:
    await populate(store, random.Random(4), 20)
    other, card = customer.alias("other"), scorecard.alias("card")
    condition = parse({"all": [{"mau": {"exists": True}}, {"name": {"ne": "x"}}]}, ALL_FIELDS)
    statement = select(other.c.id).join_from(other, card, card.c.customer_id == other.c.id)
    async with store.reading() as connection:
        rows = await connection.execute(statement.where(clause(condition, customer=other, scorecard=card)))
        assert {row.id for row in rows} == await chosen(store, condition)
        value = column_of(ALL_FIELDS["mau"], customer=other, scorecard=card)
        assert {type(found) for (found,) in await connection.execute(select(value))} <= {float, type(None)}
