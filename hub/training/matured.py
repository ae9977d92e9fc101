"""Snapshots whose label is known by now and that a model has not learned from: what it may be judged on.

A model learned of what became of customers up to some day. A snapshot it is judged on lies on that day or later, so that
the label of no row it learned from looks into what is judged (`clean_from`); and it is old enough for its own label to be
certain, the grace included (`ripe_until`).
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np

from hub.store import Connection
from hub.store.facts import find_facts, find_product_use, find_terms
from hub.store.labels import find_at_stake, find_churned
from hub.store.models import StoredModel
from scoring.churn_definition import ChurnDefinition
from scoring.evaluation import Flags, Integers
from scoring.facts import FactTable
from scoring.horizon import days_of
from scoring.outcomes import CHURNED, UNUSED, Churns, outcomes, window


@dataclass(frozen=True, slots=True)
class Matured:
    """A day with its facts, the places of the customers it is judged on, and whether each of those left.

    at stake, and of a certain label: the rows a training would take
    """

    day: date
    table: FactTable
    places: Integers
    labels: Flags

    @property
    def customers(self) -> list[str]:
        return [self.table.customers[place] for place in self.places.tolist()]


def clean_from(model: StoredModel, definition: ChurnDefinition) -> date:
    """The first day a model may be judged on."""
    if model.trained_on_to is None:
        return date.min
    if (days := days_of(model.horizon)) is None:  # each row looks to its own renewal, none beyond what was certain then
        return model.trained_at.date() - timedelta(days=definition.grace_days + 1)
    return model.trained_on_to + timedelta(days=definition.lead_days + days)


def ripe_until(horizon: str, definition: ChurnDefinition, *, until: date) -> date:
    """The newest day whose labels can be certain on `until`."""
    days = days_of(horizon)
    wait = 0 if days is None else definition.lead_days + days
    return until - timedelta(days=wait + definition.grace_days + 1)


def ripens(horizon: str, definition: ChurnDefinition, day: date) -> date:
    """When the labels of a day are certain; of the renewal, the earliest of them."""
    days = days_of(horizon)
    wait = 0 if days is None else definition.lead_days + days
    return day + timedelta(days=wait + definition.grace_days + 1)


def month_starts(first: date, last: date, *, most: int) -> list[date]:
    """The firsts of months from `first` to `last`, the newest `most` of them, the oldest first."""
    days: list[date] = []
    day = last.replace(day=1)
    while day >= first and len(days) < most:
        days.append(day)
        day = (day - timedelta(days=1)).replace(day=1)
    return days[::-1]


def one_a_month(days: Iterable[date]) -> list[date]:
    """The first of `days` in each month."""
    firsts: dict[tuple[int, int], date] = {}
    for day in sorted(days):
        firsts.setdefault((day.year, day.month), day)
    return list(firsts.values())


async def read_matured(
    connection: Connection,
    definition: ChurnDefinition,
    horizon: str,
    days: Sequence[date],
    *,
    until: date,
    product: Sequence[str] = (),
    facts: bool = True,
) -> list[Matured]:
    """The days with their facts and labels, as certain on `until`. A day with nobody to judge is left out.

    facts  False: only those of contracts, which labels need; for whoever has been told the probabilities
    """
    found = await find_churned(connection, until=until, grace_days=definition.grace_days)
    churns = Churns.of(found["customer_id"], found["churned_on"], [kind == "involuntary" for kind in found["kind"]])
    certain = until.toordinal() - definition.grace_days - 1
    matured = []
    for day in days:
        if facts:
            columns = await find_facts(connection, as_of=day)
            columns |= await find_product_use(connection, as_of=day, customers=columns["customer_id"], features=product)
        else:
            columns = await find_terms(connection, as_of=day)
        table = FactTable.of(day, columns)
        staying = await find_at_stake(
            connection, as_of=day, minimum_tenure_days=definition.snapshots.minimum_tenure_days
        )
        at_stake = np.isin(np.array(table.customers, dtype=np.str_), staying)
        first, last = window(table.numbers["days_to_renewal"], day, horizon, definition)
        verdicts = outcomes(
            table.customers, day, churns, first=first, last=last, count_involuntary=definition.count_involuntary
        )
        places = np.flatnonzero(at_stake & (verdicts != UNUSED) & (last <= certain))
        if places.size:
            matured.append(Matured(day, table, places, verdicts[places] == CHURNED))
    return matured
