"""Fitting: the learner that the search leaves, on all rows, with a calibration of its log-odds."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from scoring.calibration import Calibration, level, platt
from scoring.contributions import Contributions
from scoring.facts import Floats
from scoring.learner import FOLDS, NORMAL_CHURNED, SEED, Learner, Matrix, Rows, boost, margins
from scoring.search import search
from scoring.splits import folds_of

if TYPE_CHECKING:
    import xgboost

CHECKED_ROWS = 2_000
CLOSE = 1e-4  # log-odds
FEWER_FOLDS = 2  # where there are many cells: half of them tells what nearly all do


@dataclass(frozen=True, slots=True)
class Fitted:
    """A fitted booster with its calibration; `held_out` are calibrated probabilities by models that had not seen the
    row's customer, where they were made."""

    booster: "xgboost.Booster"
    learner: Learner
    calibration: Calibration
    held_out: Floats | None

    def probability(self, matrix: Matrix) -> Floats:
        return self.calibration.probability(margins(self.booster, matrix))


def fit(rows: Rows, learner: Learner) -> Fitted:
    """Fit `learner`, or what the search found better, and calibrate it where 50 customers or more have left.

    The same rows give the same bytes.
    """
    learner = search(rows, learner)
    booster = boost(rows, learner)
    held_out = out_of_fold(rows, learner)
    if held_out is None:
        return Fitted(booster, learner, Calibration(), None)
    calibration = Calibration()
    if rows.rarer >= NORMAL_CHURNED:
        line = platt(held_out, rows.labels, known=len(np.unique(rows.customers)) < len(rows))
        calibration = level(line, held_out, rows.labels, rows.days)
    return Fitted(booster, learner, calibration, calibration.probability(held_out))


class ContributionsError(ArithmeticError):
    """Contributions do not add up to the model's log-odds: its reasons would be untrue, and it must not be kept."""


def check_contributions(booster: "xgboost.Booster", contributions: Contributions, matrix: Matrix) -> float:
    """The largest difference between log-odds and bias + contributions over (some thousand) rows of `matrix`.

    Raises ContributionsError where it is above `CLOSE`.
    """
    some = matrix[:: max(1, len(matrix) // CHECKED_ROWS)]
    if not len(some):
        return 0.0
    added = contributions.bias + contributions(some).sum(axis=1, dtype=np.float64)
    apart = float(np.abs(added - margins(booster, some)).max())
    if not apart <= CLOSE:
        raise ContributionsError(
            f"the contributions of the features add up to something else than the log-odds, by as much as {apart:.2g} "
            f"where {CLOSE:g} is allowed; the model is not kept"
        )
    return apart


def out_of_fold(rows: Rows, learner: Learner) -> Floats | None:
    """Log-odds of each row by a model fitted to other customers only; None where too few left, or stayed, to divide."""
    if rows.rarer < FOLDS:
        return None
    count = FEWER_FOLDS if rows.has_many_cells else FOLDS
    folds = folds_of(rows.labels, rows.customers, count=count, seed=SEED)
    margin = np.zeros(len(rows))
    for fold in range(count):
        held = folds == fold
        margin[held] = margins(boost(rows.where(~held), learner), rows.matrix[held])
    return margin
