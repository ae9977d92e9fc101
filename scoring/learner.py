"""The learner: gradient-boosted trees with fixed parameters.

Two sets of parameters, by the number of *distinct customers* who left: `TINY` from 20, `SAFE` from 200; below 20 there is no
model, nor where fewer than so many stayed. They were fixed beforehand; `scoring.search` may replace `SAFE` by one of a few
others. Classes are never reweighted or resampled: that leaves the ranking alone and ruins the probabilities. What counts less
is what is long ago: a row weighs half of one that is a year newer, because products, prices and customers change. Each feature
declares whether more of it may raise or lower the risk, so that a reason never contradicts good sense.

The same rows give the same bytes: one seed, and a number of threads that does not depend on the machine.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from scoring.evaluation import Flags, Integers
from scoring.facts import Floats

if TYPE_CHECKING:
    import xgboost

Matrix = npt.NDArray[np.float32]

SEED = 20
FOLDS = 5
HALF_LIFE_DAYS = 365
MANY_ROWS = 200_000  # below that one thread is fastest
MANY_CELLS = 2_000_000  # rows x columns, from which on more folds and larger searches cost hours and tell nothing more
MANY_COLUMNS = 500  # from which on a tree's time goes into the bins of columns
FEWER_BINS = 64
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
    """The learner for so many distinct customers of the rarer kind, commonly those who left; None below 20, where the base
    rate is the better forecast."""
    if churned < FEWEST_CHURNED:
        return None
    return TINY if churned < MANY_CHURNED else SAFE


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
        return Rows(
            self.names,
            self.signs,
            self.matrix[mask],
            self.labels[mask],
            self.customers[mask],
            self.days[mask],
            self.ends[mask],
        )

    @property
    def churned(self) -> int:
        """Distinct customers who left."""
        return len(np.unique(self.customers[self.labels]))

    @property
    def rarer(self) -> int:
        """Distinct customers of the rarer kind: who left, or where nearly everybody did, who stayed."""
        return min(self.churned, len(np.unique(self.customers[~self.labels])))

    @property
    def has_many_cells(self) -> bool:
        return self.matrix.size > MANY_CELLS


def boost(rows: Rows, learner: Learner) -> "xgboost.Booster":
    """Fit `learner` with all of its trees."""
    import xgboost  # a second, and most commands never get here

    parameters = settings(learner, rows.signs, len(rows))
    return xgboost.train(parameters, data_of(rows), num_boost_round=learner.trees)


def data_of(rows: Rows) -> "xgboost.DMatrix":
    """What XGBoost learns from or stops by."""
    import xgboost

    age = rows.days.max() - rows.days if len(rows) else rows.days
    return xgboost.DMatrix(
        rows.matrix,
        label=rows.labels,
        weight=np.exp2(-age / HALF_LIFE_DAYS) if age.any() else None,
        feature_names=list(rows.names),
        nthread=_threads(len(rows)),
    )


def settings(learner: Learner, signs: Sequence[int], rows: int) -> dict[str, Any]:
    """Everything XGBoost is told."""
    told = {
        **learner.parameters,
        "objective": "binary:logistic",
        "tree_method": "hist",
        "seed": SEED,
        "nthread": _threads(rows),
        "verbosity": 0,
    }
    if any(signs):  # constraints that constrain nothing still cost half of the time
        told["monotone_constraints"] = "(" + ",".join(map(str, signs)) + ")"
    if len(signs) > MANY_COLUMNS:
        told["max_bin"] = FEWER_BINS
    return told


def _threads(rows: int) -> int:
    return 1 if rows < MANY_ROWS else 4


def margins(booster: "xgboost.Booster", matrix: Matrix) -> Floats:
    """Uncalibrated log-odds [n]."""
    booster.set_param({"nthread": _threads(len(matrix))})  # of few rows, threads mostly wait for each other, and busily
    return np.asarray(booster.inplace_predict(matrix, predict_type="margin"), dtype=np.float64)
