"""Days on which customers were scored, and the health in force of everybody on them."""

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any

from sqlalchemy import func, literal, select, union_all

from hub.store.store import Connection
from hub.store.tables import customer, scorecard

LOOK_BACK = timedelta(days=14)
"""A day nobody was scored on counts by the newest of so many days before."""


async def find_scored_days(connection: Connection, days: Sequence[date]) -> dict[date, date]:
    """{day: the newest day up to it on which anybody was scored}; a day with none within `LOOK_BACK` is not in it."""
    if not days:
        return {}
    row = scorecard.c
    wanted = [
        select(
            literal(place).label("place"),
            select(func.max(row.as_of)).where(row.as_of <= day, row.as_of > day - LOOK_BACK).scalar_subquery(),
        )
        for place, day in enumerate(days)
    ]
    found = await connection.execute(union_all(*wanted))
    return {days[place]: scored for place, scored in found if scored is not None}


async def find_health(connection: Connection, days: Sequence[date]) -> dict[date, list[Any]]:
    """{day: (customer id, health or None, coverage, the scorecard's day) of everybody scored on it or shortly before}."""
    scored = await find_scored_days(connection, days)
    row = scorecard.c
    statement = (
        select(row.customer_id, row.health, row.coverage, row.as_of)
        .join(customer, customer.c.id == row.customer_id)
        .where(row.as_of.in_(sorted(set(scored.values()))), customer.c.merged_into_id.is_(None))
        .order_by(row.customer_id)
    )
    of_day: dict[date, list[Any]] = {}
    for each in await connection.execute(statement):
        of_day.setdefault(each.as_of, []).append(each)
    return {day: of_day[found] for day, found in scored.items()}


async def find_bands(connection: Connection, days: Sequence[date]) -> dict[date, dict[tuple[str | None, str], int]]:
    """{day: {(csm_email, band or "no score"): customers}} of the days on or shortly before `days`."""
    scored = sorted(set((await find_scored_days(connection, days)).values()))
    row = scorecard.c
    band = func.coalesce(row.band, "no score")
    statement = (
        select(row.as_of, customer.c.csm_email, band, func.count())
        .join(customer, customer.c.id == row.customer_id)
        .where(row.as_of.in_(scored), customer.c.merged_into_id.is_(None))
        .group_by(row.as_of, customer.c.csm_email, band)
    )
    made: dict[date, dict[tuple[str | None, str], int]] = {day: {} for day in scored}
    for day, csm, name, count in await connection.execute(statement):
        made[day][csm, name] = count
    return made
