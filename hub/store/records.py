"""Bulk upsert of records: idempotent, guarded by version, counting what it did.

A row is written when its key is new, or its version is higher, or its version is equal and its content differs; an
older version never overwrites a newer one. `learned_at` is set once, at the first sight of the row.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import UTC, date, datetime, time
from enum import Enum
from hashlib import blake2b
from types import MappingProxyType
from typing import Any

import orjson
from sqlalchemy import Table, select
from sqlalchemy.dialects import postgresql, sqlite

from hub.model.records import RECORD_KINDS, Record
from hub.store.store import Connection
from hub.store.tables import RECORD_TABLES, external_id

KIND_OF = {type_: kind for kind, type_ in RECORD_KINDS.items()}
BATCH = 1_000
_KEPT = {"id", "learned_at"}
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
    customers: Mapping[str, str] = MappingProxyType({}),
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
        row = {name: _plain(getattr(record, name)) for name in _names(type(record))}
        row["digest"] = int.from_bytes(
            blake2b(orjson.dumps(list(row.values()), default=str), digest_size=8).digest(), signed=True
        )
        row["id"] = f"{source}:{record.key}"
        row["source"] = source
        row["synced_at"] = now
        row["learned_at"] = now
        if historical and event_time and (happened := row[event_time]) is not None:
            row["learned_at"] = min(now, _as_datetime(happened))
        rows.append(row)
    return rows


_names_of: dict[type[Record], tuple[str, ...]] = {}


def _names(type_: type[Record]) -> tuple[str, ...]:
    if type_ not in _names_of:
        _names_of[type_] = tuple(field.name for field in fields(type_))
    return _names_of[type_]


def _plain(value: Any) -> Any:
    if isinstance(value, Enum):
        return value.value
    return list(value) if isinstance(value, tuple) else value


def _as_datetime(value: date | datetime) -> datetime:
    return value if isinstance(value, datetime) else datetime.combine(value, time.min, UTC)


async def _upsert_rows(connection: Connection, table: Table, rows: Sequence[dict[str, Any]]) -> Counts:
    known = {
        row.id: row
        for row in await connection.execute(
            select(table.c.id, table.c.version, table.c.digest).where(table.c.id.in_([row["id"] for row in rows]))
        )
    }
    new = [row for row in rows if row["id"] not in known]
    changed = [row for row in rows if (old := known.get(row["id"])) is not None and _supersedes(row, old)]
    if new or changed:
        insert = sqlite.insert(table) if connection.dialect.name == "sqlite" else postgresql.insert(table)
        columns = [column for column in rows[0] if column not in _KEPT]
        statement = insert.on_conflict_do_update(
            index_elements=[table.c.id],
            set_={column: insert.excluded[column] for column in columns},
            where=table.c.version <= insert.excluded.version,
        )
        await connection.execute(statement, [*new, *changed])
    return Counts(len(new), len(changed), len(rows) - len(new) - len(changed))


def _supersedes(row: dict[str, Any], old: Any) -> bool:
    version: int = old.version
    if row["version"] != version:
        return bool(row["version"] > version)
    return bool(row["digest"] != old.digest)
