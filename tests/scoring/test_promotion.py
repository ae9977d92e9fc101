"""Who may take the place of the champion: by exact numbers, and beyond noise."""

import numpy as np
import pytest
from sklearn.metrics import log_loss

from scoring.promotion import FEWEST_CHURNED, compare, lift


def book(rows: int = 2_000, *, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """(true probability, whether they left)."""
    random = np.random.default_rng(seed)
    true = 1 / (1 + np.exp(2.5 - 1.5 * random.normal(size=rows)))
    return true, random.random(rows) < true


def blurred(true: np.ndarray, by: float, *, seed: int = 1) -> np.ndarray:
    margin = np.log(true / (1 - true)) + np.random.default_rng(seed).normal(scale=by, size=len(true))
    return 1 / (1 + np.exp(-margin))


def test_who_knows_the_truth_is_better_and_who_knows_less_is_not() -> None:
    true, labels = book()
    worse, people = blurred(true, 1.5), np.arange(len(true))
    up = compare(labels, worse, true, customers=people)
    assert up.better
    assert up.why_not is None
    assert up.difference.low < up.difference.value < up.difference.high < 0
    assert up.champion_log_loss == pytest.approx(log_loss(labels, worse))
    assert up.challenger_log_loss == pytest.approx(log_loss(labels, true))
    assert up.difference.value == pytest.approx(up.challenger_log_loss - up.champion_log_loss)
    assert (up.rows, up.customers, up.churned) == (2_000, 2_000, int(labels.sum()))
    down = compare(labels, true, worse, customers=people)
    assert not down.better
    assert down.why_not is not None
    assert "all of the interval must be below 0" in down.why_not
    assert down.difference.value == -up.difference.value


def test_the_same_predictions_are_not_better() -> None:
    true, labels = book()
    same = compare(labels, true, true, customers=np.arange(len(true)))
    assert (same.difference.value, same.difference.low, same.difference.high) == (0, 0, 0)
    assert not same.better


def test_a_gain_within_noise_is_no_gain() -> None:
    """Better in these rows, but not for certain: few rows, or the same few customers many times over."""
    true, labels = book(4_000)
    champion = blurred(true, 0.45)
    people = np.arange(len(true))
    assert compare(labels, champion, true, customers=people).better
    parts = [slice(first, first + 400) for first in range(0, 4_000, 400)]
    verdicts = [compare(labels[part], champion[part], true[part], customers=people[part]) for part in parts]
    place = next(place for place, found in enumerate(verdicts) if found.difference.value < 0 and not found.better)
    little, part = verdicts[place], parts[place]
    assert little.churned > FEWEST_CHURNED
    rows = [np.tile(column[part], 10) for column in (labels, champion, true)]
    repeated = compare(*rows, customers=np.tile(np.arange(400), 10))
    assert (repeated.rows, repeated.customers, repeated.churned) == (4_000, 400, little.churned)
    assert repeated.difference.low == pytest.approx(little.difference.low)
    assert repeated.difference.high == pytest.approx(little.difference.high)
    assert not repeated.better


def test_better_probabilities_do_not_pay_for_a_worse_list() -> None:
    """The challenger is calibrated, but knows nothing of who is in the top tenth."""
    labels = np.zeros(1_000, dtype=bool)
    labels[:100] = True
    champion = np.where(labels, 0.9999, 0.6)  # a perfect list, and far too high
    challenger = np.full(1_000, 0.1)
    found = compare(labels, champion, challenger, customers=np.arange(1_000))
    assert found.difference.high < 0
    assert (found.champion_lift, found.challenger_lift) == (10.0, 1.0)
    assert found.why_not == "its lift at 10 % is 1.00, and at least 9.50 is needed"


def test_a_handful_of_leavers_proves_nothing() -> None:
    labels = np.zeros(500, dtype=bool)
    labels[: FEWEST_CHURNED - 1] = True
    found = compare(labels, np.full(500, 0.5), np.where(labels, 0.9, 0.01), customers=np.arange(500))
    assert found.why_not == "19 of the customers left, and 20 are needed to tell"
    labels[FEWEST_CHURNED - 1] = True
    assert compare(labels, np.full(500, 0.5), np.where(labels, 0.9, 0.01), customers=np.arange(500)).better


def test_the_same_seed_gives_the_same_interval() -> None:
    true, labels = book(500)
    champion, people = blurred(true, 1.0), np.arange(500)
    first, again = [compare(labels, champion, true, customers=people, seed=5) for _ in range(2)]
    assert first == again
    assert compare(labels, champion, true, customers=people, seed=6).difference.low != first.difference.low


@pytest.mark.parametrize(
    ("probability", "expected"),
    [
        (np.linspace(1, 0, 20), 10.0),  # both of the top two left; 2 of 20 did
        (np.linspace(0, 1, 20), 0.0),
        (np.full(20, 0.5), 1.0),
        (np.array([0.9] * 4 + [0.1] * 16), 5.0),  # two places for four who are alike
    ],
)
def test_lift(probability: np.ndarray, expected: float) -> None:
    labels = np.zeros(20, dtype=bool)
    labels[:2] = True
    assert lift(labels, probability) == pytest.approx(expected)


def test_nothing_to_compare() -> None:
    with pytest.raises(ValueError, match="nothing to compare"):
        compare(np.empty(0, dtype=bool), np.empty(0), np.empty(0), customers=np.empty(0, dtype=np.int64))
    assert lift(np.zeros(3, dtype=bool), np.ones(3)) == 0.0
