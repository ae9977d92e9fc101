"""How well a ranking finds those who leave: average precision, lift and ROC-AUC of weighted rows, and the curves behind them.

    ranked = Ranked.of(labels, risk)
    ranked.measure(weights) -> {"pr_auc": …, "roc_auc": …, "lift": …}

The sorting is done once; a bootstrap then asks for many weightings. Rows of equal risk are one step: no order among them is
taken for granted. Average precision is precision at each step from the riskiest down, weighted by the recall it adds; lift
is the churn rate of the riskiest tenth over that of all, a run of ties across the border counted in proportion.
"""

from dataclasses import dataclass
from typing import Self

import numpy as np
import numpy.typing as npt

from scoring.facts import Floats

Flags = npt.NDArray[np.bool_]
Integers = npt.NDArray[np.int64]
TOP_SHARE = 0.1


@dataclass(frozen=True, slots=True)
class Ranked:
    """Rows from the riskiest down.

    order   places of the rows, int64[n]
    labels  1.0 of who left, in that order, float64[n]
    steps   where each run of equal risk begins, int64[k]
    """

    order: Integers
    labels: Floats
    steps: Integers

    @classmethod
    def of(cls, labels: Flags, risk: Floats) -> Self:
        """labels, risk: [n], n > 0; risk in any unit, higher leaves sooner, no NaN."""
        order = np.argsort(-risk, kind="stable")
        sorted_ = risk[order]
        steps = np.flatnonzero(np.concatenate([[True], sorted_[1:] != sorted_[:-1]]))
        return cls(order.astype(np.int64), labels[order].astype(np.float64), steps)

    def totals(self, weights: Floats) -> tuple[Floats, Floats]:
        """(weight of who left, weight of all) of each step; `weights` [n] stand in the order of the rows as given."""
        drawn = weights[self.order]
        return np.add.reduceat(drawn * self.labels, self.steps), np.add.reduceat(drawn, self.steps)

    def measure(self, weights: Floats) -> dict[str, float]:
        """pr_auc, roc_auc and lift; NaN where the weighted rows are all of one kind."""
        positive, everybody = self.totals(weights)
        left, total = positive.sum(), everybody.sum()
        if not 0 < left < total:
            return dict.fromkeys(("pr_auc", "roc_auc", "lift"), float("nan"))
        return {
            "pr_auc": average_precision(positive, everybody),
            "roc_auc": roc_auc(positive, everybody),
            "lift": lift(positive, everybody),
        }

    def precision_recall(self, *, most: int = 200) -> list[tuple[float, float]]:
        """(recall, precision) from the riskiest down, at most so many points."""
        positive, everybody = self.totals(np.ones(len(self.order)))
        found, looked = np.cumsum(positive), np.cumsum(everybody)
        return _thinned(found / max(found[-1], 1.0), found / looked, most)

    def gains(self, *, most: int = 200) -> list[tuple[float, float]]:
        """(share of rows looked at, share of those who left found), from (0, 0)."""
        positive, everybody = self.totals(np.ones(len(self.order)))
        found, looked = np.cumsum(positive), np.cumsum(everybody)
        return [(0.0, 0.0), *_thinned(looked / looked[-1], found / max(found[-1], 1.0), most)]


def average_precision(positive: Floats, everybody: Floats) -> float:
    """Of steps from the riskiest down, [k]: precision at each, weighted by the recall it adds."""
    found, looked = np.cumsum(positive), np.cumsum(everybody)
    precision = np.divide(found, looked, out=np.zeros_like(found), where=looked > 0)
    return float(positive @ precision / found[-1])


def roc_auc(positive: Floats, everybody: Floats) -> float:
    """Probability that one who left ranks above one who stayed, ties counted half."""
    negative = everybody - positive
    riskier = np.cumsum(negative) - negative
    return float(1 - positive @ (riskier + negative / 2) / (positive.sum() * negative.sum()))


def lift(positive: Floats, everybody: Floats, *, top: float = TOP_SHARE) -> float:
    """Churn rate among the riskiest `top` share, over the churn rate of all."""
    total = everybody.sum()
    room = total * top
    taken = np.clip(room - (np.cumsum(everybody) - everybody), 0, everybody)
    share = np.divide(taken, everybody, out=np.zeros_like(taken), where=everybody > 0)
    return float((share @ positive) / room / (positive.sum() / total))


def weighted_median(values: Floats, weights: Floats) -> float:
    """The median of values[m], each counted weights[m] times; the mean of the middle two where it lies between them."""
    order = np.argsort(values, kind="stable")
    reached = np.cumsum(weights[order])
    total = reached[-1] if len(reached) else 0.0
    if total <= 0:
        return float("nan")
    low = int(np.searchsorted(reached, total / 2, side="left"))
    high = int(np.searchsorted(reached, total / 2, side="right"))
    high = min(high, len(values) - 1)
    return float((values[order[low]] + values[order[high]]) / 2)


def _thinned(x: Floats, y: Floats, most: int) -> list[tuple[float, float]]:
    kept = np.unique(np.linspace(0, len(x) - 1, min(most, len(x))).astype(np.int64))
    return [(float(x[i]), float(y[i])) for i in kept]
