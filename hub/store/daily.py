"""Rows of a day: written once, or anew while the day is open."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import Table
from sqlalchemy.dialects import postgresql, sqlite

from hub.store.store import Connection

BATCH = 2_000


def batches(ids: Iterable[str]) -> Iterable[Sequence[str]]:
    """The ids, as many at a time as a statement takes."""
    ordered = list(ids)
    return (ordered[start : start + BATCH] for start in range(0, len(ordered), BATCH))


async def write(connection: Connection, table: Table, rows: Sequence[Mapping[str, Any]], *, replace: bool) -> None:
    """Insert rows that have the same keys, `id` among them. replace: what is there gives way; otherwise it stays."""
    if not rows:
        return
    insert = sqlite.insert(table) if connection.dialect.name == "sqlite" else postgresql.insert(table)
    if replace:
        changed = {name: insert.excluded[name] for name in rows[0] if name != "id"}
        statement = insert.on_conflict_do_update(index_elements=[table.c.id], set_=changed)
    else:
        statement = insert.on_conflict_do_nothing()
    await connection.execute(statement, [dict(row) for row in rows])
