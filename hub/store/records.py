"""Bulk upsert of records: idempotent, guarded by version, counting what it did.

A row is written when its key is new, or its version is higher, or its version is equal and its content differs; an
older version never overwrites a newer one. `learned_at` is set once, at the first sight of the row.

Of the fields that a table watches, every change is logged in `field_change`; a row that is deleted when it is first seen
has been there before, so that counts as a change. Rows that have not changed cost nothing: only the changed ones of a batch
are asked for what they were, in one statement.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import UTC, date, datetime, time
from hashlib import blake2b
from operator import attrgetter
from types import MappingProxyType
from typing import Any

import orjson
from sqlalchemy import ARRAY, ColumnElement, String, Table, any_, cast, insert, select

from hub.model.records import RECORD_KINDS, Record
from hub.store.among import among
from hub.store.bulk import upsert_rows
from hub.store.store import Connection
from hub.store.tables import RECORD_TABLES, external_id, field_change

KIND_OF = {type_: kind for kind, type_ in RECORD_KINDS.items()}
BATCH = 1_000
LEAST_VERSION = 1
"""Of a row whose vendor tells no time of change: 0 is that of rows that another row only implied."""
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
        row["version"] = max(LEAST_VERSION, row["version"])
        at = names.index("version")
        told = (*values[:at], *values[at + 1 :])  # a row whose version alone is another one says nothing new
        row["digest"] = int.from_bytes(blake2b(orjson.dumps(told), digest_size=8).digest(), signed=True)
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
    later = [row for row in rows if (old := known.get(row["id"])) is not None and _supersedes(row, *old)]
    changed = [row for row in later if row["digest"] != known[row["id"]][1]]
    log: list[dict[str, Any]] = []
    if table.info["watched"]:
        told = [row for row in changed if known[row["id"]][0] > 0]  # a row that was only implied said nothing
        log = [*await _find_changes(connection, table, told), *_gone(table, new)]
    await upsert_rows(connection, table, [*new, *later], keep=_KEPT)
    if log:
        await connection.execute(insert(field_change), log)
    return Counts(len(new), len(changed), len(rows) - len(new) - len(changed))


async def _find_changes(connection: Connection, table: Table, rows: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Rows of `field_change` for what `rows` change of the watched fields of rows that are there."""
    if not rows:
        return []
    watched: Mapping[str, str | None] = table.info["watched"]
    names = {*watched, *(name for name in watched.values() if name)}
    statement = select(table.c.id, *(table.c[name] for name in names))
    found = (await connection.execute(statement.where(_any_of(connection, table, [row["id"] for row in rows])))).all()
    before = {was.id: was._mapping for was in found}
    return [
        _change(table, row, field, was[field])
        for row in rows
        for was in (before[row["id"]],)
        for field, needs in watched.items()
        if row[field] != was[field] and (needs is None or row[needs] is not None or was[needs] is not None)
    ]


def _gone(table: Table, rows: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """Of new rows that are deleted already: that they became so."""
    if "deleted" not in table.info["watched"]:
        return []
    return [_change(table, row, "deleted", False) for row in rows if row["deleted"]]


def _change(table: Table, row: dict[str, Any], field: str, before: Any) -> dict[str, Any]:
    now: datetime = row["synced_at"]
    at = datetime.fromtimestamp(
        max(0.0, min(row["version"] / 1000, now.timestamp())), UTC
    )  # no clock of theirs is ahead
    return {
        "kind": table.name,
        "record_id": row["id"],
        "field": field,
        "before": _text(before),
        "after": _text(row[field]),
        "at": at,
        "learned_at": now,
    }


def _text(value: Any) -> str | None:
    match value:
        case None:
            return None
        case bool():
            return str(value).lower()
        case datetime():
            return value.astimezone(UTC).isoformat()
    return str(value)


async def _find_known(connection: Connection, table: Table, ids: list[str]) -> dict[str, tuple[int, int]]:
    """{id: (version, digest)} of the rows that are there."""
    statement = select(table.c.id, table.c.version, table.c.digest).where(_any_of(connection, table, ids))
    return {row[0]: (row[1], row[2]) for row in await connection.execute(statement)}


def _any_of(connection: Connection, table: Table, ids: list[str]) -> ColumnElement[bool]:
    """Whether a row's id is one of `ids`, which go as one parameter."""
    if connection.dialect.name == "sqlite":
        return among(connection, table.c.id, ids)
    same: ColumnElement[bool] = table.c.id == any_(cast(ids, ARRAY(String)))
    return same


def _supersedes(row: dict[str, Any], version: int, digest: int) -> bool:
    if row["version"] != version:
        return bool(row["version"] > version)
    return bool(row["digest"] != digest)
