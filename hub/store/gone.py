"""Rows the vendor says do not exist any more: kept, marked, and counted by no fact."""

from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import Text, cast, insert, literal, select, update

from hub.model.records import Record
from hub.store.among import among
from hub.store.records import KIND_OF
from hub.store.store import Connection
from hub.store.tables import RECORD_TABLES, field_change
from hub.store.tables.base import UtcDateTime

NO_DIGEST = 0
"""Of a row marked here: its content was not sent, so the same version of it, sent again, brings the row back."""


async def bury(connection: Connection, type_: type[Record], keys: Iterable[str], *, source: str, now: datetime) -> int:
    """Mark these records of one kind deleted; return how many were there and were not yet."""
    ids = sorted({f"{source}:{key}" for key in keys})
    if not ids:
        return 0
    table = RECORD_TABLES[KIND_OF[type_]]
    living = among(connection, table.c.id, ids) & table.c.deleted.is_(False)
    if "deleted" in table.info["watched"]:
        when = literal(now, UtcDateTime)
        told = {
            "kind": literal(table.name, Text),
            "record_id": table.c.id,
            "field": literal("deleted", Text),
            "before": cast(literal("false"), Text),
            "after": cast(literal("true"), Text),
            "at": when,
            "learned_at": when,
        }
        rows = select(*told.values()).where(living).order_by(table.c.id)
        await connection.execute(insert(field_change).from_select(list(told), rows))
    marked = {"deleted": True, "digest": NO_DIGEST, "synced_at": now}
    return (await connection.execute(update(table).where(living).values(marked))).rowcount


async def find_buried(
    connection: Connection, type_: type[Record], keys: Iterable[str], *, source: str
) -> dict[str, int]:
    """{key: version} of those of one kind that were marked here and have not come back."""
    table = RECORD_TABLES[KIND_OF[type_]]
    ids = sorted({f"{source}:{key}" for key in keys})
    marked = among(connection, table.c.id, ids) & table.c.deleted.is_(True) & (table.c.digest == NO_DIGEST)
    rows = await connection.execute(select(table.c.key, table.c.version).where(marked, table.c.version > 0))
    return {row.key: row.version for row in rows}
