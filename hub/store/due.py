"""Whom a playbook's trigger concerns and may be acted on: by the newest scorecard, a new record, a change of the lifecycle."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime
from functools import lru_cache
from typing import Any, TypeVar

from sqlalchemy import ColumnElement, Select, and_, bindparam, exists, func, select

from hub.model.actions import AlertState
from hub.model.conditions import Condition
from hub.store.among import among
from hub.store.conditions import clause, record_clause
from hub.store.custom import find_custom
from hub.store.playbooks import RECORD_FIELDS, Situation, select_values, values_of
from hub.store.rests import RESTING
from hub.store.store import Connection
from hub.store.tables import RECORD_TABLES, alert, customer, lifecycle, lifecycle_change, playbook_run, scorecard
from hub.store.tables.base import UtcDateTime

STATEMENTS_KEPT = 512
"""Of playbooks' triggers: they are the same from day to day, but for those with a day in them."""


async def find_due(
    connection: Connection,
    *,
    playbook: str,
    when: Condition | None,
    as_of: date | None,
    rested_since: datetime,
    now: datetime,
    before: Condition | None = None,
) -> list[str]:
    """Ids of customers whose scorecard of the day `as_of` matches, that may be acted on: one statement, however many.

    as_of   None: whichever day the newest scorecard is of
    before  what must have held by the scorecard before that one
    Left out: who had a run of this playbook that began after `rested_since` or is still open, who has an alert of it that
    somebody snoozed beyond `now`, and customers merged into another.
    """
    asked: dict[str, Any] = {"playbook": playbook, "rested_since": rested_since, "now": now}
    if as_of is not None:
        asked["as_of"] = as_of
    return list((await connection.execute(_due(when, before, as_of is not None), asked)).scalars())


@lru_cache(maxsize=STATEMENTS_KEPT)
def _due(when: Condition | None, before: Condition | None, of_day: bool) -> Select[str]:
    statement = (
        select(customer.c.id)
        .join_from(customer, scorecard, scorecard.c.customer_id == customer.c.id)
        .where(
            scorecard.c.latest,
            *((scorecard.c.as_of == bindparam("as_of"),) if of_day else ()),
            customer.c.merged_into_id.is_(None),
            *(() if when is None else (clause(when),)),
            *(() if before is None else (_held_before(before),)),
        )
        .order_by(customer.c.id)
    )
    return _that_may_be_acted_on(statement)


async def count_anew(connection: Connection) -> None:
    """Let PostgreSQL look how many rows there are, before many statements that choose some of very many.

    Runs begin right after a scoring, which may have made most of the rows, and its own look comes a minute later: until then
    it takes the tables for small and reads all of them each time.
    """
    if connection.dialect.name == "postgresql":
        await connection.exec_driver_sql(f"ANALYZE {customer.name}, {scorecard.name}, {lifecycle.name}")


async def find_standing(connection: Connection, customer_ids: Sequence[str]) -> list[Situation]:
    """What is known of these customers, in order of id: their values alone, without readings and reasons."""
    statement = (
        select_values()
        .join_from(customer, scorecard, scorecard.c.customer_id == customer.c.id)
        .outerjoin(lifecycle, lifecycle.c.customer_id == customer.c.id)
        .where(scorecard.c.latest, among(connection, customer.c.id, customer_ids))
        .order_by(customer.c.id)
    )
    found = [
        Situation(customer_id=row.id, values=values_of(row), as_of=row.as_of)
        for row in await connection.execute(statement)
    ]
    return await _with_custom(connection, found)


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
        select_values(*(record.c[name].label(f"record_{name}") for name in names))
        .select_from(record.join(customer, customer.c.id == record.c.customer_id).join(scorecard, newest, isouter=True))
        .outerjoin(lifecycle, lifecycle.c.customer_id == customer.c.id)
        .where(
            record.c.learned_at > learned_since,
            record.c.deleted.is_(False),
            customer.c.merged_into_id.is_(None),
            *(() if where is None else (record_clause(where, record),)),
            *(() if when is None else (clause(when),)),
        )
        .order_by(record.c.learned_at.desc(), record.c[record.info["event_time"]].desc(), record.c.id)
    )
    asked: dict[str, Any] = {}
    if rested_since is not None:
        statement = _that_may_be_acted_on(statement)
        asked = {"playbook": playbook, "rested_since": rested_since, "now": now}
    found = [
        Situation(
            customer_id=row.id,
            values={**values_of(row), "record": {name: row._mapping[f"record_{name}"] for name in names}},
            as_of=row.as_of,
        )
        for row in await connection.execute(statement, asked)
    ]
    return await _with_custom(connection, found)


async def find_changes_due(
    connection: Connection,
    *,
    playbook: str,
    field: str,
    values: Sequence[str],
    but: Sequence[str] = (),
    was: Sequence[str] | None = (),
    when: Condition | None,
    changed_since: datetime,
    rested_since: datetime,
    now: datetime,
) -> list[Situation]:
    """Changes of a field of the lifecycle to one of `values`, newest first, of customers that match and may be acted on.

    values  none: to whatever but nothing, and `but` one of these
    was     what it was before; none: whatever, None: whatever but nothing
    `values` of each has the change beside: id, field, old, new.
    """
    statement = _changes_due(field, tuple(values), tuple(but), None if was is None else tuple(was), when)
    asked = {"playbook": playbook, "rested_since": rested_since, "changed_since": changed_since, "now": now}
    found = [
        Situation(
            customer_id=row.id,
            values={
                **values_of(row),
                "change": {"id": row.change_id, "field": field, "old": row.change_old, "new": row.change_new},
            },
            as_of=row.as_of,
        )
        for row in await connection.execute(statement, asked)
    ]
    return await _with_custom(connection, found)


@lru_cache(maxsize=STATEMENTS_KEPT)
def _changes_due(
    field: str, values: tuple[str, ...], but: tuple[str, ...], was: tuple[str, ...] | None, when: Condition | None
) -> Select[Any]:
    change = lifecycle_change.c
    return _CHANGES.where(
        change.field == field,
        change.new.in_(values) if values else and_(change.new.is_not(None), change.new.not_in(but)),
        *((change.old.is_not(None),) if was is None else (change.old.in_(was),) if was else ()),
        change.changed_at > bindparam("changed_since", type_=UtcDateTime()),
        *(() if when is None else (clause(when),)),
    )


async def _with_custom(connection: Connection, found: Sequence[Situation]) -> list[Situation]:
    """The same with their custom fields."""
    custom = await find_custom(connection, [each.customer_id for each in found])
    if not custom:
        return list(found)
    return [replace(each, values={**each.values, **custom.get(each.customer_id, {})}) for each in found]


Chosen = TypeVar("Chosen", bound=Select[Any])


def _that_may_be_acted_on(statement: Chosen) -> Chosen:
    """But for customers that rest from `:playbook`, and those with an alert of it that somebody snoozed."""
    return statement.outerjoin(RESTING, RESTING.c.id == customer.c.id).where(RESTING.c.id.is_(None), ~_SNOOZED)


_SNOOZED = exists().where(
    alert.c.customer_id == customer.c.id,
    alert.c.state != AlertState.CLOSED.value,
    alert.c.snoozed_until > bindparam("now", type_=UtcDateTime()),
    alert.c.run_id == playbook_run.c.id,
    playbook_run.c.playbook == bindparam("playbook"),
)
_CHANGES = _that_may_be_acted_on(
    select_values(
        lifecycle_change.c.id.label("change_id"),
        lifecycle_change.c.old.label("change_old"),
        lifecycle_change.c.new.label("change_new"),
    )
    .select_from(
        lifecycle_change.join(customer, customer.c.id == lifecycle_change.c.customer_id).join(
            scorecard, and_(scorecard.c.customer_id == customer.c.id, scorecard.c.latest), isouter=True
        )
    )
    .outerjoin(lifecycle, lifecycle.c.customer_id == customer.c.id)
    .where(customer.c.merged_into_id.is_(None))
    .order_by(lifecycle_change.c.changed_at.desc(), lifecycle_change.c.id.desc())
)
"""Built once, as far as it is the same for all playbooks: it takes longer than to ask it."""


async def is_snoozed(connection: Connection, *, playbook: str, customer_id: str, now: datetime) -> bool:
    """Whether somebody snoozed an alert of the playbook for this customer."""
    statement = select(customer.c.id).where(customer.c.id == customer_id, _SNOOZED)
    return (await connection.execute(statement, {"playbook": playbook, "now": now})).first() is not None


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
