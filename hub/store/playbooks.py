"""What playbooks read: who matches a condition today and may be acted on, and what is known about chosen customers."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from sqlalchemy import ColumnElement, Row, Select, and_, exists, func, or_, select

from hub.model.actions import AlertState, RunState
from hub.model.conditions import Condition
from hub.store.conditions import CUSTOMER_FIELDS, HEALTH_CHANGE, SCORECARD_FIELDS, clause, health_change
from hub.store.store import Connection
from hub.store.tables import alert, churn_prediction, contact, customer, playbook_run, scorecard

BATCH = 500
OPEN_STATES = (RunState.RUNNING, RunState.WAITING, RunState.PAUSED)


@dataclass(frozen=True, slots=True, kw_only=True)
class Situation:
    """What is known about a customer by its newest scorecard.

    values         {field: value}: facts, the scorecard's own fields, the customer's; missing ones are None or absent
    as_of          the day of the scorecard; None where there is none yet
    readings       as the scorecard holds them
    churn_reasons  of the champion model's newest prediction
    """

    customer_id: str
    values: Mapping[str, Any]
    as_of: date | None = None
    readings: Sequence[Mapping[str, Any]] = ()
    churn_reasons: Sequence[Mapping[str, Any]] = ()
    churn_horizon_days: int | None = None
    contacts: Sequence[str] = field(default=(), repr=False)


def _select_values(*more: ColumnElement[Any]) -> Select[Any]:
    names = [customer.c[each.name] for each in CUSTOMER_FIELDS] + [scorecard.c[each.name] for each in SCORECARD_FIELDS]
    change = health_change().label(HEALTH_CHANGE.name)
    return select(customer.c.id, scorecard.c.as_of, scorecard.c.facts, *names, change, *more)


def _values(row: Row[Any]) -> dict[str, Any]:
    own = {each.name: row._mapping[each.name] for each in (*CUSTOMER_FIELDS, *SCORECARD_FIELDS, HEALTH_CHANGE)}
    return {**(row.facts or {}), **own}


async def find_due(
    connection: Connection, *, playbook: str, when: Condition, as_of: date, rested_since: datetime, now: datetime
) -> list[Situation]:
    """Customers whose scorecard of the day `as_of` matches, that may be acted on: one statement, however many there are.

    Left out: who had a run of this playbook that began after `rested_since` or is still open, who has an alert of it that
    somebody snoozed beyond `now`, and customers merged into another.
    """
    unrested = exists().where(
        playbook_run.c.playbook == playbook,
        playbook_run.c.customer_id == customer.c.id,
        or_(playbook_run.c.started_at > rested_since, playbook_run.c.state.in_([state.value for state in OPEN_STATES])),
    )
    snoozed = exists().where(
        alert.c.customer_id == customer.c.id,
        alert.c.state != AlertState.CLOSED.value,
        alert.c.snoozed_until > now,
        alert.c.run_id == playbook_run.c.id,
        playbook_run.c.playbook == playbook,
    )
    statement = (
        _select_values()
        .join_from(customer, scorecard, scorecard.c.customer_id == customer.c.id)
        .where(
            scorecard.c.latest,
            scorecard.c.as_of == as_of,
            customer.c.merged_into_id.is_(None),
            clause(when),
            ~unrested,
            ~snoozed,
        )
        .order_by(customer.c.id)
    )
    return [
        Situation(customer_id=row.id, values=_values(row), as_of=row.as_of)
        for row in await connection.execute(statement)
    ]


async def find_situations(
    connection: Connection, customer_ids: Iterable[str], *, with_contacts: bool = False
) -> dict[str, Situation]:
    """{customer id: situation} for those that exist, merged ones left out. A few statements for each 500 customers."""
    found: dict[str, Situation] = {}
    wanted = sorted(set(customer_ids))
    for start in range(0, len(wanted), BATCH):
        ids = wanted[start : start + BATCH]
        churn = await _churn_reasons(connection, ids)
        contacts = await _contacts(connection, ids) if with_contacts else {}
        statement = (
            _select_values(scorecard.c.readings)
            .join_from(
                customer, scorecard, and_(scorecard.c.customer_id == customer.c.id, scorecard.c.latest), isouter=True
            )
            .where(customer.c.id.in_(ids), customer.c.merged_into_id.is_(None))
        )
        for row in await connection.execute(statement):
            reasons, horizon = churn.get(row.id, ((), None))
            found[row.id] = Situation(
                customer_id=row.id,
                values=_values(row),
                as_of=row.as_of,
                readings=row.readings or (),
                churn_reasons=reasons,
                churn_horizon_days=horizon,
                contacts=contacts.get(row.id, ()),
            )
    return found


async def _churn_reasons(
    connection: Connection, ids: Sequence[str]
) -> dict[str, tuple[Sequence[Mapping[str, Any]], int]]:
    row = churn_prediction.c
    statement = select(row.customer_id, row.reasons, row.horizon_days).where(
        row.customer_id.in_(ids), row.main, row.latest
    )
    return {each.customer_id: (each.reasons, each.horizon_days) for each in await connection.execute(statement)}


async def _contacts(connection: Connection, ids: Sequence[str]) -> dict[str, tuple[str, ...]]:
    """{customer id: e-mail addresses}, each address once."""
    statement = (
        select(contact.c.customer_id, func.lower(contact.c.email).label("email"))
        .where(contact.c.customer_id.in_(ids), contact.c.email.is_not(None), contact.c.deleted.is_(False))
        .distinct()
        .order_by(contact.c.customer_id, "email")
    )
    found: dict[str, tuple[str, ...]] = {}
    for row in await connection.execute(statement):
        found[row.customer_id] = (*found.get(row.customer_id, ()), row.email)
    return found


async def find_resting(
    connection: Connection, *, playbook: str, customer_ids: Iterable[str], rested_since: datetime
) -> dict[str, datetime]:
    """{customer id: start of its newest run} for customers that `playbook` has to leave alone."""
    found: dict[str, datetime] = {}
    wanted = sorted(set(customer_ids))
    for start in range(0, len(wanted), BATCH):
        statement = (
            select(playbook_run.c.customer_id, func.max(playbook_run.c.started_at).label("started_at"))
            .where(
                playbook_run.c.playbook == playbook,
                playbook_run.c.customer_id.in_(wanted[start : start + BATCH]),
                or_(
                    playbook_run.c.started_at > rested_since,
                    playbook_run.c.state.in_([state.value for state in OPEN_STATES]),
                ),
            )
            .group_by(playbook_run.c.customer_id)
        )
        found |= {row.customer_id: row.started_at for row in await connection.execute(statement)}
    return found
