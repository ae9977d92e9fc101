"""Rates of groups with honest intervals: of so many customer-days, so many were followed by leaving."""

from dataclasses import dataclass
from typing import Self


@dataclass(frozen=True, slots=True)
class Rate:
    """Of `rows` customer-days of a group, `left` were followed by leaving: the rate, with a 90 % interval.

    The interval is that of a Beta with Jeffreys' prior; rows of one customer are not independent, so it is a little narrow.
    """

    name: str
    rows: int
    left: int
    rate: float | None
    low: float | None
    high: float | None

    @classmethod
    def of(cls, name: str, rows: int, left: int) -> Self:
        if not rows:
            return cls(name, 0, 0, None, None, None)
        from scipy.stats import beta  # a second to import, and most commands never get here

        low, high = beta.ppf([0.05, 0.95], left + 0.5, rows - left + 0.5).tolist()
        return cls(name, rows, left, left / rows, low, high)
