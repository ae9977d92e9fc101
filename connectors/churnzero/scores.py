"""ChurnZero's arithmetic of scores: points of factors, of which a tier gives a share. Pure.

A score's factors have 100 points together. A factor's value falls into one of its tiers, which gives a percentage of the
points; the sum is the score, 0 to 100. A tier's upper bound belongs to it, and where two tiers touch, the one above in the list
has the value.

Which end is good is the tenant's own matter: scores of health go up with it, and scores of churn risk down.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

Better = Literal["higher", "lower"]
POINTS = 100.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Tier:
    """Values from `low` to `high`, both included, None: no bound; percent: of the factor's points, 0 to 100."""

    low: float | None = None
    high: float | None = None
    percent: float

    def holds(self, value: float) -> bool:
        return (self.low is None or value >= self.low) and (self.high is None or value <= self.high)


@dataclass(frozen=True, slots=True, kw_only=True)
class Factor:
    """points: of 100; tiers: from the top of the list to its bottom; value: None where there is none, which gives no points."""

    points: float
    tiers: Sequence[Tier]
    value: float | None

    @property
    def scored(self) -> float:
        if self.value is None:
            return 0.0
        found = next((tier for tier in self.tiers if tier.holds(self.value)), None)
        return 0.0 if found is None else self.points * found.percent / 100


def score(factors: Sequence[Factor]) -> float:
    """0 to 100; ValueError where the factors' points are not 100 together."""
    points = sum(factor.points for factor in factors)
    if abs(points - POINTS) > 1e-6:
        raise ValueError(f"the factors of a score have 100 points together, not {points:g}")
    return sum(factor.scored for factor in factors)


def value(number: float, *, better: Better) -> float:
    """A score of 0 to 100 as 0 to 1, higher is healthier; ValueError beyond. `better`: which end is good."""
    if not 0 <= number <= POINTS:
        raise ValueError(f"a score is 0 to 100, not {number:g}")
    share = number / POINTS
    return share if better == "higher" else 1 - share
