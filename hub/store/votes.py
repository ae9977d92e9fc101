"""What people thought of what playbooks told them, and how the alerts ended that playbooks opened."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import case, func, select
from sqlalchemy.dialects import postgresql, sqlite

from hub.errors import NotFoundError
from hub.model.actions import AlertOutcome, AlertState
from hub.store.store import Connection
from hub.store.tables import alert, delivery, playbook_run, vote

CHANGED = ("useful", "note", "way", "voted_at")


@dataclass(frozen=True, slots=True, kw_only=True)
class Rated:
    """A run that people can vote on."""

    run_id: str
    playbook: str
    customer_id: str


async def get_rated(
    connection: Connection, *, run_id: str | None = None, alert_id: str | None = None, delivery_id: str | None = None
) -> Rated:
    """The run itself, or the one that opened the alert or made the message; NotFoundError."""
    wanted = select(playbook_run.c.id.label("run_id"), playbook_run.c.playbook, playbook_run.c.customer_id)
    if alert_id is not None:
        told = f"no playbook opened an alert {alert_id!r}"
        wanted = wanted.join(alert, alert.c.run_id == playbook_run.c.id).where(alert.c.id == alert_id)
    elif delivery_id is not None:
        told = f"no playbook made a message {delivery_id!r}"
        wanted = wanted.join(delivery, delivery.c.run_id == playbook_run.c.id).where(delivery.c.id == delivery_id)
    else:
        told = f"there is no run {run_id!r}"
        wanted = wanted.where(playbook_run.c.id == run_id)
    row = (await connection.execute(wanted)).mappings().one_or_none()
    if row is None:
        raise NotFoundError(told)
    return Rated(**row)


async def put(connection: Connection, row: Mapping[str, Any]) -> None:
    """A person's vote on a run; a later one takes the place of the earlier."""
    insert = sqlite.insert(vote) if connection.dialect.name == "sqlite" else postgresql.insert(vote)
    statement = insert.on_conflict_do_update(
        index_elements=[vote.c.run_id, vote.c.voter],
        set_={name: insert.excluded[name] for name in CHANGED},
        where=vote.c.voted_at <= insert.excluded.voted_at,
    )
    await connection.execute(statement, [dict(row)])


@dataclass(frozen=True, slots=True)
class Counted:
    """Of so many, so many were good."""

    good: int
    of: int


async def count_votes(connection: Connection, *, since: datetime | None, until: datetime | None) -> dict[str, Counted]:
    """{playbook: votes, the useful ones of all}, by when they were cast."""
    useful = func.sum(case((vote.c.useful.is_(True), 1), else_=0))
    statement = select(vote.c.playbook, useful, func.count()).group_by(vote.c.playbook)
    if since is not None:
        statement = statement.where(vote.c.voted_at >= since)
    if until is not None:
        statement = statement.where(vote.c.voted_at < until)
    return {row[0]: Counted(int(row[1]), int(row[2])) for row in await connection.execute(statement)}


async def count_outcomes(
    connection: Connection, *, since: datetime | None, until: datetime | None
) -> dict[str, Counted]:
    """{playbook: its alerts and tasks closed as success, of those closed as success or invalid}, by when they were closed."""
    good = func.sum(case((alert.c.outcome == AlertOutcome.SUCCESS.value, 1), else_=0))
    telling = [AlertOutcome.SUCCESS.value, AlertOutcome.INVALID.value]
    statement = (
        select(playbook_run.c.playbook, good, func.count())
        .join(playbook_run, playbook_run.c.id == alert.c.run_id)
        .where(alert.c.state == AlertState.CLOSED.value, alert.c.outcome.in_(telling))
        .group_by(playbook_run.c.playbook)
    )
    if since is not None:
        statement = statement.where(alert.c.closed_at >= since)
    if until is not None:
        statement = statement.where(alert.c.closed_at < until)
    return {row[0]: Counted(int(row[1]), int(row[2])) for row in await connection.execute(statement)}
