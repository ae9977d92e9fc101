"""Who is at stake on a day and who then leaves, in a data set of events.

with terms       a churn is the first day no paid term covers, unless one begins again within the grace; at stake is who
                 pays on the day (the rules of `hub.store.labels`)
with a `left`    column of accounts that decides instead
with neither     at stake is who did anything lately; who does nothing within the horizon has left
"""

from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np

from scoring.churn_definition import ChurnDefinition
from scoring.datasets.eventset import EventSet, Terms
from scoring.datasets.tables import NO_DAY
from scoring.evaluation import Flags, Integers
from scoring.outcomes import CHURNED, UNUSED, Churns, outcomes

MONTHLY = 45  # days of horizon up to which customers are taken to decide by the month
FEW_RETURNS = 0.05  # of all ends; below that none is waited for


@dataclass(frozen=True, slots=True)
class Labels:
    """What tells the fate of every customer of `data`.

    first   the ordinal each began on, NO_DAY where unknown
    churns  None where silence is what counts, then of those active within so many days
    wait    days until an end of paying is certain: the grace, or none where hardly anybody ever returned within it
    """

    data: EventSet
    definition: ChurnDefinition
    active_within: int
    first: Integers
    churns: Churns | None
    wait: int

    @classmethod
    def of(cls, data: EventSet, definition: ChurnDefinition, *, active_within: int | None = None) -> "Labels":
        """active_within: two horizons where it is None; who was silent for longer had left before."""
        count = len(data.customers)
        churns, wait = None, 0
        if data.left is not None:
            who = np.flatnonzero((data.left != NO_DAY) & (data.left <= data.known_until))
            churns = _churns(data, who, data.left[who])
        elif data.terms is not None:
            who, days, returns = ended(data.terms, grace_days=definition.grace_days)
            if returns > FEW_RETURNS * (returns + len(who)):
                wait = definition.grace_days
            certain = days <= data.known_until - wait
            churns = _churns(data, who[certain], days[certain])
        latest = np.iinfo(np.int64).max
        first = np.full(count, latest, dtype=np.int64)
        if data.terms is not None:
            np.minimum.at(first, data.terms.customers, data.terms.starts)
        else:
            if data.signed_up is not None:
                first = np.where(data.signed_up == NO_DAY, latest, data.signed_up)
            np.minimum.at(first, data.events.customers, data.events.days)
        within = 2 * definition.primary_days if active_within is None else active_within
        return cls(data, definition, within, np.where(first == latest, NO_DAY, first), churns, wait)

    @property
    def last_day(self) -> int:
        """The newest day whose horizon, and the return that would undo a churn, the data still tell of."""
        return self.data.known_until - self.definition.lead_days - self.definition.primary_days - self.wait

    def on(self, day: int) -> tuple[Flags, Flags]:
        """(at stake, churned), both by customer; who left before anybody could act is not at stake."""
        began = (self.first != NO_DAY) & (self.first <= day - self.definition.snapshots.minimum_tenure_days)
        if self.churns is None:
            lead, horizon = self.definition.lead_days, self.definition.primary_days
            at_stake = began & self._active(day - self.active_within, day)
            return at_stake, ~self._active(day + lead, day + lead + horizon)
        if self.data.left is not None:
            at_stake = began & ~((self.data.left != NO_DAY) & (self.data.left <= day))
            if self.data.terms is not None:
                at_stake &= _paying(self.data.terms, day, len(began))
        else:
            assert self.data.terms is not None, "churns are of terms"
            at_stake = began & _paying(self.data.terms, day, len(began))
        begins = np.full(len(began), day + self.definition.lead_days + 1)
        verdicts = outcomes(
            self.data.customers.tolist(),
            date.fromordinal(day),
            self.churns,
            first=begins,
            last=begins - 1 + self.definition.primary_days,
            count_involuntary=self.definition.count_involuntary,
        )
        return at_stake & (verdicts != UNUSED), verdicts == CHURNED

    def _active(self, after: int, until: int) -> Flags:
        """By customer: whether there was an event after the one day and until the other."""
        start, end = np.searchsorted(self.data.events.days, [after + 1, until + 1])
        found = np.zeros(len(self.first), dtype=np.bool_)
        found[self.data.events.customers[start:end]] = True
        return found


def ended(terms: Terms, *, grace_days: int) -> tuple[Integers, Integers, int]:
    """(customers, days): each end of an unbroken time of paying; and how many breaks were bridged within the grace."""
    order = np.lexsort((terms.starts, terms.customers))
    customers, starts, ends = terms.customers[order], terms.starts[order], terms.ends[order]
    # the latest end so far of each customer: codes put customers so far apart that none reaches into the next
    apart = customers * (1 << 32)
    covered = np.maximum.accumulate(ends + apart) - apart
    same = customers[1:] == customers[:-1]
    gaps = np.where(same, starts[1:] - covered[:-1], np.iinfo(np.int64).max)
    last = np.append(gaps > grace_days, True)
    return customers[last], covered[last], int(((gaps > 0) & (gaps <= grace_days)).sum())


def snapshots_a_month(horizon_days: int) -> int:
    return 2 if horizon_days <= MONTHLY else 1


def grid(first: int, last: int, *, horizon_days: int) -> list[int]:
    """Month starts from `first` to `last`, ordinals; their fifteenths too where the horizon is short."""
    steps = (1, 15)[: snapshots_a_month(horizon_days)]
    days: list[int] = []
    month = date.fromordinal(first).replace(day=1)
    while month.toordinal() <= last:
        days += [ordinal for step in steps if first <= (ordinal := month.replace(day=step).toordinal()) <= last]
        month = (month + timedelta(days=32)).replace(day=1)
    return days


def _paying(terms: Terms, day: int, customers: int) -> Flags:
    found = np.zeros(customers, dtype=np.bool_)
    found[terms.customers[(terms.starts <= day) & (terms.ends > day)]] = True
    return found


def _churns(data: EventSet, who: Integers, days: Integers) -> Churns:
    order = np.lexsort((days, who))
    return Churns(data.customers[who[order]], days[order], np.zeros(len(who), dtype=np.bool_))
