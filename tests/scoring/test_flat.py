"""Flat data sets: what becomes of columns, which value means left, folds that are honest, and the gate on chance."""

from datetime import date

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
    for left in (12, 4, 1):
        flat = prepare(table(x=list(range(0, 200, 2)), churn=[1] * left + [0] * (100 - left)), target="churn")
        line = cross_validate(flat, DEFINITION).as_json()
        assert (line["learner"], line["gate"]) == ("prior", "closed")
        who = "1 customer has" if left == 1 else f"{left} customers have"
        assert line["why"] == f"{who} left so far, and 20 are needed to learn from"
        rate = left / 100
        assert line["log_loss"] == pytest.approx(-rate * np.log(rate) - (1 - rate) * np.log(1 - rate), abs=1e-6)
        # nobody is told from anybody
        assert (line["roc_auc"], line["lift_10"], line["skill"]) == (0.5, 1.0, 0.0)


def test_too_few_who_stayed_are_too_few_as_well() -> None:
    flat = prepare(table(x=list(range(0, 800, 2)), churn=[0] * 19 + [1] * 381), target="churn")
    line = cross_validate(flat, DEFINITION).as_json()
    assert (line["learner"], line["gate"]) == ("prior", "closed")
    assert line["why"] == "19 customers have stayed so far, and 20 are needed to learn from"


def test_numbers_that_are_ids_are_left_out() -> None:
    n = 60
    numbers = np.random.default_rng(0).permutation(n)
    flat = prepare(
        table(
            RowNumber=list(range(1, n + 1)),
            CustomerId=(15_600_000 + 7 * numbers).tolist(),
            CLIENTNUM=(700_000_000 + numbers).tolist(),
            customer_id=[str(100 + one) for one in numbers],
            amount=(3 * numbers).tolist(),
            paid=(5 * numbers).tolist(),
            id_score=(numbers / 3).tolist(),
            row=[one // 2 for one in range(n)],
            churn=[0, 1] * (n // 2),
        ),
        target="churn",
    )
    assert flat.rows.names == ["amount", "paid", "id_score", "row"]
    assert flat.left_out == dict.fromkeys(
        ("RowNumber", "CustomerId", "CLIENTNUM", "customer_id"), "a different number nearly everywhere, like an id"
    )


def test_numbers_and_days_are_read_as_people_write_them() -> None:
    n = 60
    flat = prepare(
        table(
            money=[f"${1000 + 3 * i:,}.50" for i in range(n)],
            comma=[f"{i},{i:02}" for i in range(n)],
            share=[f"{i / 4} %" for i in range(n)],
            mostly=["unknown" if i == 7 else str(i * 1.5) for i in range(n)],
            since=[f"{1 + i % 12}/1/{2019 + i // 12}" for i in range(n)],
            at=[f"{1 + i % 28}.3.2024 7:0{i % 10}" for i in range(n)],
            churn=["1.0", "0.0"] * (n // 2),
        ),
        target="churn",
    )
    assert flat.left_out == {}
    assert flat.positive == "1.0"
    assert flat.rows.names == ["money", "comma", "share", "mostly", "since", "at"]
    columns = dict(zip(flat.rows.names, flat.rows.matrix.T.tolist(), strict=True))
    assert columns["money"][:2] == [1000.5, 1003.5]
    assert columns["comma"][2] == pytest.approx(2.02)
    assert columns["share"][3] == 0.75
    assert np.isnan(columns["mostly"][7])
    assert columns["mostly"][8] == 12
    assert columns["since"][:2] == [date(2019, 1, 1).toordinal(), date(2019, 2, 1).toordinal()]  # months, not days
    assert columns["at"][29] == date(2024, 3, 2).toordinal()
    assert prepare(table(x=[1, 2], churn=["1.0", "0.0"]), target="churn", positive="0").positive == "0.0"


def test_columns_that_tell_too_much_are_named_and_stay() -> None:
    n = 80
    left = [i % 4 == 0 for i in range(n)]
    flat = prepare(
        table(
            refund=[5.0 * one + (i % 3) for i, one in enumerate(left)],
            reason=["price" if one and i % 8 else "service" if one else "" for i, one in enumerate(left)],
            honest=[i % 7 for i in range(n)],
            churn=[str(int(one)) for one in left],
        ),
        target="churn",
    )
    assert {"refund", "reason=service", "honest"} == set(flat.rows.names)
    assert set(flat.suspicious) == {"refund", "reason"}
    assert flat.suspicious["reason"].startswith("whether it is filled in alone tells who left (ROC-AUC 1.000)")


def test_dots_after_the_words_of_the_target_do_not_matter() -> None:
    assert prepare(table(x=[1, 2], churn=[" False.", " True."]), target="churn").positive == "True."
    assert prepare(table(x=[1, 2], churn=["0.000", "1.000"]), target="churn").positive == "1.000"


def test_names_that_xgboost_refuses_are_made_fit() -> None:
    odd = {"a<b": [1, 2], "c[0]": [2, 1], "churn": [0, 1]}
    assert prepare(table(**odd), target="churn").rows.names == ["a_b", "c(0)"]
    assert prepare(table(**odd, a_b=[1, 2]), target="churn").rows.names == ["0 a_b", "1 c(0)", "2 a_b"]
