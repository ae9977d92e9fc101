"""Metrics agree with scikit-learn's, intervals with the bootstrap they are, and the gate with what it promises."""

from dataclasses import replace
from datetime import date

import numpy as np
import pytest
from sklearn.metrics import average_precision_score, brier_score_loss, log_loss, roc_auc_score

from scoring.churn_definition import Gate
from scoring.evaluation import Estimate, Evaluation, evaluate

DAY = date(2026, 1, 1).toordinal()


def judge(
    labels: list[bool], probability: list[float], customers: list[int] | None = None, **options: int
) -> Evaluation:
    n = len(labels)
    return evaluate(
        np.array(labels),
        np.array(probability),
        customers=np.array(customers or list(range(n))),
        days=np.full(n, DAY),
        split="later snapshots",
        bootstraps=options.get("bootstraps", 50),
    )


def drawn(n: int, seed: int, *, signal: float) -> tuple[list[bool], list[float]]:
    random = np.random.default_rng(seed)
    margin = random.normal(-2, 1, n)
    labels = random.random(n) < 1 / (1 + np.exp(-margin))
    guess = signal * margin + (1 - signal) * random.normal(-2, 1, n)
    # rounded, so that there are ties
    return labels.tolist(), np.round(1 / (1 + np.exp(-guess)), 2).clip(0.01, 0.99).tolist()


def test_metrics_are_those_of_scikit_learn() -> None:
    labels, probability = drawn(500, 1, signal=0.7)
    made = judge(labels, probability)
    assert made.roc_auc.value == pytest.approx(roc_auc_score(labels, probability))
    assert made.pr_auc.value == pytest.approx(average_precision_score(labels, probability))
    assert made.log_loss.value == pytest.approx(log_loss(labels, probability))
    assert made.brier.value == pytest.approx(brier_score_loss(labels, probability))
    rate = float(np.mean(labels))
    assert made.skill.value == pytest.approx(1 - log_loss(labels, probability) / log_loss(labels, [rate] * 500))
    assert (made.rows, made.positives, made.base_rate) == (500, sum(labels), rate)
    assert made.first_day == date(2026, 1, 1)


def test_lift_and_calibration_error_by_hand() -> None:
    # 20 rows: the two of the top tenth are one hit and one miss; 4 of 20 are hits: 0.5 / 0.2
    labels = [True, False, True, True, True] + [False] * 15
    probability = [0.9, 0.9, 0.5, 0.5, 0.5] + [0.1] * 15
    made = judge(labels, probability)
    assert made.lift.value == pytest.approx(2.5)
    # bins: [.9, .9] expect 1.8 and have 1; [.5] * 3 expect 1.5 and have 3; [.1] * 15 expect 1.5 and have 0
    assert made.calibration_error.value == pytest.approx((0.8 + 1.5 + 1.5) / 20)


def test_a_constant_prediction_has_no_lift_no_ranking_and_no_skill() -> None:
    made = judge([True] * 3 + [False] * 27, [0.1] * 30)
    assert (made.lift.value, made.roc_auc.value) == (pytest.approx(1), pytest.approx(0.5))
    assert made.skill.value == pytest.approx(0)
    assert made.skill.high <= 1e-12  # against the rate of each very draw, nothing can win


def test_customers_are_drawn_whole() -> None:
    """Ten copies of every row are no new evidence where they are the same customers, and are where they are others."""
    labels, probability = drawn(60, 2, signal=0.8)
    once = judge(labels, probability, bootstraps=200)
    same = judge(labels * 10, probability * 10, list(range(60)) * 10, bootstraps=200)
    others = judge(labels * 10, probability * 10, bootstraps=200)
    assert (same.roc_auc.low, same.roc_auc.high) == pytest.approx((once.roc_auc.low, once.roc_auc.high), abs=1e-9)
    assert others.roc_auc.high - others.roc_auc.low < 0.6 * (once.roc_auc.high - once.roc_auc.low)
    assert (same.rows, same.customers, same.churned) == (600, 60, sum(labels))


def test_the_gate_names_each_floor_that_was_missed() -> None:
    made = judge(*drawn(800, 3, signal=0.9))
    assert made.closed_because(Gate()) is None
    assert made.closed_because(Gate(roc_auc_above=0.95)) == (
        f"ROC-AUC may be as low as {made.roc_auc.low:.3f}, not above 0.95"
    )
    at_the_floor = replace(made, skill=Estimate(0.1, 0.0, 0.2))
    assert at_the_floor.closed_because(Gate()) == "skill over the base rate may be as low as 0.000, not above 0"


def test_the_gate_is_closed_on_random_labels() -> None:
    opened = [judge(*drawn(800, seed, signal=0.0)).closed_because(Gate()) is None for seed in range(10)]
    assert opened == [False] * 10


def test_what_cannot_be_measured_is_refused() -> None:
    with pytest.raises(ValueError, match="both kinds"):
        judge([False] * 5, [0.1] * 5)


def test_an_evaluation_survives_the_store_and_can_be_read() -> None:
    made = judge(*drawn(300, 4, signal=0.7))
    assert Evaluation.from_json(made.as_json()) == made
    lines = made.lines()
    assert lines[0] == (
        f"later snapshots 2026-01-01 to 2026-01-01: 300 rows of 300 customers, {made.churned} of whom left"
        f" ({made.base_rate:.1%} of rows)"
    )
    assert any(line.startswith("ROC-AUC") and str(made.roc_auc) in line for line in lines)
