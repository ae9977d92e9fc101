"""Custom fields of customers: what they say now, and how they are written, with every change kept."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Select, bindparam, delete, select
from sqlalchemy.dialects import postgresql, sqlite

from hub.store.among import among
from hub.store.asking import several
from hub.store.store import Connection
from hub.store.tables import customer_field, field_change

PREFIX = "custom."
FEW = 500


def _custom() -> Select[str, str, str]:
    return select(customer_field.c.customer_id, customer_field.c.name, customer_field.c.value)


_CUSTOM = _custom().where(customer_field.c.customer_id.in_(several("ids")))


async def find_custom(connection: Connection, customer_ids: Iterable[str]) -> dict[str, dict[str, str]]:
    """{customer id: {"custom.<name>": value}} of those that have any."""
    found: dict[str, dict[str, str]] = {}
    ids = list(customer_ids)
    if len(ids) > FEW:  # more than a statement takes parameters
        rows = await connection.execute(_custom().where(among(connection, customer_field.c.customer_id, ids)))
    else:
        rows = await connection.execute(_CUSTOM, {"ids": ids})
    for each in rows:
        found.setdefault(each.customer_id, {})[PREFIX + each.name] = each.value
    return found


async def write_custom(connection: Connection, rows: Sequence[Mapping[str, Any]], *, now: datetime) -> None:
    """Write rows of customer_id, name, value (None takes the field away), updated_by and run_id; the last of several counts.

    What stays the same is not written.
    """
    if not rows:
        return
    before = await find_custom(connection, [row["customer_id"] for row in rows])
    last = {(row["customer_id"], row["name"]): row for row in rows}

    def was(row: Mapping[str, Any]) -> str | None:
        return before.get(row["customer_id"], {}).get(PREFIX + row["name"])

    changed = [row for _, row in sorted(last.items()) if was(row) != row["value"]]
    kept = [{**row, "updated_at": now} for row in changed if row["value"] is not None]
    gone = [{"id": row["customer_id"], "field": row["name"]} for row in changed if row["value"] is None]
    if kept:
        insert = (sqlite if connection.dialect.name == "sqlite" else postgresql).insert(customer_field)
        names = ("value", "updated_at", "updated_by", "run_id")
        statement = insert.on_conflict_do_update(
            index_elements=[customer_field.c.customer_id, customer_field.c.name],
            set_={name: insert.excluded[name] for name in names},
        )
        await connection.execute(statement, kept)
    if gone:
        mine = (customer_field.c.customer_id == bindparam("id"), customer_field.c.name == bindparam("field"))
        await connection.execute(delete(customer_field).where(*mine), gone)
    if changed:
        log = [
            {
                "kind": "customer",
                "record_id": row["customer_id"],
                "field": (PREFIX + row["name"])[:40],
                "before": was(row),
                "after": row["value"],
                "at": now,
                "learned_at": now,
            }
            for row in changed
        ]
        await connection.execute(field_change.insert(), log)
