"""What became of customers after a day: who churned within the horizon, who stayed, and whose row teaches nothing."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Self

import numpy as np
import numpy.typing as npt

from scoring.churn_definition import ChurnDefinition
from scoring.evaluation import Flags, Integers
from scoring.facts import Floats
from scoring.horizon import FARTHEST_RENEWAL, days_of

CHURNED, STAYED, UNUSED = 1, 0, -1
NEVER = int(np.iinfo(np.int64).max)
RENEWAL_SLACK = 14
"""Days after a renewal that still belong to it; half a month, so that of monthly terms the next one never does."""


@dataclass(frozen=True, slots=True)
class Churns:
    """Every certain churn, ordered by customer and day: three columns of one length. A customer may be in it twice."""

    customers: npt.NDArray[np.str_]
    days: Integers
    involuntary: Flags

    @classmethod
    def of(cls, customers: Sequence[str], days: Sequence[date], involuntary: Sequence[bool]) -> Self:
        names = np.array(customers, dtype=np.str_)
        ordinals = np.array([day.toordinal() for day in days], dtype=np.int64)
        order = np.lexsort((ordinals, names))
        return cls(names[order], ordinals[order], np.array(involuntary, dtype=np.bool_)[order])

    def next(self, customers: Sequence[str], day: date) -> Integers:
        """The ordinal each of `customers` next left on, after `day`; NEVER for who did not."""
        later = self.days > day.toordinal()
        leavers, at = np.unique(self.customers[later], return_index=True)
        result = np.full(len(customers), NEVER, dtype=np.int64)
        if leavers.size:
            names = np.array(customers, dtype=np.str_)
            places = np.minimum(np.searchsorted(leavers, names), leavers.size - 1)
            left = leavers[places] == names
            result[left] = self.days[later][at][places[left]]
        return result


def window(due: Floats, day: date, horizon: str, definition: ChurnDefinition) -> tuple[Integers, Integers]:
    """(first, last) ordinals between which a leaving counts, both [n]; last is NEVER where the horizon is not one.

    due  days to the renewal [n], NaN where unknown

    The days of a horizon begin after the lead. The renewal has no lead, its day being known to everybody, and closes
    `RENEWAL_SLACK` days after the term falls due: a payment that fails ends a term late.
    """
    days = days_of(horizon)
    today = day.toordinal()
    if days is not None:
        first = today + definition.lead_days
        return np.full(len(due), first + 1), np.full(len(due), first + days)
    known = (due > 0) & (due <= FARTHEST_RENEWAL)
    last = np.where(known, today + np.nan_to_num(due).astype(np.int64) + RENEWAL_SLACK, NEVER)
    return np.full(len(due), today + 1), last


def outcomes(
    customers: Sequence[str],
    day: date,
    churns: Churns,
    *,
    first: Integers,
    last: Integers,
    count_involuntary: bool,
) -> npt.NDArray[np.int8]:
    """CHURNED, STAYED or UNUSED for each of `customers`, who pay on `day`; first, last: as `window` has them.

    Who leaves from first to last has churned. Who leaves before that is not used: nobody could have acted. Nor, where failed
    payments are not counted, is who was lost to one: whether they would have stayed is not known.
    """
    near = churns.days > day.toordinal()
    leavers, at = np.unique(churns.customers[near], return_index=True)
    left_on, involuntary = churns.days[near][at], churns.involuntary[near][at]
    result = np.where(last == NEVER, UNUSED, STAYED).astype(np.int8)
    if leavers.size:
        names = np.array(customers, dtype=np.str_)
        places = np.minimum(np.searchsorted(leavers, names), leavers.size - 1)
        left = (leavers[places] == names) & (left_on[places] <= last) & (result == STAYED)
        result[left] = CHURNED
        result[left & (left_on[places] < first)] = UNUSED
        if not count_involuntary:
            result[left & involuntary[places]] = UNUSED
    return result
