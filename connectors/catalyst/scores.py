"""Catalyst's arithmetic of health: inputs as 1 to 10, groups of inputs, profiles of groups. Pure.

An input that is a word is At-Risk, Neutral or Healthy: 1, 5 or 10. One that is a number lies between two bounds of the
profile, below which it is at risk and above which it is healthy, and has a place on the scale by steps:

    at risk   1, 2, 3       a third of the lower bound each
    neutral   4, 5, 6, 7    a quarter of what lies between the bounds each
    healthy   8, 9, 10      a third of the upper bound each, and 10 for all beyond

A missing input is neutral, unless the profile skips what is missing: then its weight goes to the others of its group. Where
nothing is there at all there is no score.
"""

from collections.abc import Sequence
from dataclasses import dataclass

LABELS = {"at-risk": 1.0, "at risk": 1.0, "neutral": 5.0, "healthy": 10.0}
LOWEST, HIGHEST, NEUTRAL = 1.0, 10.0, 5.0
AT_RISK_FROM, NEUTRAL_FROM, HEALTHY_FROM = 1, 4, 8


@dataclass(frozen=True, slots=True)
class Bounds:
    """at_risk: up to there a number is at risk; healthy: from there on it is healthy. ValueError unless in that order."""

    at_risk: float
    healthy: float

    def __post_init__(self) -> None:
        if not 0 < self.at_risk < self.healthy:
            raise ValueError("the bound of what is at risk lies above 0 and below that of what is healthy")

    @property
    def steps(self) -> tuple[float, float, float]:
        """How wide a step is: at risk, neutral, healthy."""
        return self.at_risk / 3, (self.healthy - self.at_risk) / 4, self.healthy / 3

    def score(self, number: float) -> int:
        """1 to 10."""
        at_risk, neutral, healthy = self.steps
        if number <= self.at_risk:
            return AT_RISK_FROM + _steps(number, at_risk, most=2)
        if number < self.healthy:
            return NEUTRAL_FROM + _steps(number - self.at_risk, neutral, most=3)
        return HEALTHY_FROM + _steps(number - self.healthy, healthy, most=2)


def _steps(distance: float, step: float, *, most: int) -> int:
    return max(0, min(most, int(distance // step)))


def health(parts: Sequence[tuple[float, float | None]], *, skip_missing: bool = False) -> float | None:
    """The mean of (weight, 1 to 10): of a group's inputs, or of a profile's groups; None where all of them are missing."""
    if all(score is None for _, score in parts):
        return None
    filled = [(weight, NEUTRAL if score is None and not skip_missing else score) for weight, score in parts]
    counted = [(weight, score) for weight, score in filled if score is not None]
    weights = sum(weight for weight, _ in counted)
    return sum(weight * score for weight, score in counted) / weights if weights > 0 else None


def value(score: float) -> float:
    """1 to 10 as 0 to 1; ValueError beyond."""
    if not LOWEST <= score <= HIGHEST:
        raise ValueError(f"a score is 1 to 10, not {score:g}")
    return (score - LOWEST) / (HIGHEST - LOWEST)
