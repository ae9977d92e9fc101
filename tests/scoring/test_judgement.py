"""What judgement was worth: outcomes, Brier and AUC beside the computed score, and that too few say nothing."""

from collections.abc import Sequence
from datetime import date, timedelta

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from scoring.judgement import Judgements, judge, left_within
from scoring.outcomes import Churns

DAY = date(2026, 1, 10)


def judgements(customers: Sequence[str], stated: Sequence[float], computed: Sequence[float | None]) -> Judgements:
    return Judgements.of(
        customers=customers, by=["ann"] * len(customers), days=[DAY] * len(customers), stated=stated, computed=computed
    )


def churns(*left: tuple[str, date]) -> Churns:
    return Churns.of([id_ for id_, _ in left], [day for _, day in left], [False] * len(left))


def test_who_left_after_the_day_and_within_the_horizon() -> None:
    found = churns(
        ("a", DAY), ("b", DAY + timedelta(days=1)), ("c", DAY + timedelta(days=90)), ("d", DAY + timedelta(days=91)),
        ("e", DAY - timedelta(days=50)), ("e", DAY + timedelta(days=50)),
    )  # fmt: skip
    names = np.array(["a", "b", "c", "d", "e", "f"], dtype=np.str_)
    days = np.full(6, DAY.toordinal())
    assert left_within(names, days, found, horizon_days=90).tolist() == [False, True, True, False, True, False]
    assert left_within(names, days, churns(), horizon_days=90).tolist() == [False] * 6
    assert left_within(names[:0], days[:0], found, horizon_days=90).tolist() == []


def test_only_what_is_over_has_matured() -> None:
    ids = ["a", "b"]
    made = Judgements.of(
        customers=ids, by=["ann", "bob"], days=[DAY, DAY + timedelta(days=1)], stated=[0.1, 0.1], computed=[0.5, None]
    )
    until = DAY + timedelta(days=90)
    verdict = judge(made, churns(("a", DAY + timedelta(days=3))), horizon_days=90, until=until)
    assert (verdict.stated, verdict.matured, verdict.churned) == (2, 1, 1)
    assert (verdict.raised, verdict.lowered, verdict.lowered_churned) == (0, 1, 1)
    assert verdict.measured is None
    assert verdict.sentence == (
        "Too few to judge: 1 of 2 have matured, of 1 customers with a computed score; 1 left and 0 stayed. "
        "It takes 20 customers, 5 who left and 5 who stayed"
    )
    assert list(made.by_author()) == ["ann", "bob"]
    assert judge(made.by_author()["bob"], churns(), horizon_days=90, until=until).sentence.startswith("None of 1")


def measured(stated: np.ndarray, computed: np.ndarray, left: np.ndarray):  # type: ignore[no-untyped-def]  # what judge returns
    ids = [f"{i:03}" for i in range(len(left))]
    gone = churns(*((id_, DAY + timedelta(days=5)) for id_, out in zip(ids, left.tolist(), strict=True) if out))
    made = judgements(ids, stated.tolist(), computed.tolist())
    return judge(made, gone, horizon_days=90, until=DAY + timedelta(days=90))


def test_brier_and_auc_are_those_of_the_textbook() -> None:
    random = np.random.default_rng(1)
    left = random.random(200) < 0.3
    stated = np.round(np.clip(0.7 - 0.5 * left + random.normal(0, 0.2, 200), 0, 1), 1)
    computed = np.round(random.random(200), 1)
    verdict = measured(stated, computed, left)
    found = verdict.measured
    assert found.brier.value == pytest.approx(np.mean((stated - ~left) ** 2), abs=1e-12)
    assert found.computed_brier.value == pytest.approx(np.mean((computed - ~left) ** 2), abs=1e-12)
    assert found.auc.value == pytest.approx(roc_auc_score(left, -stated), abs=1e-12)
    assert found.computed_auc.value == pytest.approx(roc_auc_score(left, -computed), abs=1e-12)
    assert found.auc_gain.value == pytest.approx(found.auc.value - found.computed_auc.value, abs=1e-12)
    assert found.brier.low < found.brier.value < found.brier.high
    assert found.auc_gain.low > 0
    assert verdict.sentence == (
        "Beside the computed ones, and beyond chance, the stated scores told better who would leave from who would stay "
        "and came closer to what happened"
    )


def test_no_difference_beyond_chance_is_said() -> None:
    random = np.random.default_rng(2)
    left = random.random(60) < 0.3
    verdict = measured(random.random(60), random.random(60), left)
    assert verdict.sentence == "No difference to the computed scores that is larger than chance"


def test_worse_is_said_too() -> None:
    random = np.random.default_rng(4)
    left = random.random(200) < 0.4
    verdict = measured(np.where(left, 0.9, 0.1), np.where(left, 0.1, 0.9), left)
    assert "told worse" in verdict.sentence
    assert "less close" in verdict.sentence


def test_rows_without_a_computed_score_are_counted_and_not_compared() -> None:
    left = np.arange(60) % 3 == 0
    computed = np.where(np.arange(60) < 30, np.nan, 0.5)
    made = [None if np.isnan(value) else value for value in computed.tolist()]
    ids = [f"{i:03}" for i in range(60)]
    gone = churns(*((id_, DAY + timedelta(days=5)) for id_, out in zip(ids, left.tolist(), strict=True) if out))
    verdict = judge(
        judgements(ids, np.where(left, 0.2, 0.8).tolist(), made), gone, horizon_days=90, until=date(2026, 5, 1)
    )
    assert (verdict.matured, verdict.raised, verdict.lowered) == (60, 20, 10)
    assert verdict.measured is not None
    assert verdict.measured.computed_auc.value == 0.5
    assert verdict.measured.auc.value == 1
