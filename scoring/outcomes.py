"""What became of customers after a day: who churned within the horizon, who stayed, and whose row teaches nothing."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Self

import numpy as np
import numpy.typing as npt

from scoring.churn_definition import ChurnDefinition
from scoring.evaluation import Flags, Integers

CHURNED, STAYED, UNUSED = 1, 0, -1


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


def outcomes(customers: Sequence[str], day: date, churns: Churns, definition: ChurnDefinition) -> npt.NDArray[np.int8]:
    """CHURNED, STAYED or UNUSED for each of `customers`, who pay on `day`.

    Who leaves on the day + lead + 1 to lead + horizon has churned. Who leaves before that is not used: nobody could have
    acted. Nor, where failed payments are not counted, is who was lost to one: whether they would have stayed is not known.
    """
    last = day.toordinal() + definition.lead_days + definition.horizon_days
    near = (churns.days > day.toordinal()) & (churns.days <= last)
    leavers, first = np.unique(churns.customers[near], return_index=True)
    verdicts = np.where(churns.days[near][first] <= day.toordinal() + definition.lead_days, UNUSED, CHURNED)
    if not definition.count_involuntary:
        verdicts[churns.involuntary[near][first]] = UNUSED
    result = np.full(len(customers), STAYED, dtype=np.int8)
    if leavers.size:
        names = np.array(customers, dtype=np.str_)
        places = np.minimum(np.searchsorted(leavers, names), leavers.size - 1)
        left = leavers[places] == names
        result[left] = verdicts[places[left]]
    return result
