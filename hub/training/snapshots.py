"""The training set: monthly snapshots of facts as they were known, read once, with the labels of every horizon.

A snapshot is one `find_facts`, hence as correct about the past as a scorecard. Rows are customers who pay on the day, have
done so for a while and have not given notice; `hub.store.labels` says who of them left. A label is used once it is certain:
when its last day, and the grace in which a customer could come back, are over. Until then it is unknown, and not a no.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
import numpy.typing as npt

from hub.store import Connection
from hub.store.facts import find_facts, find_product_features, find_product_use
from hub.store.labels import find_at_stake, find_churned, find_first_day
from scoring.churn_definition import ChurnDefinition
from scoring.evaluation import Integers
from scoring.facts import FactTable
from scoring.features import Encoding
from scoring.horizon import days_of
from scoring.learner import Matrix, Rows
from scoring.outcomes import CHURNED, UNUSED, Churns, outcomes, window
from scoring.training import Fates, snapshot_days

Progress = Callable[[date, int, int], None]


@dataclass(frozen=True, slots=True)
class Past:
    """What one horizon learns from: rows, what made their columns, the customers their codes stand for, and their fates."""

    rows: Rows
    encoding: Encoding
    customers: Sequence[str]
    days: Sequence[date]
    fates: Fates


@dataclass(frozen=True, slots=True)
class _Day:
    """One snapshot: its table, the places of who is at stake, and the ordinal on which each of those left."""

    table: FactTable
    places: Integers
    left_on: Integers


async def look_back(
    connection: Connection, definition: ChurnDefinition, *, until: date, progress: Progress | None = None
) -> dict[str, Past]:
    """What each horizon of `definition` learns from, by what is certain on `until`. The facts of a day are read once."""
    tenure = definition.snapshots.minimum_tenure_days
    began = await find_first_day(connection)
    days_by = {
        horizon: _days(horizon, definition, began + timedelta(days=tenure), until) if began else []
        for horizon in definition.horizons
    }
    days = sorted(set().union(*days_by.values()))
    found = await find_churned(connection, until=until, grace_days=definition.grace_days)
    churns = Churns.of(found["customer_id"], found["churned_on"], [kind == "involuntary" for kind in found["kind"]])
    # by what the primary horizon may know: what happens on later days can't change its model
    known = days_by[definition.primary]
    product: list[str] = []
    if known:
        product = await find_product_features(connection, as_of=known[-1], most=definition.columns.product_features)
    snapshots: dict[date, _Day] = {}
    for number, day in enumerate(days, start=1):
        facts = await find_facts(connection, as_of=day)
        facts |= await find_product_use(connection, as_of=day, customers=facts["customer_id"], features=product)
        table = FactTable.of(day, facts)
        at_stake = await find_at_stake(connection, as_of=day, minimum_tenure_days=tenure)
        places = np.flatnonzero(np.isin(np.array(table.customers, dtype=np.str_), at_stake))
        snapshots[day] = _Day(table, places, churns.next(table.customers, day)[places])
        if progress:
            progress(day, number, len(days))
    encoding = Encoding.of([snapshots[day].table for day in known], texts=definition.columns.texts, product=product)
    matrices = {day: encoding.matrix(one.table)[one.places] for day, one in snapshots.items()}
    return {
        horizon: _past(horizon, definition, encoding, churns, until, {day: snapshots[day] for day in chosen}, matrices)
        for horizon, chosen in days_by.items()
    }


def _days(horizon: str, definition: ChurnDefinition, first: date, until: date) -> list[date]:
    """The snapshot days of a horizon that could have a row whose label is certain on `until`."""
    ahead = days_of(horizon)
    wait = 0 if ahead is None else definition.lead_days + ahead
    newest = until - timedelta(days=wait + definition.grace_days + 1)
    return snapshot_days(first=first, until=newest, months=definition.snapshots.history_months)


def _past(
    horizon: str,
    definition: ChurnDefinition,
    encoding: Encoding,
    churns: Churns,
    until: date,
    snapshots: dict[date, _Day],
    matrices: dict[date, Matrix],
) -> Past:
    """The rows of one horizon: of every day those who are at stake and whose label is certain."""
    certain = until.toordinal() - definition.grace_days - 1
    width = len(encoding.names)
    parts: list[tuple[npt.NDArray[np.generic], ...]] = [
        (
            np.empty((0, width), dtype=np.float32),
            np.empty(0, dtype=np.bool_),
            np.empty(0, dtype=np.str_),
            np.empty(0, dtype=np.int64),
            np.empty(0, dtype=np.int64),
            np.empty(0, dtype=np.str_),
            np.empty(0, dtype=np.int64),
        )
    ]
    for day, one in snapshots.items():
        names = np.array(one.table.customers, dtype=np.str_)[one.places]
        first, last = window(one.table.numbers["days_to_renewal"][one.places], day, horizon, definition)
        verdicts = outcomes(
            names.tolist(), day, churns, first=first, last=last, count_involuntary=definition.count_involuntary
        )
        kept = (verdicts != UNUSED) & (last <= certain)
        segments = np.array([one.table.texts["segment"][at] or "" for at in one.places[kept].tolist()], dtype=np.str_)
        on = np.full(int(kept.sum()), day.toordinal(), dtype=np.int64)
        parts.append(
            (matrices[day][kept], verdicts[kept] == CHURNED, names[kept], on, last[kept], segments, one.left_on[kept])
        )
    matrix, labels, ids, ordinals, ends, segments, left_on = (
        np.concatenate(column) for column in zip(*parts, strict=True)
    )
    customers, codes = np.unique(ids, return_inverse=True)
    rows = Rows(encoding.names, encoding.signs, matrix, labels, codes.astype(np.int64), ordinals, ends)
    filled = [day for day in snapshots if (ordinals == day.toordinal()).any()]
    return Past(rows, encoding, customers.tolist(), filled, Fates(segments, left_on))
