"""The training set: monthly snapshots of facts as they were known, read once, with the labels of every horizon.

    history = await look_back(connection, definition, until=today)      reads every day once
    past = history.past("90d")                                          what one horizon learns from; one at a time

A snapshot is one `find_facts`, hence as correct about the past as a scorecard. Rows are customers who pay on the day, have
done so for a while and have not given notice; `hub.store.labels` says who of them left. A label is used once it is certain:
when its last day, and the grace in which a customer could come back, are over. Until then it is unknown, and not a no.

Of a day the columns of a matrix are kept, and not its facts: those of two years of a large book do not fit into memory. Where
that would still be more than MOST_ROWS rows, some of the customers are learned from, on all of their days: always the same
ones, chosen by their id, so that a model does not change because others were drawn.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from hashlib import blake2b

import numpy as np

from hub.store import Connection
from hub.store.facts import find_facts, find_product_features, find_product_use
from hub.store.labels import find_at_stake, find_churned, find_first_day
from scoring.churn_definition import ChurnDefinition
from scoring.encoding import Encoding
from scoring.evaluation import Flags, Integers
from scoring.facts import FactTable, Floats
from scoring.features import Feature, of_text
from scoring.horizon import days_of
from scoring.learner import Matrix, Rows
from scoring.outcomes import CHURNED, NEVER, UNUSED, Churns, outcomes, window
from scoring.training import Fates, snapshot_days

Progress = Callable[[date, int, int], None]
MOST_ROWS = 400_000
"""Of 300,000 rows one fit of 300 trees takes most of a minute on one thread (measured), and a horizon is some fifteen fits."""


@dataclass(frozen=True, slots=True)
class Past:
    """What one horizon learns from: rows, what made their columns, the customers their codes stand for, and their fates.

    pending  rows of the same days and columns whose label is not certain yet: who renews later than can be known. Nothing is
             learned from them; what those days were like would be told wrong without them. Their codes stand for
             pending_customers
    share    of the customers who are in it, where they were too many
    """

    rows: Rows
    encoding: Encoding
    customers: Sequence[str]
    days: Sequence[date]
    fates: Fates
    pending: Rows
    pending_customers: Sequence[str]
    share: float


@dataclass(frozen=True, slots=True)
class _Day:
    """One snapshot's customers at stake: ids, columns of numbers, texts, days to renewal, and when each of them left."""

    day: date
    ids: Sequence[str]
    matrix: Matrix
    texts: FactTable
    due: Floats
    left_on: Integers


async def look_back(
    connection: Connection, definition: ChurnDefinition, *, until: date, progress: Progress | None = None
) -> "History":
    """What the horizons of `definition` learn from, by what is certain on `until`. The facts of a day are read once."""
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
    share = 1.0
    if known:
        product = await find_product_features(connection, as_of=known[-1], most=definition.columns.product_features)
        people = await find_at_stake(connection, as_of=known[-1], minimum_tenure_days=tenure)
        share = min(1.0, MOST_ROWS / max(1, len(known) * len(people)))
    numbers = Encoding({}, product)
    same: dict[str, str] = {}  # every day brings its ids and texts anew
    told: list[FactTable] = []
    snapshots: dict[date, _Day] = {}
    for number, day in enumerate(days, start=1):
        facts = await find_facts(connection, as_of=day)
        facts |= await find_product_use(connection, as_of=day, customers=facts["customer_id"], features=product)
        table = FactTable.of(day, facts)
        at_stake = await find_at_stake(connection, as_of=day, minimum_tenure_days=tenure)
        places = np.flatnonzero(np.isin(np.array(table.customers, dtype=np.str_), drawn(at_stake, share)))
        everybody = _texts(table, range(len(table)), same)
        if day in known:
            told.append(everybody)
        chosen = _texts(table, places.tolist(), same)
        snapshots[day] = _Day(
            day=day,
            ids=chosen.customers,
            matrix=numbers.matrix(table)[places],
            texts=chosen,
            due=table.numbers["days_to_renewal"][places],
            left_on=churns.next(chosen.customers, day),
        )
        if progress:
            progress(day, number, len(days))
    encoding = Encoding.of(told, texts=definition.columns.texts, product=product)
    return History(definition, until, churns, encoding, numbers, snapshots, days_by, share)


def drawn(ids: Sequence[str], share: float) -> list[str]:
    """About that share of `ids`, the same ones however often and whoever else is there; more for a larger share."""
    return [id_ for id_ in ids if int.from_bytes(blake2b(id_.encode(), digest_size=4).digest()) < share * 2**32]


def _texts(table: FactTable, places: Iterable[int], same: dict[str, str]) -> FactTable:
    """Customers and texts of a table alone, each string once in memory."""
    places = list(places)

    def one(text: str | None) -> str | None:
        return None if text is None else same.setdefault(text, text)

    texts = {name: [one(column[place]) for place in places] for name, column in table.texts.items()}
    return FactTable(
        table.as_of, [same.setdefault(id_, id_) for id_ in map(table.customers.__getitem__, places)], {}, texts
    )


def _days(horizon: str, definition: ChurnDefinition, first: date, until: date) -> list[date]:
    """The snapshot days of a horizon that could have a row whose label is certain on `until`."""
    ahead = days_of(horizon)
    wait = 0 if ahead is None else definition.lead_days + ahead
    newest = until - timedelta(days=wait + definition.grace_days + 1)
    return snapshot_days(first=first, until=newest, months=definition.snapshots.history_months)


@dataclass(frozen=True, slots=True)
class _Part:
    """The rows of a day: which of its customers, and what became of them."""

    of: _Day
    kept: Flags
    labels: Flags
    ends: Integers


@dataclass(frozen=True, slots=True)
class History:
    """All the days, and what each horizon makes of them."""

    _definition: ChurnDefinition
    _until: date
    _churns: Churns
    _encoding: Encoding
    _numbers: Encoding
    _snapshots: Mapping[date, _Day]
    _days_by: Mapping[str, Sequence[date]]
    _share: float

    @property
    def horizons(self) -> list[str]:
        return list(self._days_by)

    def past(self, horizon: str) -> Past:
        """The rows of one horizon: of every day those who are at stake and whose label is certain."""
        certain = self._until.toordinal() - self._definition.grace_days - 1
        parts, pending = [], []
        for day in self._days_by[horizon]:
            one = self._snapshots[day]
            first, last = window(one.due, day, horizon, self._definition)
            verdicts = outcomes(
                one.ids,
                day,
                self._churns,
                first=first,
                last=last,
                count_involuntary=self._definition.count_involuntary,
            )
            used = verdicts != UNUSED
            parts.append(_Part(one, used & (last <= certain), verdicts == CHURNED, last))
            pending.append(_Part(one, used & (last > certain) & (last != NEVER), verdicts == CHURNED, last))
        encoding, whole = self._encoding, self._matrix(parts)
        telling = encoding.telling(whole)
        rows, customers = self._rows(parts, telling, whole[:, encoding.places(telling)])
        waiting, waiting_customers = self._rows(pending, telling, self._matrix(pending)[:, encoding.places(telling)])
        segments = [
            part.of.texts.texts["segment"][at] or "" for part in parts for at in np.flatnonzero(part.kept).tolist()
        ]
        left_on = _joined([part.of.left_on[part.kept] for part in parts])
        return Past(
            rows=rows,
            encoding=telling,
            customers=customers,
            days=[part.of.day for part in parts if part.kept.any()],
            fates=Fates(np.array(segments, dtype=np.str_), left_on),
            pending=waiting,
            pending_customers=waiting_customers,
            share=self._share,
        )

    def _matrix(self, parts: Sequence[_Part]) -> Matrix:
        """All columns of the rows."""
        result = np.empty((sum(int(part.kept.sum()) for part in parts), len(self._encoding.names)), dtype=np.float32)
        at = {name: place for place, name in enumerate(self._numbers.names)}
        texts: dict[str, Feature] = {
            f"{name}={text}": of_text(name, text) for name, all_ in self._encoding.categories.items() for text in all_
        }
        start = 0
        for part in parts:
            stop = start + int(part.kept.sum())
            for place, name in enumerate(self._encoding.names):
                column = part.of.matrix[:, at[name]] if name in at else texts[name].derive(part.of.texts)
                result[start:stop, place] = column[part.kept]
            start = stop
        return result

    def _rows(self, parts: Sequence[_Part], encoding: Encoding, matrix: Matrix) -> tuple[Rows, list[str]]:
        ids = [id_ for part in parts for id_, kept in zip(part.of.ids, part.kept.tolist(), strict=True) if kept]
        customers, codes = np.unique(np.array(ids, dtype=np.str_), return_inverse=True)
        labels = np.concatenate([np.empty(0, dtype=np.bool_), *(part.labels[part.kept] for part in parts)])
        days = [np.full(int(part.kept.sum()), part.of.day.toordinal(), dtype=np.int64) for part in parts]
        ends = _joined([part.ends[part.kept] for part in parts])
        made = Rows(encoding.names, encoding.signs, matrix, labels, codes.astype(np.int64), _joined(days), ends)
        return made, customers.tolist()


def _joined(columns: Sequence[Integers]) -> Integers:
    return np.concatenate([np.empty(0, dtype=np.int64), *columns])
