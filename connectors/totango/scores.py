"""Totango's arithmetic of health: good, average and poor, as words and as 100, 60 and 0. Pure.

Two ways to put ranks together, and a third for whole portfolios:

    multidimensional   each rank as 100, 60 or 0; a dimension is their weighted mean, rounded to a whole number
    account health     any poor makes it poor, nothing but good makes it good, and all else is average
    quality            of many accounts: their mean, an older score, in which poor counts 40
"""

from collections.abc import Sequence
from decimal import ROUND_HALF_UP, Decimal
from typing import Literal

Rank = Literal["good", "average", "poor"]
POINTS: dict[Rank, float] = {"good": 100.0, "average": 60.0, "poor": 0.0}
POOR_OF_A_PORTFOLIO = 40.0
RANKS: dict[str, Rank] = {
    "green": "good", "yellow": "average", "red": "poor", "good": "good", "average": "average", "poor": "poor",
}  # fmt: skip
"""What the API and the screen call them."""


def dimension(parts: Sequence[tuple[float, Rank | None]]) -> int | None:
    """0 to 100 of (weight, rank), rounded half up; what has no value is left out, None where nothing has one."""
    counted = [(weight, POINTS[rank]) for weight, rank in parts if rank is not None]
    weights = sum(weight for weight, _ in counted)
    if weights <= 0:
        return None
    return _rounded(sum(weight * points for weight, points in counted) / weights)


def multidimensional(parts: Sequence[tuple[float, int | None]]) -> float | None:
    """0 to 100 of (weight, dimension); dimensions without a value are left out."""
    counted = [(weight, score) for weight, score in parts if score is not None]
    weights = sum(weight for weight, _ in counted)
    return sum(weight * score for weight, score in counted) / weights if weights > 0 else None


def account_health(ranks: Sequence[Rank | None]) -> Rank | None:
    """What has no value is left out; None where nothing has one."""
    known = [rank for rank in ranks if rank is not None]
    if not known:
        return None
    if "poor" in known:
        return "poor"
    return "good" if all(rank == "good" for rank in known) else "average"


def quality(*, good: int, average: int, poor: int) -> float | None:
    """Of so many accounts of each rank, 40 to 100; None of no account."""
    accounts = good + average + poor
    points = good * POINTS["good"] + average * POINTS["average"] + poor * POOR_OF_A_PORTFOLIO
    return points / accounts if accounts else None


def value(rank: Rank) -> float:
    """0 to 1."""
    return POINTS[rank] / 100


def _rounded(number: float) -> int:
    return int(Decimal(str(number)).quantize(Decimal(1), ROUND_HALF_UP))
