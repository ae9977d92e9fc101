"""Horizons: how far ahead a churn probability looks, by name.

    "30d" "60d" "90d"   leaving within so many days, from the lead on
    "renewal"           leaving at or before the day the running term falls due, however far that is

A name is what is stored and shown; `days_of` is None for the renewal, which is another day for each customer.
"""

from typing import Annotated, Any

from pydantic import BeforeValidator

RENEWAL = "renewal"
FEWEST_DAYS, MOST_DAYS = 7, 365
FARTHEST_RENEWAL = 400
"""A renewal farther off than this many days is no horizon: nobody's label would be ripe, and nobody plans so far."""


def horizon_of(days: int) -> str:
    return f"{days}d"


def days_of(horizon: str) -> int | None:
    """The days of a horizon; None for "renewal". ValueError where it is no horizon."""
    if horizon == RENEWAL:
        return None
    digits = horizon.removesuffix("d")
    if horizon == digits or not digits.isdecimal():
        raise ValueError(f"{horizon!r} is no horizon; one is {RENEWAL} or like 90d")
    return int(digits)


def in_words(horizon: str) -> str:
    """As the end of "the probability of leaving …"."""
    days = days_of(horizon)
    return "at the next renewal" if days is None else f"within {days} days"


def _read(value: Any) -> str:
    if isinstance(value, int) and not isinstance(value, bool):
        value = horizon_of(value)
    if isinstance(value, str):
        try:
            days = days_of(value)
        except ValueError:
            pass
        else:
            if days is None or FEWEST_DAYS <= days <= MOST_DAYS:
                return value if days is None else horizon_of(days)
    raise ValueError(f"is no horizon; one is {RENEWAL} or a number of days from {FEWEST_DAYS} to {MOST_DAYS}")


Horizon = Annotated[str, BeforeValidator(_read)]
"""A horizon in a document: a number of days, or "renewal"."""
