"""Records that the tables cannot hold: texts too long, numbers too large, characters that PostgreSQL refuses.

SQLite would take most of it; both databases are held to the same, so that one bad row is one row in quarantine and not a
batch that can never land.
"""

from collections.abc import Iterable, Mapping
from dataclasses import fields
from functools import cache
from types import SimpleNamespace
from typing import Any

from sqlalchemy import BigInteger, Integer, String, Table, Text

from hub.model.records import RECORD_KINDS, Quarantined, Record
from hub.store.tables import RECORD_TABLES

INT32, INT64 = 2**31 - 1, 2**63 - 1
Texts = tuple[tuple[str, int | None], ...]
Numbers = tuple[tuple[str, int], ...]


def _limits(kind: str) -> tuple[Texts, Numbers]:
    """(field, most characters or None) of the texts, (field, largest) of the whole numbers of a kind of record."""
    return _limits_of(RECORD_TABLES[kind], tuple(field.name for field in fields(RECORD_KINDS[kind])))


@cache
def _limits_of(table: Table, names: tuple[str, ...]) -> tuple[Texts, Numbers]:
    texts: list[tuple[str, int | None]] = []
    numbers: list[tuple[str, int]] = []
    columns = table.c
    for name in [name for name in names if name in columns]:
        match columns[name].type:
            case Text():
                texts.append((name, None))
            case String() as text:
                texts.append((name, text.length))
            case BigInteger():
                numbers.append((name, INT64))
            case Integer():
                numbers.append((name, INT32))
    return tuple(texts), tuple(numbers)


_LIMITS = {type_: _limits(kind) for kind, type_ in RECORD_KINDS.items()}


def fit(records: Iterable[Record]) -> tuple[list[Record], list[Quarantined]]:
    """The records that fit, and those that don't, each with the field and why."""
    good: list[Record] = []
    bad: list[Quarantined] = []
    for record in records:
        if (problem := _problem(record)) is None:
            good.append(record)
        else:
            field, reason = problem
            raw = {name.name: str(getattr(record, name.name)) for name in fields(record)}
            bad.append(Quarantined(key=record.key, reason=reason, field=field, raw=raw))
    return good, bad


def misfit(table: Table, row: Mapping[str, Any]) -> tuple[str, str] | None:
    """(column, why) of the first value of a row that its table cannot hold."""
    return _first(SimpleNamespace(**row), *_limits_of(table, tuple(row)))


def _problem(record: Record) -> tuple[str, str] | None:
    return _first(record, *_LIMITS[type(record)])


def _first(row: object, texts: Texts, numbers: Numbers) -> tuple[str, str] | None:
    for name, limit in texts:
        value = getattr(row, name)
        if value is None:
            continue
        if limit is not None and len(value) > limit:
            return name, f"{len(value)} characters; {limit} are the most"
        if "\x00" in value:
            return name, "holds a NUL character, which no database keeps"
    for name, largest in numbers:
        value = getattr(row, name)
        if value is not None and not -largest <= value <= largest:
            return name, f"{value} is larger than {largest}"
    return None
