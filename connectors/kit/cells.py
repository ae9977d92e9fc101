"""Tables as people keep them, as records: which column holds which field, and how a cell is read by the field's own type.

    text as it is; numbers with a point; days 2026-11-22; times 2026-11-22T10:00:00Z (UTC unless they say otherwise);
    true/false, yes/no, 1/0; closed lists by their words, any case; several values as a list, or separated by ";"

An empty cell leaves an optional field unset; a required one sends the row to quarantine. For connectors whose columns are
named by whoever configures them: files and databases.
"""

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from functools import cache
from types import NoneType, UnionType
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

from connectors.kit import values
from connectors.kit.base import BadRowError, Raw
from hub.model.records import RECORD_KINDS, Record

READ_AT = "#read_at"  # milliseconds since 1970, beside a raw row's columns: its version where it has no time of its own
BY_SETTING = frozenset({"key", "version", "company_key"})  # fields that have settings of their own
Parser = Callable[[Any, str], Any]
Kind = Literal[
    "company",
    "contact",
    "ticket",
    "survey_response",
    "subscription",
    "invoice",
    "opportunity",
    "user_activity_day",
    "feature_usage_day",
    "imported_score",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """How a row becomes a record: kind of record, {field: column}, {field: value}, and the columns with a role."""

    kind: str
    columns: Mapping[str, str]
    constants: Mapping[str, Any]
    key: Sequence[str]
    company_key: str | None
    updated_at: str | None

    def missing(self, header: Sequence[str]) -> list[str]:
        """Columns the plan needs and `header` has not, each with what for."""
        needed = {column: f"field {name}" for name, column in self.columns.items()}
        fixed = set(self.columns) | set(self.constants)
        needed.update((name, f"field {name}") for name in required(self.kind) if name not in fixed)
        needed.update((column, "key") for column in self.key)
        needed.update((column, role) for column, role in self._roles())
        return [f"{column!r} for {what}" for column, what in needed.items() if column not in header]

    def _roles(self) -> list[tuple[str, str]]:
        roles = ((self.company_key, "company_key"), (self.updated_at, "updated_at"))
        return [(column, role) for column, role in roles if column is not None]


def constants_of(kind: str, given: Mapping[str, Any]) -> dict[str, Any]:
    """Values that all rows have, read as cells are; ValueError naming the one that cannot be."""
    known = parsers(kind)
    try:
        return {name: known[name](value, name) for name, value in given.items()}
    except BadRowError as error:
        raise ValueError(f"constant {error.field}: {error}") from None


def check_fields(kind: str, *names: str) -> None:
    """ValueError for a field that a kind of record has not, naming those it has."""
    known = parsers(kind)
    for name in names:
        if name not in known:
            raise ValueError(f"a {kind} has no field {name!r}; it has: {', '.join(known)}")


def key_of(raw: Raw, columns: Sequence[str], *, otherwise: str = "") -> str:
    """The row's key: its key cells, joined by ":"; `otherwise` where they are all empty."""
    cells = [str(raw.get(column) if raw.get(column) is not None else "").strip() for column in columns]
    return ":".join(cells) if any(cells) else otherwise


def record(raw: Raw, plan: Plan) -> Record:
    """The record of one row; BadRowError names the column."""
    for column in plan.key:
        if not values.given(raw[column]):
            raise BadRowError("is empty, and part of the key", field=column)
    fields: dict[str, Any] = dict(plan.constants)
    for name, parse in parsers(plan.kind).items():
        column = plan.columns.get(name, name)
        if name in plan.constants or column not in raw:
            continue
        if values.given(raw[column]):
            fields[name] = parse(raw[column], column)
        elif name in required(plan.kind):
            raise BadRowError("is empty", field=column)
    updated = raw[plan.updated_at] if plan.updated_at is not None else None
    key = key_of(raw, plan.key)
    company_key = values.text(raw[plan.company_key]) if plan.company_key is not None else None
    return RECORD_KINDS[plan.kind](
        key=key,
        version=(
            values.version(values.moment(updated, field=str(plan.updated_at)))
            if values.given(updated)
            else int(raw[READ_AT])
        ),
        company_key=key if plan.kind == "company" and company_key is None else company_key,
        **fields,
    )


@cache
def parsers(kind: str) -> Mapping[str, Parser]:
    """{field: how its cell is read} for every field of a kind of record that a column may fill."""
    hints = get_type_hints(RECORD_KINDS[kind])
    return {name: _parser(hint) for name, hint in hints.items() if name not in BY_SETTING}


@cache
def required(kind: str) -> frozenset[str]:
    """The fields a row must have."""
    return frozenset(
        field.name
        for field in dataclasses.fields(RECORD_KINDS[kind])
        if field.default is dataclasses.MISSING
        and field.default_factory is dataclasses.MISSING
        and field.name not in BY_SETTING
    )


def _parser(hint: Any) -> Parser:
    if get_origin(hint) in (Union, UnionType):
        (hint,) = (part for part in get_args(hint) if part is not NoneType)
    if isinstance(hint, type) and issubclass(hint, StrEnum):
        words = {member.value.lower(): member for member in hint}
        return lambda cell, column: values.choice(str(cell).strip().lower(), words, field=column)
    if get_origin(hint) is tuple:
        return lambda cell, column: tuple(part.strip().lower() for part in _several(cell) if part.strip())
    return _PLAIN[hint]


def _several(cell: Any) -> list[str]:
    return [str(part) for part in cell] if isinstance(cell, list | tuple) else str(cell).split(";")


_PLAIN: Mapping[type, Parser] = {
    str: lambda cell, column: str(cell).strip(),
    int: lambda cell, column: values.whole(cell, field=column),
    float: lambda cell, column: values.number(cell, field=column),
    bool: lambda cell, column: values.flag(cell, field=column),
    datetime: lambda cell, column: values.moment(cell, field=column),
    date: lambda cell, column: values.day(cell, field=column),
}
