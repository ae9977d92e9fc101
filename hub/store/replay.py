"""Stored scorecards read back a day at a time, column by column: the facts as they were, and what was made of them.

    async for day in read_days(connection, days): …        days in order, one in memory at a time
    before = await find_known_then(connection, ids, as_of=day)   the readings each card's maker could look back on

A scorecard of a past day keeps the facts it was computed from, so a replay needs no records to be as they were.
"""

from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from sqlalchemy import func, select

from hub.store.store import Connection
from hub.store.tables import churn_model, churn_prediction, customer, scorecard

PARTITION = 5_000
_CHURN = ("churn_risk", "churn_annualised", "churn_band")


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredDay:
    """The scorecards of a day as columns, ordered by customer.

    facts        {fact: values of float | str | None}; only those that every card of the day has
    health, band  as computed, before any override; None where withheld
    churn        {churn_risk, churn_annualised, churn_band: values}
    hashes       of the definitions that made them
    """

    as_of: date
    customers: list[str]
    facts: dict[str, list[Any]] = field(repr=False)
    health: list[float | None] = field(repr=False)
    band: list[str | None] = field(repr=False)
    coverage: list[float] = field(repr=False)
    churn: Mapping[str, list[Any]] = field(repr=False)
    hashes: list[str] = field(repr=False)


async def find_stored_days(connection: Connection, *, first: date, last: date) -> list[date]:
    """The days from `first` to `last` that have scorecards, oldest first: one step into the index for each."""
    found: list[date] = []
    day: date | None = first
    while day is not None:
        later = scorecard.c.as_of > found[-1] if found else scorecard.c.as_of >= first
        statement = select(func.min(scorecard.c.as_of)).where(later, scorecard.c.as_of <= last)
        day = (await connection.execute(statement)).scalar()
        if day is not None:
            found.append(day)
    return found


async def read_days(connection: Connection, days: Iterable[date]) -> AsyncIterator[StoredDay]:
    """The scorecards of each day, in the order given."""
    for day in days:
        yield await read_day(connection, day)


async def read_day(connection: Connection, day: date) -> StoredDay:
    """The scorecards of a day; none: empty columns."""
    names = ("customer_id", "computed_health", "computed_band", "coverage", "definition_hash", *_CHURN)
    own = [scorecard.c[name] for name in names]
    statement = select(*own, scorecard.c.facts).where(scorecard.c.as_of == day).order_by(scorecard.c.customer_id)
    columns: dict[str, list[Any]] = {name: [] for name in names}
    facts: dict[str, list[Any]] | None = None
    result = await connection.stream(statement)
    async for rows in result.partitions(PARTITION):
        for name in names:
            columns[name] += [row._mapping[name] for row in rows]
        kept = [row.facts for row in rows]
        shared = set(kept[0]).intersection(*kept)
        if facts is None:
            facts = {name: [] for name in kept[0] if name in shared}
        facts = {name: column + [each[name] for each in kept] for name, column in facts.items() if name in shared}
    return StoredDay(
        as_of=day,
        customers=columns["customer_id"],
        facts=facts or {},
        health=columns["computed_health"],
        band=columns["computed_band"],
        coverage=columns["coverage"],
        churn={name: columns[name] for name in _CHURN},
        hashes=columns["definition_hash"],
    )


async def find_known_then(
    connection: Connection, customer_ids: Sequence[str], *, as_of: date
) -> dict[str, tuple[date, Sequence[Mapping[str, Any]]]]:
    """{customer id: (day, readings) of its newest earlier scorecard that was there when that of `as_of` was computed}.

    A day that was filled in afterwards was not there for the days after it.
    """
    found: dict[str, tuple[date, Sequence[Mapping[str, Any]]]] = {}
    own, earlier = scorecard.alias("own"), scorecard.alias("earlier")
    newest = (
        select(earlier.c.id)
        .where(
            earlier.c.customer_id == own.c.customer_id,
            earlier.c.as_of < as_of,
            earlier.c.computed_at <= own.c.computed_at,
        )
        .order_by(earlier.c.as_of.desc())
        .limit(1)
        .correlate(own)
        .scalar_subquery()
    )
    for start in range(0, len(customer_ids), PARTITION):
        ids = customer_ids[start : start + PARTITION]
        statement = (
            select(scorecard.c.customer_id, scorecard.c.as_of, scorecard.c.readings)
            .join_from(own, scorecard, scorecard.c.id == newest)
            .where(own.c.customer_id.in_(ids), own.c.as_of == as_of)
        )
        for row in await connection.execute(statement):
            found[row.customer_id] = (row.as_of, row.readings)
    return found


@dataclass(frozen=True, slots=True)
class LateModel:
    """A churn prediction that was made for a day by a model trained after it."""

    customer_id: str
    as_of: date
    model_version: str
    trained_at: datetime
    probability: float | None


async def find_late_model(connection: Connection, *, first: date, last: date) -> LateModel | None:
    """One prediction for the days from `first` to `last` whose model had seen what came later; None where there is none."""
    predicted = churn_prediction.c
    models = select(churn_model.c.version, churn_model.c.trained_at).where(churn_model.c.kind != "prior")
    for model in (await connection.execute(models.order_by(churn_model.c.version))).all():
        statement = (
            select(predicted.customer_id, predicted.as_of, predicted.probability)
            .where(
                predicted.model_version == model.version,
                predicted.main,
                predicted.as_of >= first,
                predicted.as_of <= last,
                predicted.as_of < model.trained_at.date(),
            )
            .order_by(predicted.as_of, predicted.customer_id)
            .limit(1)
        )
        row = (await connection.execute(statement)).first()
        if row is not None:
            return LateModel(row.customer_id, row.as_of, model.version, model.trained_at, row.probability)
    return None


async def find_profiles(connection: Connection, fields: Sequence[str]) -> dict[str, dict[str, Any]]:
    """{customer id: {field: value}} of everybody, as it is today."""
    statement = select(customer.c.id, *(customer.c[name] for name in fields))
    return {row.id: {name: row._mapping[name] for name in fields} for row in await connection.execute(statement)}
