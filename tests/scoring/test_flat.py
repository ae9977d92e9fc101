"""Flat data sets: what becomes of columns, which value means left, folds that are honest, and the gate on chance."""

import numpy as np
import pytest

from hub.errors import NotFoundError, RefusedError
from scoring.churn_definition import ChurnDefinition
from scoring.datasets.flat import cross_validate, prepare
from scoring.datasets.tables import Table

DEFINITION = ChurnDefinition()


def table(**columns: list[object]) -> Table:
    return Table("made.csv", {name: np.array(values) for name, values in columns.items()})


def made(n: int, *, signal: float, seed: int = 0) -> Table:
    """A number and a text that raise the odds by `signal`, an id, and a target of a fifth."""
    random = np.random.default_rng(seed)
    number, text = random.normal(size=n), random.choice(["a", "b", "c"], n)
    odds = -1.6 + signal * number + signal * (text == "b")
    left = random.random(n) < 1 / (1 + np.exp(-odds))
    numbers = np.where(random.random(n) < 0.1, "", number.astype("U12"))
    return Table(
        "made.csv",
        {
            "id": np.array([f"c{i}" for i in range(n)]),
            "number": numbers,
            "text": text,
            "left": np.where(left, "Yes", "No"),
        },
    )


def test_columns_become_numbers_and_ids_are_left_out() -> None:
    n = 33
    flat = prepare(
        table(
            id=[f"c{i}" for i in range(n)],
            amount=["1.5", " ", "NA"] + ["2"] * (n - 3),
            plan=["pro", "team", "basic"] * 11,
            paid=["no", "", "yes"] * 11,
            same=["x"] * n,
            code=[str(i) for i in range(n)],
            churn=["1", "0", ""] + ["0"] * (n - 3),
        ),
        target="churn",
        drop=["code"],
    )
    assert flat.rows.names == ["amount", "plan=basic", "plan=pro", "plan=team", "paid=yes"]
    assert flat.left_out == {"id": "a different text nearly everywhere, like an id", "same": "all alike"}
    assert flat.unlabelled == 1
    assert flat.positive == "1"
    np.testing.assert_array_equal(flat.rows.matrix[:3], [[1.5, 0, 1, 0, 0], [np.nan, 0, 0, 1, np.nan], [2, 0, 1, 0, 0]])
    assert flat.rows.labels.tolist() == [True] + [False] * (n - 2)
    assert set(flat.rows.signs) == {0}


def test_rare_kinds_are_no_columns_and_the_commonest_twenty_are() -> None:
    texts = [f"k{i:02}" for i in range(25) for _ in range(10 + i)] + ["rare"] * 9
    flat = prepare(table(kind=texts, churn=["0", "1"] * (len(texts) // 2) + ["1"] * (len(texts) % 2)), target="churn")
    assert flat.rows.names == [f"kind=k{i:02}" for i in range(5, 25)]


def test_dates_become_days() -> None:
    dates = [f"2024-{1 + i // 28:02}-{1 + i % 28:02}" for i in range(60)]
    flat = prepare(table(since=dates, churn=["0", "1"] * 30), target="churn")
    assert flat.rows.names == ["since"]
    assert float(flat.rows.matrix[28, 0] - flat.rows.matrix[0, 0]) == 31


def test_which_value_means_left_is_asked_where_it_is_in_doubt() -> None:
    doubt = table(x=[1, 2, 3, 4], status=["gone", "here", "gone", "here"])
    with pytest.raises(RefusedError, match=r"--positive; it holds 'gone' \(2 rows\), 'here' \(2 rows\)"):
        prepare(doubt, target="status")
    assert prepare(doubt, target="status", positive="gone").rows.labels.tolist() == [True, False, True, False]
    with pytest.raises(NotFoundError, match="never is 'away'"):
        prepare(doubt, target="status", positive="away")


def test_unknown_columns_name_those_there_are() -> None:
    with pytest.raises(NotFoundError, match=r"no column 'churned'; it has: x, churn"):
        prepare(table(x=[1, 2], churn=[0, 1]), target="churned")
    with pytest.raises(NotFoundError, match=r"no column 'y'; it has: x, churn"):
        prepare(table(x=[1, 2], churn=[0, 1]), target="churn", drop=["y"])
    with pytest.raises(RefusedError, match="no column to learn from"):
        prepare(table(x=[1, 1], churn=[0, 1]), target="churn")


def test_a_signal_is_found_and_the_gate_opens() -> None:
    verdict = cross_validate(prepare(made(1500, signal=1.5), target="left"), DEFINITION)
    line = verdict.as_json()
    assert line["gate"] == "open"
    assert line["why"] is None
    assert line["learner"] == "safe"
    assert line["n"] == 1500
    assert line["positives"] == int((made(1500, signal=1.5).texts("left") == "Yes").sum())
    assert 0.75 < line["roc_auc"] < 0.9
    low, high = line["intervals"]["roc_auc"]
    assert low < line["roc_auc"] < high
    assert line["ece15"] < 0.05


def test_on_chance_the_gate_stays_closed() -> None:
    verdict = cross_validate(prepare(made(600, signal=0.0), target="left"), DEFINITION)
    assert verdict.as_json()["gate"] == "closed"
    assert "skill over the base rate may be as low as" in (verdict.why_closed or "")
    assert verdict.evaluation.roc_auc.low < 0.55


def test_too_few_who_left_get_the_base_rate_and_a_closed_gate() -> None:
    flat = prepare(table(x=list(range(100)), churn=[1] * 12 + [0] * 88), target="churn")
    line = cross_validate(flat, DEFINITION).as_json()
    assert line["learner"] == "prior"
    assert line["gate"] == "closed"
    assert line["why"] == "12 have left among those to learn from, and 20 are needed"
    assert line["log_loss"] == pytest.approx(0.367, abs=0.002)  # of .12 known beforehand
    with pytest.raises(RefusedError, match="4 rows of one kind are too few"):
        cross_validate(prepare(table(x=list(range(40)), churn=[1] * 4 + [0] * 36), target="churn"), DEFINITION)


def test_names_that_xgboost_refuses_are_made_fit() -> None:
    odd = {"a<b": [1, 2], "c[0]": [2, 1], "churn": [0, 1]}
    assert prepare(table(**odd), target="churn").rows.names == ["a_b", "c(0)"]
    assert prepare(table(**odd, a_b=[1, 2]), target="churn").rows.names == ["0 a_b", "1 c(0)", "2 a_b"]
