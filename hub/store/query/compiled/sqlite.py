"""SQLite's JSON functions. They take at most 127 arguments, so wide objects are put together of several; and its JSON rounds
numbers to 15 digits and has no booleans, which is seen to here.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Float,
    FromClause,
    Integer,
    Select,
    Text,
    case,
    cast,
    func,
    literal_column,
    null,
    or_,
    select,
    type_coerce,
)

from hub.store.query.compiled.form import Made
from hub.store.query.compiled.leaves import check_kind, kind_of, text
from hub.store.query.compiled.tree import CLOSE, FAIL, KEYED, OPEN, Leaf

_WIDEST = 60
"""Pairs of one json_object."""


@dataclass(frozen=True, slots=True)
class _LookedUp:
    """A column whose value is looked up in the finished text by a code. otherwise: where no name stands after it."""

    code: str
    column: ColumnElement[Any]
    otherwise: ColumnElement[Any]


class SqliteForm:
    def constant(self, words: str) -> Made:
        return text(words)

    def leaf(self, column: ColumnElement[Any], wanted: Leaf, *, nullable: bool) -> Made:
        check_kind(column, wanted)
        made = _leaf(column, wanted)
        if wanted.required and nullable:
            made = case((column.is_(None), text(FAIL)), else_=made)
        return _LookedUp(wanted.code(), column, made) if wanted.kind == "enum" else made

    def named(self, word: str, column: ColumnElement[Any], *, nullable: bool) -> Made:
        made = text(word).concat(cast(column, Text()))
        return func.coalesce(made, text(FAIL)) if nullable else made

    def key(self, code: str, column: ColumnElement[Any], *, nullable: bool) -> Made:
        return _LookedUp(code, column, _marked(code, cast(column, Text())))

    def marked(self, code: str, columns: Sequence[ColumnElement[Any]]) -> ColumnElement[str]:
        return _marked(code, func.json_array(*map(_raw, columns)))

    def of_text(self, marked: ColumnElement[str], *, nullable: bool) -> Made:
        return marked

    def count(self, number: ColumnElement[int]) -> Made:
        return number

    def truth(self, test: ColumnElement[bool]) -> Made:
        return func.json(case((type_coerce(test, Integer()) == 1, text("true")), else_=text("false")))

    def object(self, pairs: Sequence[tuple[str, Made]]) -> Made:
        named = _named(pairs)
        objects = [
            func.json_object(*(part for name, value in named[at : at + _WIDEST] for part in (text(name), value)))
            for at in range(0, len(named), _WIDEST)
        ]
        if len(objects) == 1:
            return objects[0]
        inside = _joined([func.substr(each, 2, func.length(each) - 2) for each in objects])
        return func.json(text("{").concat(inside).concat(text("}")))

    def part(self, made: Made, missing: ColumnElement[bool], *, required: bool) -> Made:
        return case((missing, text(FAIL) if required else null()), else_=made)

    def one(self, made: Made, rows: FromClause, *, required: bool) -> Made:
        found = select(made).select_from(rows).scalar_subquery()
        return func.coalesce(found, text(FAIL)) if required else found

    def listed(self, made: Made, rows: FromClause) -> Made:
        return select(func.json_group_array(made)).select_from(rows).scalar_subquery()

    def each(self, made: Made, rows: FromClause) -> Select[Any]:
        return select(made).select_from(rows)

    def whole(self, made: Made) -> Select[Any]:
        return select(made)

    def all(self, made: Made, rows: FromClause) -> tuple[Select[Any], str, str]:
        return select(func.json_group_array(made)).select_from(rows), "", ""


def _named(pairs: Sequence[tuple[str, Made]]) -> list[tuple[str, ColumnElement[Any]]]:
    """Values with their names, in which is marked what is looked up in the finished text (`KEYED`)."""
    named: list[tuple[str, ColumnElement[Any]]] = []
    after = ""
    for at, (name, value) in enumerate(pairs):
        if not isinstance(value, _LookedUp):
            named.append((after + name, value))
            after = ""
        elif at + 1 < len(pairs):
            named.append((after + name + KEYED + value.code, value.column))
            after = KEYED
        else:
            named.append((after + name, value.otherwise))
    return named


def _joined(parts: Sequence[ColumnElement[Any]]) -> ColumnElement[Any]:
    made = parts[0]
    for each in parts[1:]:
        made = made.concat(text(",")).concat(each)
    return made


def _marked(code: str, payload: ColumnElement[Any]) -> ColumnElement[str]:
    return text(f"{OPEN}{code}:").concat(payload).concat(text(CLOSE))


def _raw(column: ColumnElement[Any]) -> ColumnElement[Any]:
    """The column as JSON of which Python makes what the driver would have given: see `schema.compiled.filling`."""
    kind = kind_of(column)
    if kind == "time":
        return type_coerce(column, Text())
    if kind == "float":
        real = cast(column, Float())
        return case((real.is_(None), null()), else_=_exact(real))
    return _leaf(column, Leaf("", kind, required=False))


def _leaf(column: ColumnElement[Any], wanted: Leaf) -> ColumnElement[Any]:
    match wanted.kind:
        case "float":
            # a number of at most six decimals is written right with 15 digits, and only the others are worth more work
            real = column if isinstance(column.type, Float) and _is_stored(column) else cast(column, Float())
            million: ColumnElement[float] = literal_column("1e6", Float())
            short = cast(cast(real * million, Integer()), Float()) / million == real
            return case((or_(real.is_(None), short), real), else_=_exact(real))
        case "bool":
            whole = type_coerce(column, Integer())
            return case((whole == 1, func.json(text("true"))), (whole == 0, func.json(text("false"))), else_=null())
        case "time":
            # as it is stored, but for the T and the zone; of a fraction of a second that is 0, nothing is written
            zoned = func.replace(type_coerce(column, Text()), text(" "), text("T")).concat(text("+00:00"))
            return func.replace(zoned, text(".000000+"), text("+"))
        case "date":
            return type_coerce(column, Text())
        case "json":
            return func.json(type_coerce(column, Text()))
        case "enum":
            members = [(column == text(value), text(name)) for value, name in wanted.names]
            return case(*members, (column.is_(None), null()), else_=text(FAIL))
    return column


def _exact(real: ColumnElement[Any]) -> ColumnElement[Any]:
    """The number with 17 digits. What JSON has no number for, infinity, is an error of the statement."""
    return func.json(func.printf(text("%!.17g"), real))


def _is_stored(column: ColumnElement[Any]) -> bool:
    """Whether it is a table's own, whose affinity makes every number a float; what a fact holds may be an int."""
    return any(":" not in base.key for base in column.base_columns if base.key)
