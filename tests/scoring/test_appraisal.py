"""How early customers were flagged, by hand; segments only where they say something; curves that are the rows'."""

from datetime import date

import numpy as np
import pytest

from scoring.appraisal import appraise, calibration_groups, first_warnings, lift_curve
from scoring.evaluation import Evaluation, evaluate
from scoring.outcomes import NEVER

FIRST = date(2026, 1, 1).toordinal()


def test_the_first_flag_before_a_customer_left_counts() -> None:
    # ten customers on three days; each day the one with the highest risk is flagged
    days = np.repeat([0, 30, 60], 10)
    customers = np.tile(np.arange(10), 3)
    probability = np.full(30, 0.1)
    probability[[0, 10, 21]] = 0.9  # customer 0 on the first two days, customer 1 on the last
    left_on = np.full(30, NEVER)
    left_on[customers == 0] = 70
    left_on[customers == 1] = 75
    left_on[customers == 2] = 80  # never flagged
    left_on[customers == 3] = 200  # leaves after the time judged
    leads = first_warnings(probability, customers=customers, days=days, left_on=left_on, until=150)
    assert leads.tolist() == [70, 15, 0]


def test_who_comes_back_and_leaves_again_is_two_leavings() -> None:
    days, customers = np.array([0, 0, 90, 90]), np.array([0, 1, 0, 1])
    left_on = np.array([20, NEVER, 120, NEVER])
    probability = np.array([0.9, 0.1, 0.1, 0.9])
    leads = first_warnings(probability, customers=customers, days=days, left_on=left_on, until=150)
    assert leads.tolist() == [20, 0]


def test_calibration_groups_hold_all_rows_and_equal_risks_together() -> None:
    probability = np.repeat([0.1, 0.2, 0.6], [50, 30, 20])
    labels = np.zeros(100, dtype=np.bool_)
    labels[[0, 50, 51, 80, 81, 82, 83]] = True
    groups = calibration_groups(labels, probability, np.arange(100))
    assert [(one.count, round(one.observed, 4)) for one in groups] == [(50, 0.02), (30, 0.0667), (20, 0.2)]
    assert [one.predicted for one in groups] == pytest.approx([0.1, 0.2, 0.6])
    assert all(one.low <= one.observed <= one.high for one in groups)
    twice = calibration_groups(labels, probability, np.repeat(np.arange(50), 2))
    assert twice[0].high > groups[0].high  # fewer customers say less


def test_the_lift_curve_ends_at_one() -> None:
    probability = np.linspace(1, 0, 200)
    labels = np.arange(200) < 20  # the riskiest tenth are those who left
    curve = lift_curve(labels, probability)
    assert len(curve) == 20
    assert curve[0] == pytest.approx((0.05, 10))
    assert curve[1] == pytest.approx((0.1, 10))
    assert curve[3] == pytest.approx((0.2, 5))
    assert curve[-1] == pytest.approx((1, 1))


def appraised() -> Evaluation:
    random = np.random.default_rng(4)
    n = 600
    probability = random.random(n) * 0.5
    labels = random.random(n) < probability
    customers, days = np.arange(n) % 300, np.where(np.arange(n) < 300, FIRST, FIRST + 30)
    segments = np.where(customers < 150, "SMB", np.where(customers < 298, "Enterprise", "Rare"))
    segments[:5] = ""
    left_on = np.where(labels, days + 50, NEVER)
    base = evaluate(labels, probability, customers=customers, days=days, split="later snapshots", bootstraps=30)
    return appraise(
        base,
        labels,
        probability,
        customers=customers,
        days=days,
        ends=days + 90,
        segments=segments,
        left_on=left_on,
        bootstraps=30,
    )


def test_segments_and_warnings_are_said_and_stored() -> None:
    made = appraised()
    assert set(made.segments) == {"SMB", "Enterprise"}  # of the two rare customers nothing could be said
    assert made.segments["SMB"].rows == 295
    assert made.warning is not None
    assert made.warning.days is not None
    assert made.warning.days.low <= made.warning.days.value <= made.warning.days.high
    assert 0.1 < made.warning.share.value < 0.5
    assert Evaluation.from_json(made.as_json()) == made
    said = "\n".join(made.lines())
    assert "warning lead       50 days" in said
    assert "segment Enterprise: ROC-AUC" in said
