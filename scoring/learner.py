"""The learner: gradient-boosted trees with fixed parameters, and a calibration of their log-odds.

Two sets of parameters, by the number of *distinct customers* who left: `TINY` from 20, `SAFE` from 200; below 20 there
is no model. They were fixed beforehand and are not tuned per company. The number of trees is fixed too: early stopping
would have to hold back labelled customers, who are the scarce thing, and at these learning rates it gains nothing that a
bootstrap can see. Classes are never reweighted or resampled: that leaves the ranking alone and ruins the probabilities.
Each feature declares whether more of it may raise or lower the risk, so that a reason never contradicts good sense.

The same rows give the same bytes: one seed, and a number of threads that does not depend on the machine.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import xgboost
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedGroupKFold

from scoring.evaluation import Flags, Integers
from scoring.facts import Floats

Matrix = npt.NDArray[np.float32]

SEED = 20
FOLDS = 5
MANY_ROWS = 200_000  # below that one thread is fastest
FEWEST_CHURNED = 20
NORMAL_CHURNED = 50
MANY_CHURNED = 200


@dataclass(frozen=True, slots=True)
class Learner:
    """XGBoost's parameters under a name."""

    name: str
    trees: int
    parameters: Mapping[str, float]


SAFE = Learner(
    "safe",
    300,
    {
        "max_depth": 3,
        "learning_rate": 0.03,
        "min_child_weight": 5,
        "subsample": 0.8,
        "colsample_bytree": 0.6,
        "reg_lambda": 5,
    },
)
TINY = Learner("tiny", 100, {"max_depth": 2, "learning_rate": 0.05, "min_child_weight": 3, "reg_lambda": 20})


def learner_for(churned: int) -> Learner | None:
    """The learner for so many distinct churned customers; None below 20, where the base rate is the better forecast."""
    if churned < FEWEST_CHURNED:
        return None
    return TINY if churned < MANY_CHURNED else SAFE


@dataclass(frozen=True, slots=True)
class Calibration:
    """Platt's: log-odds become slope * log-odds + intercept. The slope is positive, so the order stays."""

    slope: float = 1.0
    intercept: float = 0.0

    def probability(self, margin: Floats) -> Floats:
        return np.asarray(1 / (1 + np.exp(-(self.slope * margin + self.intercept))), dtype=np.float64)


@dataclass(frozen=True, slots=True)
class Rows:
    """What is learned from: one row a customer and snapshot day.

    matrix     float32[n, f], NaN where missing, columns as `names`
    signs      +1, 0 or -1 a column: the direction in which more of it may move the risk
    labels     bool[n], churned; customers int64[n], any codes; days int64[n], ordinals
    ends       int64[n], ordinals: the last day each label looks at, from which on it could be learned from
    """

    names: Sequence[str]
    signs: Sequence[int]
    matrix: Matrix
    labels: Flags
    customers: Integers
    days: Integers
    ends: Integers

    def __len__(self) -> int:
        return len(self.labels)

    def where(self, mask: Flags) -> "Rows":
        columns = (self.matrix, self.labels, self.customers, self.days, self.ends)
        return Rows(self.names, self.signs, *(column[mask] for column in columns))

    @property
    def churned(self) -> int:
        """Distinct customers who left."""
        return len(np.unique(self.customers[self.labels]))


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
    """Fit `learner`, and calibrate it where 50 customers or more have left. The same rows give the same bytes."""
    booster = boost(rows, learner)
    held_out = out_of_fold(rows, learner)
    if held_out is None:
        return Fitted(booster, learner, Calibration(), None)
    calibration = Calibration()
    if rows.churned >= NORMAL_CHURNED:
        calibration = platt(held_out, rows.labels, known=len(np.unique(rows.customers)) < len(rows))
    return Fitted(booster, learner, calibration, calibration.probability(held_out))


def boost(rows: Rows, learner: Learner) -> xgboost.Booster:
    parameters = settings(learner, rows.signs, len(rows))
    data = xgboost.DMatrix(
        rows.matrix, label=rows.labels, feature_names=list(rows.names), nthread=parameters["nthread"]
    )
    return xgboost.train(parameters, data, num_boost_round=learner.trees)


def settings(learner: Learner, signs: Sequence[int], rows: int) -> dict[str, Any]:
    """Everything XGBoost is told."""
    return {
        **learner.parameters,
        "objective": "binary:logistic",
        "tree_method": "hist",
        "monotone_constraints": "(" + ",".join(map(str, signs)) + ")",
        "seed": SEED,
        "nthread": 1 if rows < MANY_ROWS else 4,
        "verbosity": 0,
    }


def margins(booster: xgboost.Booster, matrix: Matrix) -> Floats:
    """Uncalibrated log-odds [n]."""
    return np.asarray(booster.inplace_predict(matrix, predict_type="margin"), dtype=np.float64)


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


def platt(margin: Floats, labels: Flags, *, known: bool) -> Calibration:
    """Logistic regression of the labels on the log-odds of held-out customers.

    known  whether customers are in several rows, so that those who are scored will mostly be known to the model

    Held-out customers show how sure a model may be of strangers; of customers whose earlier snapshots it has seen it may be
    surer. Where customers are known, a slope below one is therefore only gone half-way: on later snapshots all of it, and
    none of it, were each measured to be too much in some book, and half never to be far from the better.
    """
    model = LogisticRegression(C=np.inf, max_iter=1_000).fit(margin[:, None], labels)
    slope, intercept = float(model.coef_[0, 0]), float(model.intercept_[0])
    if slope <= 0:  # the order would turn around
        return Calibration()
    return Calibration((1 + slope) / 2, intercept / 2) if known and slope < 1 else Calibration(slope, intercept)
