"""A small fixed search: `SAFE` stays unless another learner is better beyond noise, on later rows of other customers.

    rows ─ by time ─▶ earlier ── each candidate, its trees by early stopping on ──▶ half of the later customers
                                                             and compared with SAFE on ──▶ the other half

Tuning was measured to be worth a thousandth of ROC-AUC, and to lose as often as it wins; so few are asked, nobody chooses
them per company, and being better means by twice the standard error over customers. Trees are stopped and candidates compared
on different customers: on the same ones the best of several is flattered by its luck. Where there is only one day the
customers are divided instead. Fewer than 200 who left are too few to hold any back, and are not searched. Of very many rows
(`MANY_CELLS`) only as many are asked, of customers drawn at random.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from scoring.evaluation import Flags
from scoring.facts import Floats
from scoring.learner import MANY_CELLS, MANY_CHURNED, SAFE, SEED, Learner, Rows, boost, data_of, margins, settings
from scoring.splits import folds_of, split_by_time

INNER_SHARE = 0.25
FEWEST_IN_A_HALF = 30  # distinct customers who left, to stop by and to compare on
MOST_TREES = 900
PATIENCE = 40
BEYOND_NOISE = 2.0  # standard errors

CANDIDATES: tuple[Learner, ...] = (
    Learner("safe, stopped", MOST_TREES, SAFE.parameters),
    Learner("shallow", MOST_TREES, {**SAFE.parameters, "max_depth": 2, "learning_rate": 0.05}),
    Learner("firm", MOST_TREES, {**SAFE.parameters, "min_child_weight": 20, "reg_lambda": 20, "colsample_bytree": 0.4}),
)
"""None is deeper than three: exact reasons are read from tables of such trees (scoring.contributions)."""


def search(rows: Rows, learner: Learner) -> Learner:
    """`learner`, or the candidate that beats it; deterministic."""
    if learner != SAFE or rows.rarer < MANY_CHURNED:
        return learner
    parts = _divide(_some_of(rows))
    if parts is None:
        return learner
    earlier, stop, compare = parts
    standing = losses(margins(boost(earlier, learner), compare.matrix), compare.labels)
    best, most = learner, 0.0
    for candidate in CANDIDATES:
        stopped, margin = _stopped(earlier, stop, compare, candidate)
        gain, error = _gain(standing - losses(margin, compare.labels), compare)
        if gain > BEYOND_NOISE * error and gain > most:
            best, most = stopped, gain
    return best


def told() -> Sequence[Mapping[str, object]]:
    """What the search may choose, for the name of a model's version."""
    return [{"name": one.name, "trees": one.trees, **one.parameters} for one in CANDIDATES]


def losses(margin: Floats, labels: Flags) -> Floats:
    """Log-loss of each row, from log-odds."""
    return np.asarray(np.logaddexp(0, np.where(labels, -margin, margin)), dtype=np.float64)


def _some_of(rows: Rows) -> Rows:
    if not rows.has_many_cells:
        return rows
    parts = -(-rows.matrix.size // MANY_CELLS)
    return rows.where(folds_of(rows.labels, rows.customers, count=parts, seed=SEED) == 0)


def _divide(rows: Rows) -> tuple[Rows, Rows, Rows] | None:
    """(earlier, later to stop by, later to compare on); None where a part has too few who left."""
    codes = np.unique(rows.customers, return_inverse=True)[1]
    turn = np.random.default_rng(SEED).permutation(int(codes.max()) + 1)[codes]
    split = split_by_time(rows.days, rows.ends, test_share=INNER_SHARE)
    if split is None:
        later = turn < turn.max() * INNER_SHARE
        split = (~later, later)
    earlier, later = split
    parts = rows.where(earlier), rows.where(later & (turn % 2 == 0)), rows.where(later & (turn % 2 == 1))
    enough = parts[0].churned >= MANY_CHURNED / 2 and min(part.churned for part in parts[1:]) >= FEWEST_IN_A_HALF
    return parts if enough else None


def _stopped(earlier: Rows, stop: Rows, compare: Rows, candidate: Learner) -> tuple[Learner, Floats]:
    """The candidate with the trees that were best, and its log-odds on the rows to compare on."""
    import xgboost  # a second, and most commands never get here

    booster = xgboost.train(
        settings(candidate, earlier.signs, len(earlier)),
        data_of(earlier),
        num_boost_round=candidate.trees,
        evals=[(data_of(stop), "stop")],
        early_stopping_rounds=PATIENCE,
        verbose_eval=False,
    )
    trees = booster.best_iteration + 1
    return replace(candidate, trees=trees), margins(booster[:trees], compare.matrix)


def _gain(saved: Floats, rows: Rows) -> tuple[float, float]:
    """The mean saving a row, and its standard error where a customer's rows are one piece of evidence."""
    codes = np.unique(rows.customers, return_inverse=True)[1]
    by_customer = np.bincount(codes, saved - saved.mean())
    return float(saved.mean()), float(np.sqrt((by_customer**2).sum()) / len(saved))
