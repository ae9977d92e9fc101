"""Champion against challenger: which predicted better what has come true since, beyond noise.

    verdict = compare(labels, champion, challenger, customers=codes)
    verdict.better, verdict.why_not

Both speak of the same rows, which neither learned from. The challenger is better when the whole 95 % interval of the
difference in log-loss (challenger less champion, from a bootstrap that draws whole customers) lies below 0, and when its
lift at 10 % is not lower by more than 5 %: a model may not pay for better probabilities with a worse list of whom to call.
"""

from dataclasses import dataclass

import numpy as np

from scoring.evaluation import SMALLEST, TOP_SHARE, Estimate, Flags, Integers
from scoring.facts import Floats

FEWEST_CHURNED = 20
"""Distinct customers who left: below, an interval is no evidence of anything."""
LIFT_MAY_FALL = 0.05
BOOTSTRAPS = 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """Two models on the same rows.

    difference  log-loss of the challenger less that of the champion, with its 95 % interval; below 0 the challenger is better
    why_not     why the challenger is not better beyond noise, fit to show; None where it is
    """

    rows: int
    customers: int
    churned: int
    champion_log_loss: float
    challenger_log_loss: float
    difference: Estimate
    champion_lift: float
    challenger_lift: float
    why_not: str | None

    @property
    def better(self) -> bool:
        return self.why_not is None

    def lines(self) -> list[str]:
        """The verdict as lines of text."""
        low, high = self.difference.low, self.difference.high
        return [
            f"{self.rows} rows of {self.customers} customers, {self.churned} of whom left",
            f"log-loss      champion {self.champion_log_loss:.4f}, challenger {self.challenger_log_loss:.4f}",
            f"difference    {self.difference.value:+.4f} (95 % interval {low:+.4f} to {high:+.4f})",
            f"lift at 10 %  champion {self.champion_lift:.2f}, challenger {self.challenger_lift:.2f}",
        ]


def compare(
    labels: Flags,
    champion: Floats,
    challenger: Floats,
    *,
    customers: Integers,
    bootstraps: int = BOOTSTRAPS,
    seed: int = 0,
) -> Verdict:
    """Judge two columns of probabilities [n] by the same labels [n]; `customers` are integer codes [n].

    ValueError without rows.
    """
    if not len(labels):
        raise ValueError("nothing to compare models by")
    gains = losses(labels, challenger) - losses(labels, champion)
    _, codes = np.unique(customers, return_inverse=True)
    people = int(codes.max()) + 1
    sums, sizes = np.bincount(codes, gains, people), np.bincount(codes, minlength=people).astype(np.float64)
    random = np.random.default_rng(seed)
    drawn = np.empty(bootstraps)
    for place in range(bootstraps):
        weights = np.bincount(random.integers(people, size=people), minlength=people)
        drawn[place] = weights @ sums / (weights @ sizes)
    low, high = np.percentile(drawn, [2.5, 97.5]).tolist()
    difference = Estimate(float(gains.mean()), low, high)
    churned = len(np.unique(codes[labels]))
    lifts = lift(labels, champion), lift(labels, challenger)
    return Verdict(
        rows=len(labels),
        customers=people,
        churned=churned,
        champion_log_loss=float(losses(labels, champion).mean()),
        challenger_log_loss=float(losses(labels, challenger).mean()),
        difference=difference,
        champion_lift=lifts[0],
        challenger_lift=lifts[1],
        why_not=_why_not(difference, *lifts, churned=churned),
    )


def losses(labels: Flags, probability: Floats) -> Floats:
    """Log-loss of each row."""
    surely = np.clip(probability, SMALLEST, 1 - SMALLEST)
    return np.asarray(-np.where(labels, np.log(surely), np.log1p(-surely)), dtype=np.float64)


def lift(labels: Flags, probability: Floats) -> float:
    """Churn rate of the tenth with the highest risk over that of all; ties across the border count in proportion.
    0 where nobody left."""
    if not labels.any():
        return 0.0
    _, tied = np.unique(-probability, return_inverse=True)
    everybody = np.bincount(tied).astype(np.float64)
    positive = np.bincount(tied, labels.astype(np.float64))
    room = len(labels) * TOP_SHARE
    taken = np.clip(room - (np.cumsum(everybody) - everybody), 0, everybody)
    return float((taken / everybody @ positive) / room / labels.mean())


def _why_not(difference: Estimate, champion_lift: float, challenger_lift: float, *, churned: int) -> str | None:
    faults = []
    if churned < FEWEST_CHURNED:
        faults.append(f"{churned} of the customers left, and {FEWEST_CHURNED} are needed to tell")
    if not difference.high < 0:
        faults.append(
            f"its log-loss differs by {difference.value:+.4f} (95 % interval {difference.low:+.4f} to "
            f"{difference.high:+.4f}), and all of the interval must be below 0"
        )
    least = champion_lift * (1 - LIFT_MAY_FALL)
    if challenger_lift < least:
        faults.append(f"its lift at 10 % is {challenger_lift:.2f}, and at least {least:.2f} is needed")
    return "; ".join(faults) or None
