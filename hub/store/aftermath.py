"""What has become of the customers a playbook did something for, whether or not anybody was held out."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from sqlalchemy import JSON, Select, func, select, type_coerce

from hub.store.store import Connection
from hub.store.tables import lifecycle, playbook_run, scorecard

HELD_OUT = "held_out"
STANDING = ("onboarding_state", "watch_level", "churn_level", "renewal_status", "advocacy")
"""Texts of the lifecycle that say how something ended, or stands."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Treated:
    """A customer, the day of its first run of a playbook, and its health by the scorecard that run began with."""

    customer_id: str
    on: date
    health: float | None


async def find_treated(connection: Connection, *, playbook: str) -> list[Treated]:
    """Each customer once, in order of its first run; those held out are left out."""
    run = playbook_run.c
    health = type_coerce(run.facts, JSON)["health"].as_float().label("health")
    statement = (
        select(run.customer_id, run.started_at, health)
        .where(run.playbook == playbook, run.state != HELD_OUT)
        .order_by(run.started_at, run.id)
    )
    found: dict[str, Treated] = {}
    for row in await connection.execute(statement):
        made = Treated(customer_id=row.customer_id, on=row.started_at.date(), health=row.health)
        found.setdefault(row.customer_id, made)
    return list(found.values())


async def find_health(connection: Connection, *, playbook: str, on: date, first: date, last: date) -> dict[str, float]:
    """{customer id: health by its first scorecard with one from `first` to `last`}, of those whose run began `on` a day."""
    card, begin = scorecard.c, datetime.combine(on, time.min, UTC)
    statement = (
        select(card.customer_id, card.health)
        .where(
            card.customer_id.in_(_customers(playbook, begin, begin + timedelta(days=1))),
            card.as_of >= first,
            card.as_of <= last,
            card.health.is_not(None),
        )
        .order_by(card.as_of)
    )
    found: dict[str, float] = {}
    for row in await connection.execute(statement):
        found.setdefault(row.customer_id, row.health)
    return found


async def count_standing(connection: Connection, fields: Sequence[str], *, playbook: str) -> dict[str, dict[str, int]]:
    """{field of the lifecycle: {what it says now: how many treated customers}}, but for those of whom it says nothing."""
    found: dict[str, dict[str, int]] = {}
    for name in fields:
        column = lifecycle.c[name]
        statement = (
            select(column, func.count())
            .where(column.is_not(None), lifecycle.c.customer_id.in_(_customers(playbook)))
            .group_by(column)
            .order_by(func.count().desc(), column)
        )
        found[name] = {row[0]: row[1] for row in await connection.execute(statement)}
    return found


def _customers(playbook: str, begin: datetime | None = None, end: datetime | None = None) -> Select[str]:
    run = playbook_run.c
    chosen = select(run.customer_id).where(run.playbook == playbook, run.state != HELD_OUT)
    if begin is not None and end is not None:
        chosen = chosen.where(run.started_at >= begin, run.started_at < end)
    return chosen
