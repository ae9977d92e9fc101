"""What is at stake with a customer, and the order that gives.

The stake is churn risk times a year's revenue: what we expect to lose by doing nothing. Of who has no churn risk or no
revenue nothing is known to be at stake, which is 0: such messages come last, and are not lost.
"""

import math
from datetime import datetime, timedelta

SPAN = timedelta(minutes=1)
HIGHEST = 1e12


def stake(churn_risk: float | None, arr: float | None) -> float:
    """churn_risk: a probability 0-1; arr: a year's revenue, in the hub's currency. The same currency, at least 0."""
    if churn_risk is None or arr is None or math.isnan(churn_risk) or math.isnan(arr):
        return 0.0
    return max(0.0, churn_risk * arr)


def turn_at(begin: datetime, rank: float) -> datetime:
    """Its place in the order of what goes out from `begin` on: the more at stake, the earlier within the minute.

    A pure function of the rank, so that what is held later takes its place among what is held already. On a logarithmic
    scale: a hundredth more is earlier at 100 as at 100 million.
    """
    share = math.log1p(min(max(rank, 0.0), HIGHEST)) / math.log1p(HIGHEST)
    return begin + SPAN * (1 - share)
