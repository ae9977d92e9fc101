"""Where customers stand in their life with us: one row each, written column by column by who knows it, and what changed.

Playbooks, filters and lists read these columns as fields of the one vocabulary (hub.store.conditions). Whoever keeps some of
them writes them for any number of customers at once; rows that stay the same are not written.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import String, select, update

from hub.store.among import among
from hub.store.bulk import write_rows
from hub.store.store import Connection
from hub.store.tables import lifecycle, lifecycle_change

BATCH = 10_000
LOGGED = frozenset(column.name for column in lifecycle.columns if isinstance(column.type, String)) - {"customer_id"}
"""The columns whose changes are kept and told: states, not counts of days."""
NUMBERS = frozenset({"onboarding_progress", "renewal_on", "renewal_amount", "expansion_value", "advocacy_score"})
"""Kept in the log as well, as text, though they are no states: what changes when something happens, and not day by day."""


@dataclass(frozen=True, slots=True)
class Change:
    """A state that became another. old, new: None where there is none."""

    customer_id: str
    field: str
    old: str | None
    new: str | None


async def find_lifecycles(
    connection: Connection, fields: Sequence[str], *, customer_ids: Iterable[str] | None = None
) -> dict[str, dict[str, Any]]:
    """{customer id: {field: value}} of those that have a row. None: of all customers."""
    statement = select(lifecycle.c.customer_id, *(lifecycle.c[name] for name in fields))
    if customer_ids is not None:
        statement = statement.where(among(connection, lifecycle.c.customer_id, customer_ids))
    return {id_: dict(zip(fields, values, strict=True)) for id_, *values in await connection.execute(statement)}


async def write_lifecycles(
    connection: Connection, rows: Mapping[str, Mapping[str, Any]], *, now: datetime, whole: bool = False
) -> list[Change]:
    """Write {customer id: {field: value}}, the same fields for each; return the changes of states, which are also kept.

    whole   these are all customers that have any of the fields: in every other row they become None
    """
    fields = sorted(next(iter(rows.values()))) if rows else []
    if not fields:
        return []
    few = None if whole or len(rows) > BATCH else list(rows)
    before = await find_lifecycles(connection, fields, customer_ids=few)
    nothing: dict[str, Any] = dict.fromkeys(fields)
    wanted = {id_: {name: row[name] for name in fields} for id_, row in rows.items()}
    if whole:
        wanted |= dict.fromkeys(before.keys() - rows.keys(), nothing)
    changed = {id_: row for id_, row in wanted.items() if row != before.get(id_, nothing)}
    if not changed:
        return []
    written = [{"customer_id": id_, **row, "updated_at": now} for id_, row in changed.items()]
    await write_rows(connection, lifecycle, written, replace=True, by="customer_id")
    changes = [
        Change(id_, name, old, row[name])
        for id_, row in sorted(changed.items())
        for name in fields
        if name in LOGGED and (old := before.get(id_, nothing)[name]) != row[name]
    ]
    numbers = [
        Change(id_, name, _text(old), _text(row[name]))
        for id_, row in sorted(changed.items())
        for name in fields
        if name in NUMBERS and (old := before.get(id_, nothing)[name]) != row[name]
    ]
    if changes or numbers:
        kept = [
            {"customer_id": each.customer_id, "field": each.field, "old": each.old, "new": each.new, "changed_at": now}
            for each in (*changes, *numbers)
        ]
        await write_rows(connection, lifecycle_change, kept, replace=False)
    return changes


def _text(value: Any) -> str | None:
    return None if value is None else str(value)


async def clear_lifecycles(connection: Connection, fields: Sequence[str], *, now: datetime) -> None:
    """Take these fields away from every customer, where an area is switched off."""
    await connection.execute(update(lifecycle).values({**dict.fromkeys(fields), "updated_at": now}))
