"""The search is fixed, keeps what is safe unless another is better beyond noise, and looks only at later rows."""

from dataclasses import replace

import numpy as np
import pytest

from scoring.learner import SAFE, SEED, TINY, Rows
from scoring.search import CANDIDATES, MOST_TREES, losses, search, told
from scoring.splits import folds_of

DAYS = np.arange(0, 360, 30)


def rows(*, steep: float, customers: int = 400, seed: int = 0) -> Rows:
    """Each customer on each day anew, so that all that could be learned is in the columns; `steep`: how much of it."""
    random = np.random.default_rng(seed)
    n = len(DAYS) * customers
    matrix = random.normal(size=(n, 4)).astype(np.float32)
    odds = -2 + steep * matrix[:, 0] * np.sign(matrix[:, 1])
    labels = random.random(n) < 1 / (1 + np.exp(-odds))
    days = np.repeat(DAYS, customers)
    return Rows(("a", "b", "c", "d"), (0, 0, 0, 0), matrix, labels, np.tile(np.arange(customers), 12), days, days + 40)


def test_what_is_not_there_leaves_the_safe_learner_or_fewer_trees_of_it() -> None:
    """Where the columns say nothing the safe learner fits noise, and stopping at once is better beyond doubt."""
    found = search(rows(steep=0.0), SAFE)
    assert found.name != "safe"
    assert found.trees < 50


def test_a_strong_pattern_gets_more_trees() -> None:
    found = search(rows(steep=4.0, customers=600), SAFE)
    assert found.trees > SAFE.trees
    assert found.parameters["max_depth"] == 3  # the sign of one column times the other: two deep, and more trees
    assert found == search(rows(steep=4.0, customers=600), SAFE)


def test_few_customers_are_not_searched() -> None:
    small = rows(steep=4.0, customers=120)
    assert small.churned < 200
    assert search(small, SAFE) == SAFE
    assert search(rows(steep=4.0), TINY) == TINY


def test_of_very_many_rows_some_customers_are_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    made = rows(steep=4.0, customers=900)
    monkeypatch.setattr("scoring.learner.MANY_CELLS", made.matrix.size // 2)
    monkeypatch.setattr("scoring.search.MANY_CELLS", made.matrix.size // 2)
    half = folds_of(made.labels, made.customers, count=2, seed=SEED) == 0
    found = search(made, SAFE)
    assert found.trees > SAFE.trees
    monkeypatch.undo()
    assert search(made.where(half), SAFE) == found


def test_labels_between_the_earlier_and_the_later_rows_change_nothing() -> None:
    made = rows(steep=2.0)
    between = (made.ends > DAYS[9]) & (made.days < DAYS[9])
    assert between.sum() == 400
    turned = replace(made, labels=np.where(between, ~made.labels, made.labels))
    assert search(turned, SAFE) == search(made, SAFE)


def test_the_candidates_are_few_shallow_and_part_of_a_models_name() -> None:
    assert [one.name for one in CANDIDATES] == ["safe, stopped", "shallow", "firm"]
    assert all(one.parameters["max_depth"] <= 3 and one.trees == MOST_TREES for one in CANDIDATES)
    assert [one["name"] for one in told()] == [one.name for one in CANDIDATES]


def test_the_loss_of_log_odds() -> None:
    found = losses(np.array([0.0, 2.0, -2.0]), np.array([True, True, True]))
    assert found == pytest.approx([0.6931472, 0.1269280, 2.1269280])
    assert losses(np.array([2.0]), np.array([False]))[0] == pytest.approx(2.1269280)
