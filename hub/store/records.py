"""Bulk upsert of records: idempotent, guarded by version, counting what it did.

A row is written when its key is new, or its version is higher, or its version is equal and its content differs; an
older version never overwrites a newer one. `learned_at` is set once, at the first sight of the row.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import UTC, date, datetime, time
from hashlib import blake2b
from operator import attrgetter
from types import MappingProxyType
from typing import Any

import orjson
from sqlalchemy import ARRAY, ColumnElement, String, Table, any_, cast, func, select

from hub.model.records import RECORD_KINDS, Record
from hub.store.bulk import upsert_rows
from hub.store.store import Connection
from hub.store.tables import RECORD_TABLES, external_id

KIND_OF = {type_: kind for kind, type_ in RECORD_KINDS.items()}
BATCH = 1_000
_SHAPES = {
    type_: (names := tuple(field.name for field in fields(type_)), attrgetter(*names))
    for type_ in RECORD_KINDS.values()
}
"""How a record becomes a row: the names of its fields, and all their values at once."""
_KEPT = ("learned_at",)
"""Columns an update leaves alone; for companies, identity's own columns are not in the row at all."""


@dataclass(frozen=True, slots=True)
class Counts:
    """What an upsert did, in rows. Records that stand twice in one batch count once; the higher version is kept."""

    new: int = 0
    changed: int = 0
    unchanged: int = 0

    def __add__(self, other: "Counts") -> "Counts":
        return Counts(self.new + other.new, self.changed + other.changed, self.unchanged + other.unchanged)


async def upsert(
    connection: Connection,
    records: Iterable[Record],
    *,
    source: str,
    now: datetime,
    historical: bool = False,
    customers: Mapping[str, str | None] = MappingProxyType({}),
) -> Counts:
    """Write `records` of `source`.

    historical  a first sync, whose rows count as learned when they happened
    customers   {company_key: customer_id} as far as identity knows; the rest is linked when it is decided
    """
    by_kind: dict[type[Record], dict[str, Record]] = {}
    for record in records:
        kept = by_kind.setdefault(type(record), {})
        if record.key not in kept or kept[record.key].version <= record.version:
            kept[record.key] = record
    counts = Counts()
    for type_, kept in by_kind.items():
        table = RECORD_TABLES[KIND_OF[type_]]
        rows = _rows(table, kept.values(), source=source, now=now, historical=historical)
        if table is not external_id:
            for row in rows:
                row["customer_id"] = customers.get(row["company_key"])
        for start in range(0, len(rows), BATCH):
            counts += await _upsert_rows(connection, table, rows[start : start + BATCH])
    return counts


def _rows(
    table: Table, records: Iterable[Record], *, source: str, now: datetime, historical: bool
) -> list[dict[str, Any]]:
    event_time = table.info["event_time"]
    rows = []
    for record in records:
        names, values_of = _SHAPES[type(record)]
        values = values_of(record)
        row = dict(zip(names, values, strict=True))
        row["digest"] = int.from_bytes(blake2b(orjson.dumps(values), digest_size=8).digest(), signed=True)
        row["id"] = f"{source}:{record.key}"
        row["source"] = source
        row["synced_at"] = now
        row["learned_at"] = now
        if historical and event_time and (happened := row[event_time]) is not None:
            row["learned_at"] = min(now, _as_datetime(happened))
        rows.append(row)
    return rows


def _as_datetime(value: date | datetime) -> datetime:
    return value if isinstance(value, datetime) else datetime.combine(value, time.min, UTC)


async def _upsert_rows(connection: Connection, table: Table, rows: Sequence[dict[str, Any]]) -> Counts:
    known = await _find_known(connection, table, [row["id"] for row in rows])
    new = [row for row in rows if row["id"] not in known]
    changed = [row for row in rows if (old := known.get(row["id"])) is not None and _supersedes(row, *old)]
    await upsert_rows(connection, table, [*new, *changed], keep=_KEPT)
    return Counts(len(new), len(changed), len(rows) - len(new) - len(changed))


async def _find_known(connection: Connection, table: Table, ids: list[str]) -> dict[str, tuple[int, int]]:
    """{id: (version, digest)} of the rows that are there. The ids go as one parameter."""
    if connection.dialect.name == "sqlite":
        given = func.json_each(orjson.dumps(ids).decode()).table_valued("value")
        condition: ColumnElement[bool] = table.c.id.in_(select(given.c.value))
    else:
        condition = table.c.id == any_(cast(ids, ARRAY(String)))
    found = await connection.execute(select(table.c.id, table.c.version, table.c.digest).where(condition))
    return {row[0]: (row[1], row[2]) for row in found}


def _supersedes(row: dict[str, Any], version: int, digest: int) -> bool:
    if row["version"] != version:
        return bool(row["version"] > version)
    return bool(row["digest"] != digest)
