"""What really went on, which no source tells: for tests, and to know how well the best possible model could do."""

from dataclasses import dataclass

import numpy as np

from hub.demo.company.contracts import ACQUIRED_A_YEAR, PAYMENT_FAILS, Contracts
from hub.demo.company.people import NEVER
from hub.demo.company.roster import Roster
from hub.demo.company.streams import Flags, Floats, Ints, expit

GREEN_CAUSES = ("champion", "price", "acquired")


@dataclass(frozen=True, slots=True, kw_only=True)
class Truth:
    """Columns over customers (c) and days of the window (d). Days count from the opening; NEVER where it has not happened.

    odds        [d, c] log-odds of leaving, were the decision that day
    decides     [d, c] the day of the next decision as it stands that evening
    renews      [d, c] the day the running term falls due
    engagement  [d, c] the hidden engagement, about standard normal
    noticed     [c] day of the notice (of the end, where a payment failed); ended: first day without a contract
    cause       [c] "decline", "support", "champion", "price", "acquired", "payment", or "" for those who stay
    green       [c] left of their own will, while their use of the product showed nothing
    """

    signed: Ints
    months: Ints
    odds: Floats
    decides: Ints
    renews: Ints
    engagement: Floats
    noticed: Ints
    ended: Ints
    cause: tuple[str, ...]
    green: Flags

    def at_risk(self, day: int, *, tenure: int = 30) -> Flags:
        """Customers of at least `tenure` days who run on `day` and have not given notice."""
        return (self.signed <= day - tenure) & (self.noticed > day) & (self.ended > day)

    def leaves_within(self, day: int, horizon: int) -> Flags:
        """Who gives notice (or is cut off) after `day`, at most `horizon` days later."""
        return (self.noticed > day) & (self.noticed <= day + horizon)

    def risk(self, day: int, horizon: int) -> Floats:
        """Chance [c], 0 to 1, of leaving in the horizon for somebody who knows the hidden state of `day`, taken as it stands.

        One minus the product of staying at every decision that falls into the horizon, and of no acquisition and no failed
        payment meanwhile. The ceiling of what a model can know, but for what the future still brings.
        """
        length = np.rint(self.months * 30.44)
        first = np.where(self.decides[day] > day, self.decides[day], self.decides[day] + length)
        decisions = np.where(first <= day + horizon, 1 + (day + horizon - first) // length, 0)
        payments = np.where(self.renews[day] <= day + horizon, 1 + (day + horizon - self.renews[day]) // length, 0)
        fails = np.array([PAYMENT_FAILS[int(months)] for months in self.months])
        stays = (1.0 - expit(self.odds[day])) ** decisions * (1.0 - fails) ** payments
        risk: Floats = 1.0 - stays * np.exp(-ACQUIRED_A_YEAR * horizon / 365)
        return risk


def tell(
    roster: Roster, contracts: Contracts, *, days: list[tuple[Floats, Ints, Ints, Floats]], slumping: list[Flags]
) -> Truth:
    """The truth of a finished simulation; `days` are each day's odds, decides, renews and engagement."""
    odds, decides, renews, engagement = (np.array(column) for column in zip(*days, strict=True))
    green = np.zeros(len(roster), dtype=bool)
    for customer in np.flatnonzero(contracts.noticed < NEVER):
        day = min(int(contracts.noticed[customer]), len(days) - 1)
        calm = engagement[day, customer] > -0.4 and not slumping[day][customer]
        green[customer] = calm and contracts.cause[customer] in GREEN_CAUSES
    cause = tuple(
        why if day < NEVER else "" for why, day in zip(contracts.cause, contracts.noticed.tolist(), strict=True)
    )
    return Truth(
        signed=roster.signed,
        months=roster.months,
        odds=odds,
        decides=decides,
        renews=renews,
        engagement=engagement,
        noticed=contracts.noticed,
        ended=contracts.ends,
        cause=cause,
        green=green,
    )
