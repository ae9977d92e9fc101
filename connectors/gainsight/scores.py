"""Gainsight's arithmetic of scorecards: weights in percent, ranges of colours, and what is not scored. Pure.

A measure is scored 0 to 100. A group is the weighted mean of its measures, a card that of its groups; what is not scored (NA)
is left out, and its weight goes to the others of the same group. A colour's range excludes the value it begins from.
"""

from collections.abc import Sequence
from dataclasses import dataclass

RANGES = (("Red", 0.0, 50.0), ("Yellow", 50.0, 75.0), ("Green", 75.0, 100.0))
"""(colour, from, to): from is excluded, but for the lowest, to is included. As a new Gainsight has them."""
COLOURS = {colour.lower(): (low + high) / 2 for colour, low, high in RANGES}
"""What a colour stands for where a scorecard knows no numbers: the middle of its range."""
HIGHEST = 100.0


@dataclass(frozen=True, slots=True)
class Mean:
    """score: 0 to 100, None where nothing is scored; coverage: share of the weight that is scored, 0 to 1."""

    score: float | None
    coverage: float


def colour(score: float) -> str:
    """The colour of a score from 0 to 100; ValueError beyond."""
    if not 0 <= score <= HIGHEST:
        raise ValueError(f"a score is 0 to 100, not {score:g}")
    return next(name for name, _, high in RANGES if score <= high)


def mean(parts: Sequence[tuple[float, float | None]], *, missing: float | None = None) -> Mean:
    """The mean of (weight, score). `missing`: counts for a score that is not there; None: its weight goes to the others."""
    whole = sum(weight for weight, _ in parts)
    if whole <= 0 or any(weight < 0 for weight, _ in parts):
        raise ValueError("weights are positive")
    scored = sum(weight for weight, score in parts if score is not None)
    given = [(weight, missing if score is None else score) for weight, score in parts]
    counted = [(weight, score) for weight, score in given if score is not None]
    weights = sum(weight for weight, _ in counted)
    total = sum(weight * score for weight, score in counted)
    return Mean(total / weights if weights > 0 else None, scored / whole)


def card(groups: Sequence[tuple[float, Sequence[tuple[float, float | None]]]]) -> Mean:
    """A scorecard of (weight, measures of the group); coverage is that of the measures, by weight."""
    means = [(weight, mean(measures)) for weight, measures in groups]
    overall = mean([(weight, each.score) for weight, each in means])
    covered = mean([(weight, each.coverage) for weight, each in means])
    return Mean(overall.score, covered.score or 0.0)


def value(score: float) -> float:
    """A score of 0 to 100 as 0 to 1; ValueError beyond."""
    colour(score)
    return score / HIGHEST
