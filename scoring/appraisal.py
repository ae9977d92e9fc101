"""What an evaluation says beyond its metrics: how early it would have warned, of which segments it holds, and its curves.

    warning   of the customers who left in the time judged: which share was ever flagged before, and the median of days between
              the first flag and leaving. Flagged is who is in the tenth with the highest risk of a snapshot day: as many as a
              CSM could look at, whatever the rates are
    segments  the same metrics for each segment, as of the snapshot, where enough customers left to say anything
    curves    predicted against observed in tenths of the rows, and lift by the share of customers looked at

Intervals are of whole customers, as in `scoring.evaluation`.
"""

from dataclasses import replace

import numpy as np
import numpy.typing as npt

from scoring.evaluation import TOP_SHARE, CalibrationGroup, Estimate, Evaluation, Flags, Integers, Warnings, evaluate
from scoring.facts import Floats
from scoring.outcomes import NEVER

FEWEST_IN_SEGMENT = 10  # distinct customers who left
GROUPS = 10
STEPS = 20  # of the lift curve


def appraise(
    evaluation: Evaluation,
    labels: Flags,
    probability: Floats,
    *,
    customers: Integers,
    days: Integers,
    ends: Integers,
    segments: npt.NDArray[np.str_] | None = None,
    left_on: Integers | None = None,
    bootstraps: int,
) -> Evaluation:
    """`evaluation` of these rows with warning, segments and curves; all columns are [n].

    ends     the last day each label looks at; left_on: the ordinal each row's customer next left on, outcomes.NEVER if not
    """
    parts = {}
    for name in np.unique(segments[segments != ""]).tolist() if segments is not None else ():
        of = segments == name
        if len(np.unique(customers[of & labels])) >= FEWEST_IN_SEGMENT and not labels[of].all():
            parts[name] = evaluate(
                labels[of],
                probability[of],
                customers=customers[of],
                days=days[of],
                split=evaluation.split,
                bootstraps=bootstraps,
            )
    leads = None
    if left_on is not None:
        leads = first_warnings(probability, customers=customers, days=days, left_on=left_on, until=int(ends.max()))
    return replace(
        evaluation,
        segments=parts,
        warning=None if leads is None or not leads.size else _warnings(leads, bootstraps),
        calibration=calibration_groups(labels, probability, customers),
        lift_curve=lift_curve(labels, probability),
    )


def first_warnings(
    probability: Floats, *, customers: Integers, days: Integers, left_on: Integers, until: int
) -> Integers:
    """For each leaving until that day: the days from the first snapshot that flagged the customer; 0 where none did."""
    flagged = np.zeros(len(days), dtype=np.bool_)
    for day in np.unique(days).tolist():
        rows = np.flatnonzero(days == day)
        most = int(np.ceil(len(rows) * TOP_SHARE))
        flagged[rows[np.argsort(-probability[rows], kind="stable")[:most]]] = True
    leaves = (left_on != NEVER) & (left_on <= until)
    pairs, codes = np.unique(np.column_stack([customers[leaves], left_on[leaves]]), axis=0, return_inverse=True)
    leads = np.zeros(len(pairs), dtype=np.int64)
    ahead = np.where(flagged, left_on - days, 0)[leaves]
    np.maximum.at(leads, codes.ravel(), ahead)
    return leads


def _warnings(leads: Integers, bootstraps: int) -> Warnings:
    random = np.random.default_rng(0)
    drawn = leads[random.integers(len(leads), size=(bootstraps, len(leads)))]
    share = Estimate(float((leads > 0).mean()), *_between((drawn > 0).mean(axis=1)))
    medians = np.array([np.median(one[one > 0]) for one in drawn if (one > 0).any()])
    days = None
    if (leads > 0).any():
        days = Estimate(float(np.median(leads[leads > 0])), *_between(medians))
    return Warnings(len(leads), share, days)


def _between(values: Floats) -> tuple[float, float]:
    low, high = np.percentile(values, [5, 95]).tolist() if len(values) else (float("-inf"), float("inf"))
    return low, high


def calibration_groups(labels: Flags, probability: Floats, customers: Integers) -> tuple[CalibrationGroup, ...]:
    """Tenths of the rows by probability, equal ones together, with Jeffreys intervals by how many customers are in each."""
    order = np.argsort(probability, kind="stable")
    edges = probability[order][(np.arange(1, GROUPS) * len(order)) // GROUPS]
    group = np.searchsorted(np.unique(edges), probability, side="right")
    from scipy.stats import beta  # a second to import, and most commands never get here

    found = []
    for number in np.unique(group).tolist():
        of = group == number
        people, observed = len(np.unique(customers[of])), float(labels[of].mean())
        left = observed * people
        low, high = beta.ppf([0.05, 0.95], left + 0.5, people - left + 0.5).tolist()
        found.append(
            CalibrationGroup(
                float(probability[of].mean()), observed, min(low, observed), max(high, observed), int(of.sum())
            )
        )
    return tuple(found)


def lift_curve(labels: Flags, probability: Floats) -> tuple[tuple[float, float], ...]:
    """(share of rows looked at, riskiest first; churn rate among them over that of all) in steps of a twentieth."""
    order = np.argsort(-probability, kind="stable")
    found = np.cumsum(labels[order])
    shares = np.arange(1, STEPS + 1) / STEPS
    taken = np.maximum((shares * len(order)).round().astype(np.int64), 1)
    lifts = found[taken - 1] / taken / labels.mean()
    return tuple(zip((taken / len(order)).tolist(), lifts.tolist(), strict=True))
