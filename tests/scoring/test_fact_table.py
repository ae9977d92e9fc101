"""Rows of a fact table: all of its columns, or some."""

from datetime import date

import numpy as np

from scoring.facts import FactTable

TABLE = FactTable(
    date(2026, 11, 22),
    ["a", "b", "c"],
    {"mau": np.array([1.0, np.nan, 3.0]), "wau": np.array([4.0, 5.0, 6.0])},
    {"plan": ["Pro", None, "Team"]},
)


def test_rows_are_all_columns_of_the_customers_asked_for_in_their_order() -> None:
    assert TABLE.rows([2, 1]) == [{"mau": 3.0, "wau": 6.0, "plan": "Team"}, {"mau": None, "wau": 5.0, "plan": None}]
    assert TABLE.rows([]) == []
    assert TABLE.at(0) == {"mau": 1.0, "wau": 4.0, "plan": "Pro"}


def test_or_only_those_that_are_named_and_there() -> None:
    assert TABLE.rows([0, 1], {"wau", "plan", "dau"}) == [{"wau": 4.0, "plan": "Pro"}, {"wau": 5.0, "plan": None}]
    assert TABLE.rows([0, 2], set()) == [{}, {}]
