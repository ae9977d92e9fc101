"""What people have before them: open alerts with what is at stake, and what was kept from them, with why."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import ColumnElement, Row, and_, func, or_, select

from hub.model.actions import AlertState, DeliveryState
from hub.model.conditions import Field
from hub.store.books import of_book
from hub.store.conditions import column_of
from hub.store.store import Connection
from hub.store.tables import alert, customer, delivery, playbook_run, scorecard, withheld_call

ARR = column_of(Field("mrr", "number")) * 12
"""A year's revenue, by the newest scorecard."""
LATEST = and_(scorecard.c.customer_id == customer.c.id, scorecard.c.latest)


@dataclass(frozen=True, slots=True, kw_only=True)
class Inboxed:
    """An open alert or task, with what is known of its customer now."""

    id: str
    customer_id: str
    customer_name: str | None
    kind: str
    title: str
    severity: str
    reason_key: str | None
    owner_email: str | None
    due_on: date | None
    opened_at: datetime
    dedup_key: str
    churn_risk: float | None
    arr: float | None


async def find_inbox(connection: Connection, *, owner: str | None, book: str | None, now: datetime) -> list[Inboxed]:
    """Open alerts and tasks that nobody snoozed; `owner` None: everybody's."""
    known = {"customer_name", "churn_risk", "arr"}
    names = [alert.c[name] for name in Inboxed.__dataclass_fields__ if name not in known]
    statement = (
        select(*names, customer.c.name.label("customer_name"), scorecard.c.churn_risk, ARR.label("arr"))
        .join(customer, customer.c.id == alert.c.customer_id)
        .join(scorecard, LATEST, isouter=True)
        .where(alert.c.state != AlertState.CLOSED.value, _awake(now), *of_book(alert.c.customer_id, book))
        .order_by(alert.c.opened_at, alert.c.id)
    )
    if owner is not None:
        statement = statement.where(func.lower(alert.c.owner_email) == owner.lower())
    return [Inboxed(**row) for row in (await connection.execute(statement)).mappings()]


def _awake(now: datetime) -> ColumnElement[bool]:
    return or_(alert.c.snoozed_until.is_(None), alert.c.snoozed_until <= now)


@dataclass(frozen=True, slots=True, kw_only=True)
class Withheld:
    """A message or call that people did not get by itself, and why."""

    id: str
    what: str
    held: str
    customer_id: str
    customer_name: str | None
    owner_email: str | None
    title: str | None
    severity: str | None
    reason_key: str | None
    playbook: str | None
    detail: str | None
    by: str | None
    until: datetime | None
    at: datetime


async def find_withheld(
    connection: Connection, *, owner: str | None = None, book: str | None, since: datetime | None = None, limit: int
) -> list[Withheld]:
    """Messages held or not sent for people's attention, and calls not opened, newest first."""
    of = (delivery.c.id, delivery.c.channel, delivery.c.held, delivery.c.customer_id, customer.c.name.label("name"))
    messages = (
        select(
            *of,
            delivery.c.owner_email,  # whom it would have taken up; its address may be a person's at the customer
            delivery.c.subject,
            delivery.c.payload,
            delivery.c.severity,
            delivery.c.reason_key,
            playbook_run.c.playbook,
            delivery.c.error,
            delivery.c.held_by,
            delivery.c.not_before,
            delivery.c.reserved_at,
        )
        .join(customer, customer.c.id == delivery.c.customer_id)
        .outerjoin(playbook_run, playbook_run.c.id == delivery.c.run_id)
        .where(
            delivery.c.held.is_not(None),
            delivery.c.state.in_([each.value for each in (DeliveryState.HELD, DeliveryState.RESERVED)])
            | (delivery.c.state == DeliveryState.SUPPRESSED.value),
            *of_book(delivery.c.customer_id, book),
        )
        .order_by(delivery.c.reserved_at.desc(), delivery.c.id)
        .limit(limit)
    )
    calls = (
        select(withheld_call, customer.c.name.label("name"), playbook_run.c.playbook, alert.c.owner_email)
        .join(customer, customer.c.id == withheld_call.c.customer_id)
        .join(playbook_run, playbook_run.c.id == withheld_call.c.run_id)
        .outerjoin(alert, alert.c.id == withheld_call.c.alert_id)
        .where(*of_book(withheld_call.c.customer_id, book))
        .order_by(withheld_call.c.withheld_at.desc(), withheld_call.c.id)
        .limit(limit)
    )
    if owner is not None:
        messages = messages.where(delivery.c.owner_email == owner.lower())
        calls = calls.where(func.lower(func.coalesce(alert.c.owner_email, customer.c.csm_email)) == owner.lower())
    if since is not None:
        messages = messages.where(delivery.c.reserved_at >= since)
        calls = calls.where(withheld_call.c.withheld_at >= since)
    found = [_message(row) for row in await connection.execute(messages)]
    found += [_call(row) for row in await connection.execute(calls)]
    return sorted(found, key=lambda each: (each.at, each.id), reverse=True)[:limit]


def _message(row: Row[Any, *tuple[Any, ...]]) -> Withheld:
    return Withheld(
        id=row.id,
        what=row.channel,
        held=row.held,
        customer_id=row.customer_id,
        customer_name=row.name,
        owner_email=row.owner_email,
        title=row.subject or row.payload.get("text"),
        severity=row.severity,
        reason_key=row.reason_key,
        playbook=row.playbook,
        detail=row.error,
        by=row.held_by,
        until=row.not_before,
        at=row.reserved_at,
    )


def _call(row: Row[Any]) -> Withheld:
    return Withheld(
        id=row.id,
        what=row.kind,
        held=row.held,
        customer_id=row.customer_id,
        customer_name=row.name,
        owner_email=row.owner_email,
        title=row.title,
        severity=row.severity,
        reason_key=row.reason_key,
        playbook=row.playbook,
        detail=row.detail,
        by=row.alert_id or row.snooze_id,
        until=None,
        at=row.withheld_at,
    )
