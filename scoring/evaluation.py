"""How good predicted probabilities are, with intervals from a bootstrap by customer, and the gate they must pass.

Several snapshots of one customer are not several pieces of evidence, so the bootstrap draws whole customers. `skill` is
the share of log-loss saved against the best constant, the churn rate of the very rows the model is judged on; that is a
stricter opponent than any rate known beforehand. The gate wants the lower 5 % of skill and of ROC-AUC above its floors;
until then no number may be shown as a model's. Calibration error is over 15 bins of equal width.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import date
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from scoring.churn_definition import Gate
from scoring.facts import Floats

Flags = npt.NDArray[np.bool_]
Integers = npt.NDArray[np.int64]

BINS = 15
TOP_SHARE = 0.1
SMALLEST = 1e-15


@dataclass(frozen=True, slots=True)
class Estimate:
    """A measured value, and the 5th and 95th percentile of the bootstrap around it."""

    value: float
    low: float
    high: float

    def __str__(self) -> str:
        return f"{self.value:.3f} ({self.low:.3f} to {self.high:.3f})"


@dataclass(frozen=True, slots=True)
class Warnings:
    """How early customers who left were flagged. churned: leavings in the time judged; share: of them flagged before;
    days: the median from the first flag to leaving, of those flagged; None where nobody was. See scoring.appraisal."""

    churned: int
    share: Estimate
    days: Estimate | None

    def __str__(self) -> str:
        if self.days is None:
            return f"none of {self.churned} leavings was flagged before"
        days = f"{self.days.value:.0f} days ({self.days.low:.0f} to {self.days.high:.0f})"
        return (
            f"{days} in the median, of {self.share.value:.0%} of {self.churned} leavings; the others were never flagged"
        )


@dataclass(frozen=True, slots=True)
class CalibrationGroup:
    """Rows of like probability: the mean predicted, the share that left with its interval, 0-1, and how many rows."""

    predicted: float
    observed: float
    low: float
    high: float
    count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Evaluation:
    """What predictions were worth on rows the model had not seen.

    split       what the rows are: "later snapshots" or "other customers"
    churned     distinct customers who left; `positives` counts their snapshots
    lift        churn rate among the tenth with the highest risk, over the churn rate of all

    warning, segments, calibration, lift_curve are `scoring.appraisal`'s, where it was asked.
    """

    split: str
    rows: int
    customers: int
    positives: int
    churned: int
    base_rate: float
    first_day: date
    last_day: date
    roc_auc: Estimate
    pr_auc: Estimate
    log_loss: Estimate
    skill: Estimate
    brier: Estimate
    calibration_error: Estimate
    lift: Estimate
    warning: Warnings | None = None
    segments: Mapping[str, "Evaluation"] = field(default_factory=dict)
    calibration: Sequence[CalibrationGroup] = ()
    lift_curve: Sequence[tuple[float, float]] = ()

    def as_json(self) -> dict[str, Any]:
        made = {name: getattr(self, name) for name in PLAIN} | {name: asdict(getattr(self, name)) for name in METRICS}
        return made | {
            "first_day": self.first_day.isoformat(),
            "last_day": self.last_day.isoformat(),
            "warning": self.warning and asdict(self.warning),
            "segments": {name: one.as_json() for name, one in self.segments.items()},
            "calibration": [asdict(group) for group in self.calibration],
            "lift_curve": [list(point) for point in self.lift_curve],
        }

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Self:
        known = {name: value[name] for name in PLAIN} | {name: Estimate(**value[name]) for name in METRICS}
        for name in ("first_day", "last_day"):
            known[name] = date.fromisoformat(value[name])
        if warned := value["warning"]:
            days = warned["days"] and Estimate(**warned["days"])
            known["warning"] = Warnings(warned["churned"], Estimate(**warned["share"]), days)
        return cls(
            **known,
            segments={name: cls.from_json(one) for name, one in value["segments"].items()},
            calibration=tuple(CalibrationGroup(**group) for group in value["calibration"]),
            lift_curve=tuple((share, lift) for share, lift in value["lift_curve"]),
        )

    def lines(self) -> list[str]:
        """The evaluation as lines of text, each metric with its 90 % interval."""
        rows = f"{self.rows} rows of {self.customers} customers, {self.churned} of whom left"
        lines = [
            f"{self.split} {self.first_day} to {self.last_day}: {rows} ({self.base_rate:.1%} of rows)",
            f"ROC-AUC            {self.roc_auc}",
            f"PR-AUC             {self.pr_auc}, where chance has {self.base_rate:.3f}",
            f"log-loss           {self.log_loss}",
            f"skill              {self.skill} of the base rate's log-loss saved",
            f"Brier              {self.brier}",
            f"calibration error  {self.calibration_error}",
            f"lift at 10 %       {self.lift}",
        ]
        if self.warning:
            lines.append(f"warning lead       {self.warning}")
        for name, one in self.segments.items():
            lines.append(
                f"segment {name}: ROC-AUC {one.roc_auc}, calibration error {one.calibration_error}, lift {one.lift}; "
                f"{one.churned} of {one.customers} customers left"
            )
        return lines

    def closed_because(self, gate: Gate) -> str | None:
        """Why the gate stays closed; None where it opens."""
        faults = []
        if not self.skill.low > gate.skill_above:
            faults.append(
                f"skill over the base rate may be as low as {self.skill.low:.3f}, not above {gate.skill_above:g}"
            )
        if not self.roc_auc.low > gate.roc_auc_above:
            faults.append(f"ROC-AUC may be as low as {self.roc_auc.low:.3f}, not above {gate.roc_auc_above:g}")
        return "; ".join(faults) or None


def evaluate(
    labels: Flags,
    probability: Floats,
    *,
    customers: Integers,
    days: Integers,
    split: str,
    bootstraps: int,
    seed: int = 0,
) -> Evaluation:
    """Judge `probability` against `labels`, both [n]; `customers` are integer codes [n], `days` are ordinals [n].

    Raises ValueError where all labels are alike: then nothing can be measured.
    """
    if labels.all() or not labels.any():
        raise ValueError("an evaluation needs rows of both kinds")
    order = np.argsort(probability, kind="stable")
    labels, probability, customers = labels[order], probability[order], customers[order]
    _, codes = np.unique(customers, return_inverse=True)
    people = int(codes.max()) + 1
    ties = np.flatnonzero(np.diff(probability, prepend=-np.inf))
    judge = _judge(labels.astype(np.float64), probability, ties)
    point = judge(np.ones(len(labels)))
    drawn = [judge(weights) for weights in _resamples(codes, people, labels, bootstraps, seed)]
    estimates: dict[str, Any] = {
        name: Estimate(point[name], *np.percentile([one[name] for one in drawn], [5, 95]).tolist())
        if drawn
        else Estimate(point[name], float("-inf"), float("inf"))
        for name in METRICS
    }
    return Evaluation(
        split=split,
        rows=len(labels),
        customers=people,
        positives=int(labels.sum()),
        churned=len(np.unique(codes[labels])),
        base_rate=float(labels.mean()),
        first_day=date.fromordinal(int(days.min())),
        last_day=date.fromordinal(int(days.max())),
        **estimates,
    )


def _resamples(codes: Integers, people: int, labels: Flags, bootstraps: int, seed: int) -> Iterator[Floats]:
    """Weights of the rows when customers are drawn with replacement; draws without both kinds of rows are left out."""
    random = np.random.default_rng(seed)
    for _ in range(bootstraps):
        weights = np.bincount(random.integers(people, size=people), minlength=people)[codes].astype(np.float64)
        if 0 < weights[labels].sum() < weights.sum():
            yield weights


def _judge(labels: Floats, probability: Floats, ties: Integers) -> Callable[[Floats], dict[str, float]]:
    """A function of row weights to metrics; rows are sorted by probability, a run of equal ones begins at each of `ties`."""
    surely = np.clip(probability, SMALLEST, 1 - SMALLEST)
    losses = -np.where(labels > 0, np.log(surely), np.log1p(-surely))
    squares = (probability - labels) ** 2
    bins = np.minimum((probability * BINS).astype(np.int64), BINS - 1)

    def judge(weights: Floats) -> dict[str, float]:
        total = weights.sum()
        positive = np.add.reduceat(weights * labels, ties)
        everybody = np.add.reduceat(weights, ties)
        negative = everybody - positive
        rate = positive.sum() / total
        log_loss = float(weights @ losses / total)
        below = np.cumsum(negative) - negative
        gaps = np.abs(np.bincount(bins, weights * probability, BINS) - np.bincount(bins, weights * labels, BINS))
        return {
            "roc_auc": float(positive @ (below + negative / 2) / (positive.sum() * negative.sum())),
            "pr_auc": _average_precision(positive[::-1], everybody[::-1]),
            "log_loss": log_loss,
            "skill": float(1 - log_loss / -(rate * np.log(rate) + (1 - rate) * np.log1p(-rate))),
            "brier": float(weights @ squares / total),
            "calibration_error": float(gaps.sum() / total),
            "lift": _lift(positive[::-1], everybody[::-1], total),
        }

    return judge


def _average_precision(positive: Floats, everybody: Floats) -> float:
    """Precision at each threshold from the highest down, weighted by the recall it adds."""
    found, looked = np.cumsum(positive), np.cumsum(everybody)
    precision = np.divide(found, looked, out=np.zeros_like(found), where=looked > 0)
    return float(positive @ precision / found[-1])


def _lift(positive: Floats, everybody: Floats, total: float) -> float:
    """Churn rate of the top tenth over that of all; a run of ties across the border counts in proportion."""
    room = total * TOP_SHARE
    taken = np.clip(room - (np.cumsum(everybody) - everybody), 0, everybody)
    share = np.divide(taken, everybody, out=np.zeros_like(taken), where=everybody > 0)
    return float((share @ positive) / room / (positive.sum() / total))


METRICS = ("roc_auc", "pr_auc", "log_loss", "skill", "brier", "calibration_error", "lift")
PLAIN = ("split", "rows", "customers", "positives", "churned", "base_rate")
