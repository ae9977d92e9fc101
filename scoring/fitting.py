"""Fitting: the learner that the search leaves, on all rows, with a calibration of its log-odds."""

from dataclasses import dataclass

import numpy as np
import xgboost
from sklearn.model_selection import StratifiedGroupKFold

from scoring.calibration import Calibration, level, platt
from scoring.facts import Floats
from scoring.learner import FOLDS, NORMAL_CHURNED, SEED, Learner, Matrix, Rows, boost, margins
from scoring.search import search


@dataclass(frozen=True, slots=True)
class Fitted:
    """A fitted booster with its calibration; `held_out` are calibrated probabilities by models that had not seen the
    row's customer, where they were made."""

    booster: xgboost.Booster
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
    if rows.churned >= NORMAL_CHURNED:
        line = platt(held_out, rows.labels, known=len(np.unique(rows.customers)) < len(rows))
        calibration = level(line, held_out, rows.labels, rows.days)
    return Fitted(booster, learner, calibration, calibration.probability(held_out))


def out_of_fold(rows: Rows, learner: Learner) -> Floats | None:
    """Log-odds of each row by a model fitted to other customers only; None where too few customers left to divide."""
    if rows.churned < FOLDS:
        return None
    folds = StratifiedGroupKFold(n_splits=FOLDS, shuffle=True, random_state=SEED)
    margin = np.zeros(len(rows))
    for learned, held in folds.split(rows.matrix, rows.labels, rows.customers):
        mask = np.zeros(len(rows), dtype=np.bool_)
        mask[learned] = True
        margin[held] = margins(boost(rows.where(mask), learner), rows.matrix[held])
    return margin
