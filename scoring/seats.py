"""Users as a share of those there could be: the seats bought, or where nobody says how many, the most seen lately.

Without seats the reference is the larger of this and the previous 28 days' distinct users. A share over 1 is kept.
"""

from collections.abc import Mapping

import numpy as np

from scoring.facts import Floats
from scoring.wording import number

FACTS = ("seats_purchased", "mau", "mau_previous")


def share_of_seats(users: Floats, columns: Mapping[str, Floats]) -> Floats:
    """users[n] / reference[n]; 0 where there are no seats and nobody came in 56 days; NaN where users are missing."""
    seats = columns["seats_purchased"]
    seen = np.fmax(columns["mau"], columns["mau_previous"])
    reference = np.where(seats > 0, seats, seen)
    with np.errstate(divide="ignore", invalid="ignore"):
        share = users / reference
    return np.where((reference == 0) & ~np.isnan(users), 0.0, share)


def of_seats(facts: Mapping[str, float | None]) -> str:
    """The reference in words: "21 seats"."""
    if seats := facts["seats_purchased"]:
        return f"{number(seats)} seats"
    seen = max(facts["mau"] or 0.0, facts["mau_previous"] or 0.0)
    return f"{number(seen)} users seen in 56 days"
