"""Conditions mean the same in SQL, on both databases, and in Python: drawn ones, over customers made to be awkward."""

from dataclasses import dataclass, field
from datetime import date
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import and_, select

from hub.model.conditions import OPERATORS, Operator, matches, parse
from hub.segments import VOCABULARY
from hub.store import Store
from hub.store.conditions import clause
from hub.store.tables import customer, scorecard
from tests.store.awkward import NAMES, NOW, fill

TODAY = date(2026, 11, 2)
DAYS = (
    "2026-11-01",
    "2026-10-29",
    "today",
    "yesterday",
    "today - 4 days",
    "today + 1 month",
    "2020-02-29",
    "today - 6 years",
)
SPANS = (
    "last 1 day",
    "last 4 days",
    "next 30 days",
    "this month",
    "last month",
    "next year",
    "this week",
    "last 100 years",
)
TEXTS = (*NAMES, "ä.example", "B.example", "SMB", "smb", "DE", "Ä", "ω", "ÅNG", "K", "%", "_", "\\", ".", " ")
NUMBERS = (0.0, 0.1, 0.25, 0.5, -1.5, 10.0, 0.30000000000000004, 1e12)
FIELDS = (
    "name", "domain", "segment", "industry", "employees", "created_at", "became_customer_on", "renewal_on", "health",
    "watch_level", "renewal_days", "mrr", "plan", "tickets_28d", "country",
)  # fmt: skip
SEARCHES = ("a", "acme", "ä", "Ängström", "b example", "a example acme", "日", "X", "é", "ωM", "zo")


def _value(kind: str, operator: Operator) -> st.SearchStrategy[Any]:
    one = st.sampled_from({"number": NUMBERS, "text": TEXTS, "date": DAYS}[kind])
    if operator is Operator.EXISTS:
        return st.booleans()
    if operator is Operator.WITHIN:
        return st.sampled_from(SPANS)
    if operator is Operator.BETWEEN:
        return st.tuples(one, one).map(_in_order)
    if operator in (Operator.IN, Operator.NOT_IN):
        return st.lists(one, min_size=1, max_size=3)
    return one


def _in_order(pair: tuple[Any, Any]) -> list[Any]:
    """The lower one first, as conditions want it; which of two is, is not known where a day counts from today."""
    relative = any(isinstance(each, str) and not each[:1].isdigit() for each in pair)
    return list(pair) if relative else sorted(pair)


@st.composite
def _test(draw: st.DrawFn) -> dict[str, Any]:
    name = draw(st.sampled_from((*FIELDS, "search")))
    if name == "search":
        return {"search": draw(st.sampled_from(SEARCHES))}
    field = VOCABULARY[name]
    allowed = [
        each for each in OPERATORS[field.kind] if each not in (Operator.RISES_BY, Operator.FALLS_BY, Operator.CHANGES)
    ]
    if field.choices:
        operator = draw(st.sampled_from([Operator.EQ, Operator.NE, Operator.EXISTS]))
        value: Any = True if operator is Operator.EXISTS else draw(st.sampled_from(field.choices))
        return {name: {operator.value: value}}
    operator = draw(st.sampled_from(allowed))
    return {name: {operator.value: draw(_value(field.kind, operator))}}


CONDITIONS = st.recursive(
    _test(),
    lambda inner: st.one_of(
        st.builds(lambda part: {"not": part}, inner),
        st.builds(lambda parts: {"all": parts}, st.lists(inner, min_size=1, max_size=3)),
        st.builds(lambda parts: {"any": parts}, st.lists(inner, min_size=1, max_size=3)),
    ),
    max_leaves=6,
)


@dataclass(frozen=True)
class Filled:
    """Shown in a word: what a failing condition is shown with must not be larger than its report."""

    store: Store = field(repr=False)
    found: dict[str, dict[str, Any]] = field(repr=False)


@pytest.fixture
async def filled(store: Store) -> Filled:
    return Filled(store, await fill(store))


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(value=CONDITIONS)
async def test_a_condition_means_the_same_everywhere(filled: Filled, value: dict[str, Any]) -> None:
    condition = parse(value, VOCABULARY)
    newest = and_(scorecard.c.customer_id == customer.c.id, scorecard.c.latest)
    statement = (
        select(customer.c.id)
        .select_from(customer.outerjoin(scorecard, newest))
        .where(clause(condition, today=TODAY))
        .order_by(customer.c.id)
    )
    async with filled.store.reading() as connection:
        chosen = set((await connection.execute(statement)).scalars())
    assert chosen == {id_ for id_, values in filled.found.items() if matches(condition, values, today=TODAY)}


@pytest.mark.parametrize(
    ("value", "names"),
    [
        ({"name": {"contains": "ÅNGSTRÖM"}}, {"Ångström"}),
        ({"name": {"starts_with": "äth"}}, {"Äther", "äther"}),
        ({"name": {"contains": "ÄTH"}}, {"Äther", "äther"}),
        ({"name": {"starts_with": "ω"}}, {"Ωmega"}),
        ({"name": {"contains": "ACM"}}, {"acme", "Acme", "ACME"}),
        ({"name": {"contains": "_"}}, {"_x"}),
        ({"search": "B"}, {"a b", "a-b"}),
        ({"search": "ZO"}, {"Zoë", "zoe"}),
        ({"search": "zoË"}, {"Zoë"}),
        ({"search": "本"}, set()),
    ],
)
async def test_letters_match_in_either_case(filled: Filled, value: dict[str, Any], names: set[str]) -> None:
    condition = parse({"all": [value, {"domain": {"exists": False}}]}, VOCABULARY)
    statement = select(customer.c.name).where(clause(condition, today=TODAY))
    async with filled.store.reading() as connection:
        found = set((await connection.execute(statement)).scalars())
        there = set((await connection.execute(select(customer.c.name).where(customer.c.domain.is_(None)))).scalars())
    assert found == names & there
    assert NOW.date() < TODAY


async def test_what_counts_from_a_day_needs_one(filled: Filled) -> None:
    condition = parse({"created_at": {"within": "last 30 days"}}, VOCABULARY)
    with pytest.raises(ValueError, match="counts from a day that was not given"):
        clause(condition)
    with pytest.raises(ValueError, match="counts from a day that was not given"):
        matches(condition, {"created_at": "2026-11-01"})
