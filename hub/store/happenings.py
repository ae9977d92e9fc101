"""What happened within a stretch of time, and how things stand after it: for people who look at a day or a month as a whole."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Column, Table, func, select

from hub.model.actions import DeliveryState
from hub.store.store import Connection
from hub.store.tables import alert, approval, customer, delivery, onboarding, playbook_run, renewal


@dataclass(frozen=True, slots=True, kw_only=True)
class Happened:
    """How many of each, from one moment to another."""

    customers: int
    runs: int
    opened: int
    closed: int
    tasks: int
    messages: int
    answered: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """How things stand: {state: how many}, and of messages {(channel, state or why it was held): how many}."""

    onboardings: Mapping[str, int]
    alerts: Mapping[str, int]
    outcomes: Mapping[str, int]
    tasks: Mapping[str, int]
    approvals: Mapping[str, int]
    renewals: Mapping[str, int]
    runs: Mapping[str, int]
    messages: Mapping[tuple[str, str], int]
    held: Mapping[str, int]
    digests: int


async def find_happened(connection: Connection, *, since: datetime, until: datetime) -> Happened:
    """From `since` on, before `until`."""

    async def count(table: Table, moment: Column[datetime], **equal: str) -> int:
        statement = select(func.count()).select_from(table).where(moment >= since, moment < until)
        for name, value in equal.items():
            statement = statement.where(table.c[name] == value)
        return (await connection.execute(statement)).scalar_one()

    return Happened(
        customers=await count(customer, customer.c.created_at),
        runs=await count(playbook_run, playbook_run.c.started_at),
        opened=await count(alert, alert.c.opened_at, kind="alert"),
        closed=await count(alert, alert.c.closed_at, kind="alert"),
        tasks=await count(alert, alert.c.opened_at, kind="task"),
        messages=await count(delivery, delivery.c.confirmed_at),
        answered=await count(approval, approval.c.decided_at),
    )


async def find_standing(connection: Connection) -> Standing:
    async def by(column: Column[str], **equal: str) -> dict[str, int]:
        statement = select(column, func.count()).where(column.is_not(None)).group_by(column).order_by(column)
        for name, value in equal.items():
            statement = statement.where(column.table.c[name] == value)
        return {row[0]: row[1] for row in await connection.execute(statement)}

    messages = await connection.execute(
        select(delivery.c.channel, delivery.c.state, func.count())
        .group_by(delivery.c.channel, delivery.c.state)
        .order_by(delivery.c.channel, delivery.c.state)
    )
    digests = select(func.count(delivery.c.held_by.distinct())).where(
        delivery.c.held == "digest", delivery.c.state == DeliveryState.SUPPRESSED.value
    )
    return Standing(
        onboardings=await by(onboarding.c.state),
        alerts=await by(alert.c.state, kind="alert"),
        outcomes=await by(alert.c.outcome, kind="alert"),
        tasks=await by(alert.c.state, kind="task"),
        approvals=await by(approval.c.state),
        renewals=await by(renewal.c.status),
        runs=await by(playbook_run.c.state),
        messages={(row[0], row[1]): row[2] for row in messages},
        held=await by(delivery.c.held),
        digests=(await connection.execute(digests)).scalar_one(),
    )
