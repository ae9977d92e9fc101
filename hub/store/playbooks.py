"""What playbooks read: who matches a condition today and may be acted on, and what is known about chosen customers."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from sqlalchemy import ColumnElement, Float, Integer, Row, Select, String, and_, exists, func, or_, select

from hub.model.actions import AlertState, RunState
from hub.model.conditions import Condition, Field
from hub.store.conditions import (
    CUSTOMER_FIELDS,
    HEALTH_CHANGE,
    LIFECYCLE_FIELDS,
    SCORECARD_FIELDS,
    clause,
    health_change,
    record_clause,
)
from hub.store.store import Connection
from hub.store.tables import (
    RECORD_TABLES,
    alert,
    churn_prediction,
    contact,
    customer,
    lifecycle,
    playbook_run,
    scorecard,
)

BATCH = 500
_SHARED = frozenset({"id", "source", "key", "company_key", "customer_id", "version", "digest"})
RECORDS = ("ticket", "survey_response", "subscription", "invoice", "opportunity", "contact")
RECORD_FIELDS: Mapping[str, Mapping[str, Field]] = {
    kind: {
        f"{column.name}": Field(f"{column.name}", "text" if isinstance(column.type, String) else "number")
        for column in RECORD_TABLES[kind].columns
        if column.name not in _SHARED and isinstance(column.type, String | Float | Integer)
    }
    for kind in RECORDS
}  # plain texts of names that are SQLAlchemy's own
"""What a condition on a new record may ask for: the texts and numbers of its table."""
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
    names = [
        *(customer.c[each.name] for each in CUSTOMER_FIELDS),
        *(scorecard.c[each.name] for each in SCORECARD_FIELDS),
        *(lifecycle.c[each.name] for each in LIFECYCLE_FIELDS),
    ]
    change = health_change().label(HEALTH_CHANGE.name)
    return select(customer.c.id, scorecard.c.as_of, scorecard.c.facts, *names, change, *more)


def _values(row: Row[Any]) -> dict[str, Any]:
    own = {
        each.name: row._mapping[each.name]
        for each in (*CUSTOMER_FIELDS, *SCORECARD_FIELDS, *LIFECYCLE_FIELDS, HEALTH_CHANGE)
    }
    return {**(row.facts or {}), **own}


async def find_due(
    connection: Connection,
    *,
    playbook: str,
    when: Condition | None,
    as_of: date | None,
    rested_since: datetime,
    now: datetime,
    before: Condition | None = None,
) -> list[Situation]:
    """Customers whose scorecard of the day `as_of` matches, that may be acted on: one statement, however many there are.

    as_of   None: whichever day the newest scorecard is of
    before  what must have held by the scorecard before that one
    Left out: who had a run of this playbook that began after `rested_since` or is still open, who has an alert of it that
    somebody snoozed beyond `now`, and customers merged into another.
    """
    statement = (
        _select_values()
        .join_from(customer, scorecard, scorecard.c.customer_id == customer.c.id)
        .outerjoin(lifecycle, lifecycle.c.customer_id == customer.c.id)
        .where(
            scorecard.c.latest,
            *(() if as_of is None else (scorecard.c.as_of == as_of,)),
            customer.c.merged_into_id.is_(None),
            *(() if when is None else (clause(when),)),
            *(() if before is None else (_held_before(before),)),
            *_may_be_acted_on(playbook, rested_since=rested_since, now=now),
        )
        .order_by(customer.c.id)
    )
    return [
        Situation(customer_id=row.id, values=_values(row), as_of=row.as_of)
        for row in await connection.execute(statement)
    ]


async def find_records_due(
    connection: Connection,
    *,
    playbook: str,
    kind: str,
    where: Condition | None,
    when: Condition | None,
    learned_since: datetime,
    rested_since: datetime | None,
    now: datetime,
) -> list[Situation]:
    """New records of a kind, newest first, of customers that match and may be acted on; `values` has the record beside.

    rested_since  None: the playbook doesn't rest, and each record counts by itself
    """
    record = RECORD_TABLES[kind]
    names = ("id", *RECORD_FIELDS[kind])
    newest = and_(scorecard.c.customer_id == customer.c.id, scorecard.c.latest)
    statement = (
        _select_values(*(record.c[name].label(f"record_{name}") for name in names))
        .select_from(record.join(customer, customer.c.id == record.c.customer_id).join(scorecard, newest, isouter=True))
        .outerjoin(lifecycle, lifecycle.c.customer_id == customer.c.id)
        .where(
            record.c.learned_at > learned_since,
            record.c.deleted.is_(False),
            customer.c.merged_into_id.is_(None),
            *(() if where is None else (record_clause(where, record),)),
            *(() if when is None else (clause(when),)),
            *(() if rested_since is None else _may_be_acted_on(playbook, rested_since=rested_since, now=now)),
        )
        .order_by(record.c.learned_at.desc(), record.c[record.info["event_time"]].desc(), record.c.id)
    )
    return [
        Situation(
            customer_id=row.id,
            values={**_values(row), "record": {name: row._mapping[f"record_{name}"] for name in names}},
            as_of=row.as_of,
        )
        for row in await connection.execute(statement)
    ]


def _may_be_acted_on(playbook: str, *, rested_since: datetime, now: datetime) -> tuple[ColumnElement[bool], ...]:
    """Neither resting from the playbook, nor with an alert of it that somebody snoozed."""
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
    return (~unrested, ~snoozed)


def _held_before(condition: Condition) -> ColumnElement[bool]:
    """Whether it held by the customer's scorecard before the one at hand."""
    then, earlier = scorecard.alias("before"), scorecard.alias("earlier")
    day = (
        select(func.max(earlier.c.as_of))
        .where(earlier.c.customer_id == scorecard.c.customer_id, earlier.c.as_of < scorecard.c.as_of)
        .correlate(scorecard)
        .scalar_subquery()
    )
    held = select(then.c.id).where(
        then.c.customer_id == scorecard.c.customer_id, then.c.as_of == day, clause(condition, scorecard=then)
    )
    return held.correlate(customer, scorecard).exists()


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
            .outerjoin(lifecycle, lifecycle.c.customer_id == customer.c.id)
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
