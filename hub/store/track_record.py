"""What became of customers after their stored scorecards: counted by the database, by band and score and by leaving.

    counts = await count_outcomes(connection, hashes=…, days=…, …)   customer-days by band, bucket of score and outcome
    bands = await find_bands(connection, ids, days, hashes=…)        what the scorecards of some customers said

A scorecard counts where its customer was at stake on the day (hub.store.labels) and the horizon after it is over.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from sqlalchemy import Integer, and_, case, cast, func, literal, or_, select, union_all

from hub.model.records import CancellationKind
from hub.store.labels import at_stake, churns, paid
from hub.store.store import Connection
from hub.store.tables import scorecard, subscription

BUCKETS = 1_000
"""Scores are counted in so many steps."""
BATCH = 1_000


@dataclass(frozen=True, slots=True)
class Counted:
    """`rows` customer-days of a band and a bucket of score (None: no score); `left` of them left within the horizon."""

    band: str | None
    bucket: int | None
    rows: int
    left: int


async def find_first_scored_days(connection: Connection, spans: Sequence[tuple[date, date]]) -> list[date]:
    """The first day with scorecards in each span [first, after): one step into the index for each."""
    parts = [
        select(func.min(scorecard.c.as_of).label("day")).where(scorecard.c.as_of >= first, scorecard.c.as_of < after)
        for first, after in spans
    ]
    if not parts:
        return []
    return sorted(day for day in (await connection.execute(union_all(*parts))).scalars() if day is not None)


async def count_outcomes(
    connection: Connection,
    *,
    hashes: Sequence[str],
    days: Sequence[date],
    until: date,
    grace_days: int,
    lead_days: int,
    horizon_days: int,
    minimum_tenure_days: int,
    count_involuntary: bool,
) -> list[Counted]:
    """Customer-days of `days`, every horizon of which is over by `until`.

    Who left within the lead is in no count; nor, where failed payments are not counted, who was lost to one within the horizon.
    """
    counts: dict[tuple[str | None, int | None], list[int]] = {}
    card = scorecard.c
    for day in days:
        left = churns(connection, until=until, grace_days=grace_days).subquery()
        near = (
            select(
                left.c.customer_id,
                func.min(left.c.churned_on).label("left_on"),
                func.min(case((left.c.involuntary == 0, left.c.churned_on))).label("chosen_on"),
            )
            .where(left.c.churned_on > day)
            .group_by(left.c.customer_id)
            .subquery()
        )
        staked = at_stake(as_of=day, minimum_tenure_days=minimum_tenure_days).subquery()
        gone = and_(near.c.left_on.is_not(None), near.c.left_on <= day + timedelta(days=horizon_days))
        bucket = cast(func.round(card.computed_health * BUCKETS), Integer)
        statement = (
            select(
                card.computed_band.label("band"),
                bucket.label("bucket"),
                func.count().label("rows"),
                func.sum(case((gone, 1), else_=0)).label("left"),
            )
            .select_from(scorecard)
            .join(staked, staked.c.customer_id == card.customer_id)
            .outerjoin(near, near.c.customer_id == card.customer_id)
            .where(
                card.as_of == day,
                card.definition_hash.in_(hashes),
                or_(near.c.left_on.is_(None), near.c.left_on > day + timedelta(days=lead_days)),
                or_(~gone, near.c.left_on == near.c.chosen_on, literal(count_involuntary)),
            )
            .group_by(card.computed_band, bucket)
        )
        for row in await connection.execute(statement):
            count = counts.setdefault((row.band, row.bucket), [0, 0])
            count[0] += row.rows
            count[1] += row.left
    return [Counted(band, bucket, rows, gone) for (band, bucket), (rows, gone) in counts.items()]


async def find_notices(connection: Connection, *, since: date) -> dict[tuple[str, date], date]:
    """{(customer, day its paid terms ended): day of notice}, of terms ended since, where notice was given for all of them."""
    term = subscription.c
    noticed = case((func.coalesce(term.cancellation_kind, "") != CancellationKind.CONTRACTION.value, term.cancelled_at))
    statement = (
        select(term.customer_id, term.ended_on, func.max(noticed).label("noticed_at"))
        .where(term.customer_id.is_not(None), paid(term), term.ended_on >= since)
        .group_by(term.customer_id, term.ended_on)
        .having(func.count(noticed) == func.count())
    )
    rows = await connection.execute(statement)
    return {(row.customer_id, row.ended_on): row.noticed_at.date() for row in rows}


async def find_bands(
    connection: Connection, customer_ids: Sequence[str], days: Sequence[date], *, hashes: Sequence[str]
) -> list[tuple[str, date, str | None]]:
    """(customer, day, computed band or None) of the scorecards of these definitions, on these days."""
    card = scorecard.c
    found: list[tuple[str, date, str | None]] = []
    for start in range(0, len(customer_ids), BATCH):
        ids = customer_ids[start : start + BATCH]
        statement = select(card.customer_id, card.as_of, card.computed_band).where(
            card.customer_id.in_(ids), card.as_of.in_(days), card.definition_hash.in_(hashes)
        )
        found += [(row.customer_id, row.as_of, row.computed_band) for row in await connection.execute(statement)]
    return sorted(found, key=lambda each: each[:2])
