"""Average precision, lift and ROC-AUC agree with scikit-learn and with what can be counted by hand."""

import numpy as np
import pytest
from scipy.stats import beta
from sklearn.metrics import average_precision_score, roc_auc_score

from scoring.ranking import Ranked, weighted_median
from scoring.rates import Rate


@pytest.mark.parametrize("seed", range(20))
def test_it_agrees_with_scikit_learn_ties_and_weights_included(seed: int) -> None:
    random = np.random.default_rng(seed)
    risk = random.integers(0, 12, 300) / 12
    labels = random.random(300) < 0.1 + 0.5 * risk
    weights = random.integers(0, 4, 300).astype(np.float64)
    found = Ranked.of(labels, risk).measure(weights)
    # scikit-learn merges ties as we do
    assert found["pr_auc"] == pytest.approx(average_precision_score(labels, risk, sample_weight=weights), abs=1e-12)
    assert found["roc_auc"] == pytest.approx(roc_auc_score(labels, risk, sample_weight=weights), abs=1e-12)


def test_lift_takes_ties_across_the_border_in_proportion() -> None:
    """20 rows, so the tenth is two: one leaves surely, the other is one of three alike, of which one left."""
    risk = np.array([1.0, 0.9, 0.9, 0.9] + [0.1] * 16)
    labels = np.array([True, True, False, False] + [False] * 16)
    found = Ranked.of(labels, risk).measure(np.ones(20))
    assert found["lift"] == pytest.approx(((1 + 1 / 3) / 2) / (2 / 20))


def test_rows_of_one_kind_have_no_metrics() -> None:
    found = Ranked.of(np.array([True, False]), np.array([1.0, 0.0])).measure(np.array([1.0, 0.0]))
    assert np.isnan(list(found.values())).all()


def test_curves_run_from_the_riskiest_down() -> None:
    ranked = Ranked.of(np.array([True, False, True, False]), np.array([0.9, 0.8, 0.7, 0.1]))
    assert ranked.precision_recall() == [(0.5, 1.0), (0.5, 0.5), (1.0, pytest.approx(2 / 3)), (1.0, 0.5)]
    assert ranked.gains() == [(0.0, 0.0), (0.25, 0.5), (0.5, 0.5), (0.75, 1.0), (1.0, 1.0)]
    assert len(Ranked.of(np.arange(999) % 2 == 0, np.arange(999.0)).gains(most=50)) == 51


@pytest.mark.parametrize(
    ("values", "weights", "median"),
    [
        ([3, 1, 2], [1, 1, 1], 2),
        ([1, 2, 3, 4], [1, 1, 1, 1], 2.5),
        ([1, 9, 4], [1, 0, 1], 2.5),
        ([1, 2], [1, 3], 2),
        ([5, 1], [0, 0], float("nan")),
        ([], [], float("nan")),
    ],
)
def test_the_median_counts_each_value_as_often_as_it_weighs(
    values: list[float], weights: list[float], median: float
) -> None:
    found = weighted_median(np.array(values, dtype=np.float64), np.array(weights, dtype=np.float64))
    assert found == pytest.approx(median, nan_ok=True)


def test_a_rate_has_the_interval_of_its_beta() -> None:
    rate = Rate.of("warning", 240, 29)
    assert rate.rate == 29 / 240
    assert rate.low is not None
    assert rate.high is not None
    assert beta.cdf([rate.low, rate.high], 29.5, 211.5) == pytest.approx([0.05, 0.95])
    assert Rate.of("healthy", 0, 0) == Rate("healthy", 0, 0, None, None, None)
