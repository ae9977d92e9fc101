"""What a rehearsal of a playbook reads of the past: chosen columns of each day's scorecards, and what changed between them.

    card = await read_columns(connection, day, fields)     one statement a day, only the columns a condition asks for
    changes = await find_changes(connection, names)        what customers' places in the lifecycle became, and when
    records = await find_learned(connection, "ticket", …)  records that became known in a span; on a blindfolded connection

Nothing here writes. Values are the expressions that conditions are compiled to, so that a rehearsal asks what a firing asks.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from sqlalchemy import JSON, ColumnElement, func, select, type_coerce

from hub.model.conditions import Condition, Field
from hub.store.conditions import LIFECYCLE_FIELDS, column_of, record_clause
from hub.store.playbooks import RECORD_FIELDS
from hub.store.store import Connection
from hub.store.tables import (
    RECORD_TABLES,
    contact,
    customer,
    lifecycle_change,
    playbook_definition,
    scorecard,
)

PARTITION = 10_000
AS_THEN = frozenset({"segment", "csm_email"})
"""Fields of the customer that scorecards keep as facts, too: as they were."""
PROFILE = frozenset({"name", "domain", "industry", "country", "employees", "csm_name"})
"""Fields of the customer that are known as of today alone."""
STANDING: Mapping[str, Field] = {each.name: each for each in LIFECYCLE_FIELDS}
"""Where customers stand: these are no columns of a scorecard."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Columns:
    """The scorecards of a day: ids in order, and {field: values}; None where missing."""

    as_of: date
    customers: list[str]
    values: Mapping[str, list[Any]] = field(repr=False)


async def read_columns(connection: Connection, day: date, fields: Sequence[Field]) -> Columns:
    """The fields of all who have a scorecard of the day, merged customers left out. None of them of the lifecycle."""
    statement = (
        select(customer.c.id, *(_value(each).label(f"v_{index}") for index, each in enumerate(fields)))
        .join_from(customer, scorecard, scorecard.c.customer_id == customer.c.id)
        .where(scorecard.c.as_of == day, customer.c.merged_into_id.is_(None))
        .order_by(customer.c.id)
    )
    found: list[list[Any]] = [[] for _ in range(len(fields) + 1)]
    result = await connection.stream(statement)
    async for rows in result.partitions(PARTITION):
        for column, values in zip(found, zip(*rows, strict=True), strict=True):
            column.extend(values)
    for place, each in enumerate(fields, start=1):
        if each.kind == "date":  # days, as texts
            found[place] = [None if value is None else value.isoformat()[:10] for value in found[place]]
    names = [each.name for each in fields]
    return Columns(as_of=day, customers=found[0], values=dict(zip(names, found[1:], strict=True)))


def _value(field: Field) -> ColumnElement[Any]:
    if field.name in AS_THEN:
        as_it_was: ColumnElement[Any] = type_coerce(scorecard.c.facts, JSON)[field.name].as_string()
        return as_it_was
    return column_of(field)


@dataclass(frozen=True, slots=True)
class Change:
    """A place in the lifecycle that became another."""

    customer_id: str
    field: str
    old: str | None
    new: str | None
    at: datetime


async def find_changes(connection: Connection, names: Iterable[str], *, until: datetime) -> list[Change]:
    """All changes of these fields up to a moment, oldest first."""
    row = lifecycle_change.c
    statement = (
        select(row.customer_id, row.field, row.old, row.new, row.changed_at)
        .where(row.field.in_(sorted(names)), row.changed_at < until)
        .order_by(row.changed_at, row.id)
    )
    return [
        Change(each.customer_id, each.field, each.old, each.new, each.changed_at)
        for each in await connection.execute(statement)
    ]


@dataclass(frozen=True, slots=True)
class Learned:
    """A record that became known."""

    customer_id: str
    id: str
    at: datetime
    values: Mapping[str, Any]


async def find_learned(
    connection: Connection, kind: str, *, where: Condition | None, since: datetime, until: datetime
) -> list[Learned]:
    """Records of a kind that became known from `since` until just before `until`, oldest first."""
    record = RECORD_TABLES[kind]
    names = ("id", *RECORD_FIELDS[kind])
    statement = (
        select(record.c.customer_id, record.c.learned_at, *(record.c[name].label(f"v_{name}") for name in names))
        .join_from(record, customer, customer.c.id == record.c.customer_id)
        .where(
            record.c.learned_at >= since,
            record.c.learned_at < until,
            record.c.deleted.is_(False),
            customer.c.merged_into_id.is_(None),
            *(() if where is None else (record_clause(where, record),)),
        )
        .order_by(record.c.learned_at, record.c[record.info["event_time"]], record.c.id.desc())
    )
    return [
        Learned(row.customer_id, row.v_id, row.learned_at, {name: row._mapping[f"v_{name}"] for name in names})
        for row in await connection.execute(statement)
    ]


async def count_contacts(connection: Connection) -> dict[str, int]:
    """{customer id: how many addresses a mail to its contacts has today}."""
    statement = (
        select(contact.c.customer_id, func.count(func.lower(contact.c.email).distinct()).label("addresses"))
        .where(contact.c.customer_id.is_not(None), contact.c.email.is_not(None), contact.c.deleted.is_(False))
        .group_by(contact.c.customer_id)
    )
    return {row.customer_id: row.addresses for row in await connection.execute(statement)}


async def find_names(connection: Connection, customer_ids: Iterable[str]) -> dict[str, str]:
    """{customer id: name} of a few."""
    statement = select(customer.c.id, customer.c.name).where(customer.c.id.in_(list(customer_ids)))
    return {row.id: row.name for row in await connection.execute(statement)}


async def find_version_before(connection: Connection, playbook: str, *, but: str) -> Mapping[str, Any] | None:
    """The definition that runs of a playbook last began with, other than the one of that hash."""
    row = playbook_definition.c
    statement = (
        select(row.definition)
        .where(row.playbook == playbook, row.hash != but)
        .order_by(row.first_used_at.desc(), row.hash)
        .limit(1)
    )
    found: Mapping[str, Any] | None = (await connection.execute(statement)).scalar()
    return found
