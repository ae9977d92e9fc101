"""What the health watch reads and remembers: each customer's newest score, and where its levels stood after the one before.

`find_watched` is one statement over everybody; only what changed is written back.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

from sqlalchemy import Column, ScalarSelect, delete, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite

from hub.store.daily import BATCH, batches
from hub.store.store import Connection
from hub.store.tables import lifecycle, scorecard, watch

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
DAY = 24 * 3_600 * 1_000_000
REMEMBERED = tuple(column.name for column in watch.columns)
FIELDS = ("watch_level", "watch_days", "churn_level", "churn_days")
"""The columns of `lifecycle` that the watch keeps."""


@dataclass(frozen=True, slots=True)
class Watched:
    """Columns over the customers that have a newest scorecard, in order of their ids.

    health, churn  in force, and annualised; None where there is none
    churn_band     "noticed" of who is leaving
    computed_at    when the scorecard was made
    memory         {column of the table `watch`: values}; all None of who is new
    known          whether the customer was watched before
    stands         {column of the table `lifecycle`: values}
    """

    customers: list[str]
    as_of: list[date]
    health: list[float | None]
    churn: list[float | None]
    churn_band: list[str | None]
    computed_at: list[datetime]
    memory: Mapping[str, list[Any]]
    known: list[bool]
    stands: Mapping[str, list[Any]]


@dataclass(frozen=True, slots=True)
class Scored:
    """A day's scores of some customers, as columns."""

    customers: list[str]
    health: list[float | None]
    churn: list[float | None]
    churn_band: list[str | None]


_SCORES = (scorecard.c.health, scorecard.c.churn_annualised, scorecard.c.churn_band)


async def find_watched(connection: Connection) -> Watched:
    memory = [watch.c[name] for name in REMEMBERED[1:]]
    stands = [lifecycle.c[name].label(f"stands_{name}") for name in FIELDS]
    statement = (
        select(
            scorecard.c.customer_id,
            scorecard.c.as_of,
            *_SCORES,
            scorecard.c.computed_at,
            watch.c.customer_id.label("watched"),
            *memory,
            *stands,
        )
        .outerjoin_from(scorecard, watch, watch.c.customer_id == scorecard.c.customer_id)
        .outerjoin(lifecycle, lifecycle.c.customer_id == scorecard.c.customer_id)
        .where(scorecard.c.latest)
        .order_by(scorecard.c.customer_id)
    )
    width = 7 + len(memory) + len(stands)
    columns: list[list[Any]] = [[] for _ in range(width)]
    result = await connection.stream(statement)
    async for rows in result.partitions(20_000):
        for column, values in zip(columns, zip(*rows, strict=True), strict=True):
            column.extend(values)
    customers, as_of, health, churn, churn_band, computed_at, watched = columns[:7]
    return Watched(
        customers=customers,
        as_of=as_of,
        health=health,
        churn=churn,
        churn_band=churn_band,
        computed_at=computed_at,
        memory=dict(zip(REMEMBERED[1:], columns[7 : 7 + len(memory)], strict=True)),
        known=[each is not None for each in watched],
        stands=dict(zip(FIELDS, columns[7 + len(memory) :], strict=True)),
    )


async def find_left(connection: Connection) -> list[str]:
    """Customers that were watched, or have a level, and have no newest scorecard any more."""
    is_scored = (
        select(scorecard.c.id).where(scorecard.c.latest, scorecard.c.customer_id == watch.c.customer_id).exists()
    )
    has_level = or_(lifecycle.c.watch_level.is_not(None), lifecycle.c.churn_level.is_not(None))
    stands = select(scorecard.c.id).where(scorecard.c.latest, scorecard.c.customer_id == lifecycle.c.customer_id)
    statement = select(watch.c.customer_id).where(~is_scored)
    other = select(lifecycle.c.customer_id).where(has_level, ~stands.exists())
    return sorted((await connection.execute(statement.union(other))).scalars())


async def find_scored_day(connection: Connection, day: date, *, customer_ids: Sequence[str]) -> Scored:
    """The scores of a past day, of those asked for; of many, everybody's."""
    statement = select(scorecard.c.customer_id, *_SCORES).where(scorecard.c.as_of == day)
    if len(customer_ids) <= BATCH:
        statement = statement.where(scorecard.c.customer_id.in_(customer_ids))
    rows = (await connection.execute(statement.order_by(scorecard.c.customer_id))).all()
    columns: Sequence[Sequence[Any]] = list(zip(*rows, strict=True)) or [(), (), (), ()]
    return Scored(*(list(column) for column in columns))


async def remember(connection: Connection, rows: Sequence[Mapping[str, Any]]) -> None:
    """Write rows of the table `watch`, each with all its columns."""
    if not rows:
        return
    insert = sqlite.insert(watch) if connection.dialect.name == "sqlite" else postgresql.insert(watch)
    changed = {name: insert.excluded[name] for name in REMEMBERED if name != "customer_id"}
    statement = insert.on_conflict_do_update(index_elements=[watch.c.customer_id], set_=changed)
    await connection.execute(statement, list(rows))


async def count_days(connection: Connection, *, now: datetime) -> None:
    """How many whole days everybody's levels have lasted, in one statement."""
    at = (now - EPOCH) // timedelta(microseconds=1)

    def lasted(since: Column[Any]) -> ScalarSelect[Any]:
        days = select((at - since) // DAY).where(watch.c.customer_id == lifecycle.c.customer_id)
        return days.correlate(lifecycle).scalar_subquery()

    statement = update(lifecycle).where(lifecycle.c.customer_id.in_(select(watch.c.customer_id)))
    days = {"watch_days": lasted(watch.c.health_since), "churn_days": lasted(watch.c.churn_since)}
    await connection.execute(statement.values(**days, updated_at=now))


async def forget(connection: Connection, customer_ids: Iterable[str]) -> None:
    """Forget customers that left."""
    for ids in batches(customer_ids):
        await connection.execute(delete(watch).where(watch.c.customer_id.in_(ids)))


async def forget_all(connection: Connection) -> bool:
    """Forget everybody; return whether there was anybody."""
    return (await connection.execute(delete(watch))).rowcount > 0
