"""Customers and records put together by what they have in common, and what each group adds up to: one statement a question.

Money is never added across currencies. A customer's MRR is the fact of its newest scorecard; its currency is that of its
subscriptions that run today, and where they have several, or none, it counts as `unpriced` and is in no sum.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Literal

from sqlalchemy import ColumnElement, Float, String, Subquery, and_, case, cast, func, null, select

from hub.errors import RefusedError
from hub.model.conditions import Condition, Field
from hub.store.conditions import clause, column_of
from hub.store.facts.billing import running
from hub.store.query import Where
from hub.store.query.entities import ENTITIES
from hub.store.query.select import tests
from hub.store.store import Connection
from hub.store.tables import alert, customer, playbook_run, scorecard, subscription

Figure = Literal["health", "churn_risk", "churn_annualised"]
FIGURES: tuple[Figure, ...] = ("health", "churn_risk", "churn_annualised")
MOST_GROUPS = 5_000
"""A question that has more is refused: it asks for the customers themselves."""
Key = tuple[Any, ...]


@dataclass(slots=True)
class Spread:
    """Of a number in a group: how many have one, their sum, the least, the most, the middle one where it was asked for."""

    count: int = 0
    sum: float = 0.0
    minimum: float | None = None
    maximum: float | None = None
    median: float | None = None

    @property
    def average(self) -> float | None:
        return self.sum / self.count if self.count else None

    def take(self, count: int, sum_: float | None, low: float | None, high: float | None) -> None:
        self.count += count
        self.sum += sum_ or 0.0
        self.minimum = low if self.minimum is None or (low is not None and low < self.minimum) else self.minimum
        self.maximum = high if self.maximum is None or (high is not None and high > self.maximum) else self.maximum


@dataclass(frozen=True, slots=True)
class Money:
    """mrr: of the group's customers that pay in this currency, a month's."""

    currency: str
    customers: int
    mrr: float


@dataclass(frozen=True, slots=True, kw_only=True)
class CustomerGroup:
    """The customers that have `key` in common, in the order of the fields that were asked for."""

    key: Key
    count: int
    money: Sequence[Money]
    unpriced: int
    spreads: Mapping[Figure, Spread]


async def group_customers(
    connection: Connection,
    by: Sequence[Field],
    *,
    condition: Condition | None,
    book: str | None,
    today: date,
    medians: bool = False,
    sums: bool = True,
) -> list[CustomerGroup]:
    """The groups of customers by these fields (none: all are one), in no order. RefusedError for more than MOST_GROUPS.

    condition  which customers; it has been settled
    medians    work out those, too, which takes a sort of all customers
    sums       False: only how many there are, which reads no facts
    """
    chosen = _customers(by, condition=condition, book=book, today=today, medians=medians, sums=sums)
    keys = [chosen.c[f"key_{place}"] for place in range(len(by))]
    columns: list[ColumnElement[Any]] = [
        chosen.c.currency,
        func.count(),
        func.count(chosen.c.mrr),
        func.sum(chosen.c.mrr),
    ]
    for name in FIGURES:
        value = chosen.c[name]
        middle = _middle(chosen, name) if medians else cast(null(), Float)
        columns += [func.count(value), func.sum(value), func.min(value), func.max(value)]
        columns += [func.count(middle), func.sum(middle)]
    statement = select(*keys, *(column.label(f"column_{place}") for place, column in enumerate(columns)))
    statement = statement.group_by(*keys, chosen.c.currency).limit(MOST_GROUPS * 2 + 1)
    rows = (await connection.execute(statement)).all()
    found = _together([tuple(row) for row in rows], len(by))
    if len(rows) > MOST_GROUPS * 2 or len(found) > MOST_GROUPS:
        raise RefusedError(
            f"that is more than {MOST_GROUPS:,} groups: group by fewer fields, or choose fewer customers"
        )
    return found


def _customers(
    by: Sequence[Field], *, condition: Condition | None, book: str | None, today: date, medians: bool, sums: bool
) -> Subquery:
    """One row a customer: its keys, currency, MRR and figures; without `sums` nothing but its keys."""
    term = subscription.c
    pays = (
        select(
            term.customer_id,
            case((func.count(term.currency.distinct()) == 1, func.min(term.currency))).label("currency"),
        )
        .where(term.deleted.is_(False), term.customer_id.is_not(None), running(today))
        .group_by(term.customer_id)
        .subquery("pays")
    )
    newest = and_(scorecard.c.customer_id == customer.c.id, scorecard.c.latest)
    mrr = column_of(Field("mrr", "number"))
    keys = [column_of(field).label(f"key_{place}") for place, field in enumerate(by)]
    there = customer.outerjoin(scorecard, newest)
    if sums:
        figures = [
            case((mrr.is_not(None), pays.c.currency)).label("currency"),
            case((pays.c.currency.is_not(None), mrr)).label("mrr"),
            *(scorecard.c[name].label(name) for name in FIGURES),
        ]
        there = there.outerjoin(pays, pays.c.customer_id == customer.c.id)
    else:
        figures = [cast(null(), kind).label(name) for name, kind in (("currency", String), ("mrr", Float))]
        figures += [cast(null(), Float).label(name) for name in FIGURES]
    inner = select(*keys, *figures).select_from(there).where(customer.c.merged_into_id.is_(None))
    if book is not None:
        inner = inner.where(customer.c.csm_email == book)
    if condition is not None:
        inner = inner.where(clause(condition, today=today))
    rows = inner.subquery("customers")
    if not medians:
        return rows
    parts = [rows.c[f"key_{place}"] for place in range(len(by))]
    ranks: list[ColumnElement[Any]] = []
    for name in FIGURES:
        alike = [*parts, rows.c[name].is_(None)]
        ranks.append(func.row_number().over(partition_by=alike, order_by=rows.c[name]).label(f"{name}_rank"))
        ranks.append(func.count(rows.c[name]).over(partition_by=parts).label(f"{name}_of"))
    return select(*rows.c, *ranks).subquery("ranked")


def _middle(chosen: Subquery, name: Figure) -> ColumnElement[Any]:
    """The value where it is the middle one of its group, or one of the two."""
    rank, of, value = chosen.c[f"{name}_rank"], chosen.c[f"{name}_of"], chosen.c[name]
    return case((and_(value.is_not(None), rank * 2 >= of, rank * 2 <= of + 2), cast(value, Float)))


def _together(rows: Sequence[tuple[Any, ...]], keys: int) -> list[CustomerGroup]:
    """The rows of a group, one a currency, as one."""
    counts: dict[Key, int] = {}
    money: dict[Key, list[Money]] = {}
    priced: dict[Key, int] = {}
    spreads: dict[Key, dict[Figure, Spread]] = {}
    middles: dict[tuple[Key, Figure], tuple[int, float]] = {}
    for row in rows:
        key, (currency, count, payers, mrr), figures = row[:keys], row[keys : keys + 4], row[keys + 4 :]
        counts[key] = counts.get(key, 0) + count
        if currency is not None and payers:
            money.setdefault(key, []).append(Money(currency, payers, float(mrr)))
            priced[key] = priced.get(key, 0) + payers
        of_key = spreads.setdefault(key, {name: Spread() for name in FIGURES})
        for place, name in enumerate(FIGURES):
            some, sum_, low, high, halves, middle = figures[place * 6 : place * 6 + 6]
            of_key[name].take(some, sum_, low, high)
            number, total = middles.get((key, name), (0, 0.0))
            middles[key, name] = (number + halves, total + (middle or 0.0))
    for (key, name), (number, total) in middles.items():
        spreads[key][name].median = total / number if number else None
    return [
        CustomerGroup(
            key=key,
            count=count,
            money=sorted(money.get(key, ()), key=lambda each: each.currency),
            unpriced=count - priced.get(key, 0),
            spreads=spreads[key],
        )
        for key, count in counts.items()
    ]


_BESIDE: Mapping[tuple[str, str], ColumnElement[Any]] = {
    ("alert", "playbook"): select(playbook_run.c.playbook)
    .where(playbook_run.c.id == alert.c.run_id)
    .correlate(alert)
    .scalar_subquery()
}
"""{(entity, what it is grouped by): where that stands}, of what is no column of the entity."""


async def group_records(
    connection: Connection, entity_name: str, by: Sequence[str], *, where: Sequence[Where] = (), book: str | None
) -> list[tuple[Key, int]]:
    """(what they have in common, how many) of the rows of an entity by these columns, in no order."""
    entity = ENTITIES[entity_name]
    keys = [_BESIDE[entity_name, name] if (entity_name, name) in _BESIDE else entity.table.c[name] for name in by]
    keys = [key.label(f"key_{place}") for place, key in enumerate(keys)]
    statement = (
        select(*keys, func.count().label("rows"))
        .select_from(entity.table)
        .where(*tests(entity.table, entity.scope), *tests(entity.table, where), *entity.in_book(entity.table, book))
        .group_by(*keys)
        .limit(MOST_GROUPS + 1)
    )
    rows = [tuple(row) for row in await connection.execute(statement)]
    if len(rows) > MOST_GROUPS:
        raise RefusedError(f"that is more than {MOST_GROUPS:,} groups: group by fewer fields, or choose fewer")
    return [(row[:-1], int(row[-1])) for row in rows]
