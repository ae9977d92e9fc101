"""Customers chosen by columns are those `matches` chooses one by one, over random conditions and tables full of holes."""

from datetime import date
from typing import Any as Anything

import numpy as np
import pytest

from hub.model.conditions import All, Any, Condition, Not, Operator, Test, matches, parse
from scoring.choosing import FIELDS, chosen
from scoring.facts import FactTable

NUMBERS, TEXTS = ("mrr", "tenure_days", "wau"), ("segment", "plan")
WORDS = ("Enterprise", "enterprise", "smb", "Ünter", "")


def random_table(rng: np.random.Generator, n: int) -> FactTable:
    """Values from so short a list that comparisons are often equal; `wau` and `plan` are now and then not there at all."""
    columns: dict[str, list[Anything]] = {"customer_id": [f"c{i}" for i in range(n)]}
    for name in NUMBERS[: rng.integers(2, 4)]:
        columns[name] = [None if rng.random() < 0.3 else float(rng.integers(-2, 3)) for _ in range(n)]
    for name in TEXTS[: rng.integers(1, 3)]:
        columns[name] = [None if rng.random() < 0.3 else str(rng.choice(WORDS)) for _ in range(n)]
    return FactTable.of(date(2026, 6, 30), columns)


def random_test(rng: np.random.Generator) -> Test:
    text = rng.random() < 0.5
    field = FIELDS[str(rng.choice(TEXTS if text else NUMBERS))]
    every = [Operator.EQ, Operator.NE, Operator.IN, Operator.NOT_IN, Operator.EXISTS]
    own = (
        [Operator.CONTAINS, Operator.STARTS_WITH]
        if text
        else [Operator.LT, Operator.LTE, Operator.GT, Operator.GTE, Operator.RISES_BY, Operator.FALLS_BY]
    )
    operator = [*every, *own][rng.integers(len(every) + len(own))]

    def scalar() -> float | str:
        return str(rng.choice([*WORDS, "ENT", "b"])) if text else float(rng.integers(-2, 3))

    if operator is Operator.EXISTS:
        return Test(field, operator, bool(rng.random() < 0.5))
    if operator in (Operator.IN, Operator.NOT_IN):
        return Test(field, operator, tuple(scalar() for _ in range(rng.integers(1, 4))))
    return Test(field, operator, scalar())


def random_condition(rng: np.random.Generator, depth: int = 3) -> Condition:
    kind = rng.random()
    if depth == 0 or kind < 0.4:
        return random_test(rng)
    if kind < 0.55:
        return Not(random_condition(rng, depth - 1))
    parts = tuple(random_condition(rng, depth - 1) for _ in range(rng.integers(1, 4)))
    return All(parts) if kind < 0.8 else Any(parts)


@pytest.mark.parametrize("seed", range(300))
def test_columns_and_rows_choose_the_same(seed: int) -> None:
    rng = np.random.default_rng(seed)
    table, condition = random_table(rng, 40), random_condition(rng)
    assert chosen(condition, table).tolist() == [matches(condition, table.at(i)) for i in range(40)]


def test_missing_values_by_hand() -> None:
    table = FactTable.of(
        date(2026, 6, 30), {"customer_id": ["a", "b", "c"], "segment": ["smb", None, "big"], "mrr": [1.0, 2.0, None]}
    )

    def places(value: object) -> list[bool]:
        return chosen(parse(value, FIELDS), table).tolist()

    assert places({"segment": {"ne": "smb"}}) == [False, False, True]
    assert places({"not": {"segment": {"eq": "smb"}}}) == [False, True, True]
    assert places({"mrr": {"ne": 1}}) == [False, True, False]
    assert places({"mrr": {"not_in": [1]}, "segment": {"exists": False}}) == [False, True, False]
    assert places({"wau": {"exists": False}}) == [True, True, True], "a fact the table has not is missing for everybody"


def test_of_nobody_nobody_is_chosen() -> None:
    table = FactTable.of(date(2026, 6, 30), {"customer_id": [], "segment": [], "mrr": []})
    for value in ({"segment": {"eq": "x"}}, {"any": [{"mrr": {"gt": 1}}, {"mrr": {"in": [1]}}]}):
        assert chosen(parse(value, FIELDS), table).shape == (0,)
