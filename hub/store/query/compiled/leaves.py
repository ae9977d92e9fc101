"""One value as JSON, as the ordinary path writes it.

Both databases write JSON almost as the ordinary path does, and where they do not it is seen to here: SQLite's JSON rounds
numbers to 15 digits and has no booleans, PostgreSQL's writes 100 for 100.0 and cuts zeros off fractions of seconds. A text that
is JSON already goes in as it is.
"""

from typing import Any

from sqlalchemy import (
    JSON,
    Boolean,
    ColumnElement,
    Date,
    DateTime,
    Float,
    Integer,
    Numeric,
    String,
    Text,
    and_,
    case,
    cast,
    func,
    literal_column,
    null,
    or_,
    type_coerce,
)
from sqlalchemy.dialects.postgresql import JSON as PG_JSON
from sqlalchemy.dialects.postgresql import TIMESTAMP
from sqlalchemy.types import TypeDecorator

from hub.store.query.compiled.tree import FAIL, MARK, Kind, Leaf, NotCompilableError

_FITS: dict[Kind, tuple[type[Any], ...]] = {
    "text": (String,),
    "enum": (String,),
    "int": (Integer,),
    "float": (Float, Numeric, Integer),
    "bool": (Boolean,),
    "date": (Date,),
    "time": (DateTime,),
    "json": (JSON,),
}


def text(value: str) -> ColumnElement[str]:
    """Our own words as a literal, where a parameter would only cost."""
    return literal_column("'" + value.replace("'", "''") + "'", Text())


def leaf(column: ColumnElement[Any], wanted: Leaf, *, sqlite: bool, nullable: bool) -> ColumnElement[Any]:
    """The column as a value of a JSON object."""
    check_kind(column, wanted)
    made = _sqlite(column, wanted) if sqlite else _postgresql(column, wanted)
    if not wanted.required or not nullable:
        return made
    if sqlite:
        return case((column.is_(None), text(FAIL)), else_=made)
    return case((column.is_(None), func.to_json(cast(text(FAIL), Text()))), else_=func.to_json(made))


def check_kind(column: ColumnElement[Any], wanted: Leaf) -> None:
    if not isinstance(_plain(column.type), _FITS[wanted.kind]):
        raise NotCompilableError(f"{wanted.column} is no {wanted.kind}")


def raw(column: ColumnElement[Any], *, sqlite: bool) -> ColumnElement[Any]:
    """The column as JSON of which Python makes what the driver would have given: see `schema.compiled.filling`."""
    kind = kind_of(column)
    if kind == "time":
        return column if not sqlite else type_coerce(column, Text())
    if kind == "float" and sqlite:
        real = cast(column, Float())
        return case((real.is_(None), null()), else_=_exact(real))
    return leaf(column, Leaf("", kind, required=False), sqlite=sqlite, nullable=False)


def kind_of(column: ColumnElement[Any]) -> Kind:
    type_ = _plain(column.type)
    for kind in ("bool", "int", "float", "date", "time", "json", "text"):
        if isinstance(type_, _FITS[kind]):
            return kind
    raise NotCompilableError(f"a column of type {type_!r}")


def filled(code: str, payload: ColumnElement[Any]) -> ColumnElement[str]:
    """What is to be worked out later, marked."""
    return text(f"{MARK}{code}:").concat(payload).concat(text(MARK))


def _plain(type_: Any) -> Any:
    return type_.impl if isinstance(type_, TypeDecorator) else type_


def _sqlite(column: ColumnElement[Any], wanted: Leaf) -> ColumnElement[Any]:
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
            return _enum(column, wanted)
    return column


def _exact(real: ColumnElement[Any]) -> ColumnElement[Any]:
    """The number with 17 digits. What JSON has no number for, infinity, is an error of the statement."""
    return func.json(func.printf(text("%!.17g"), real))


def _is_stored(column: ColumnElement[Any]) -> bool:
    """Whether it is a table's own, whose affinity makes every number a float; what a fact holds may be an int."""
    return any(":" not in base.key for base in column.base_columns if base.key)


def _postgresql(column: ColumnElement[Any], wanted: Leaf) -> ColumnElement[Any]:
    match wanted.kind:
        case "float":
            real = cast(column, Float(53))
            whole = and_(real == func.trunc(real), func.abs(real) < literal_column("1e15", Float()))
            written = cast(cast(real, Text()).concat(text(".0")), PG_JSON())
            return case((whole, written), else_=func.to_json(real))
        case "time":
            utc = func.timezone(text("UTC"), column)
            exact = func.to_json(func.to_char(utc, text('YYYY-MM-DD"T"HH24:MI:SS.US+00:00')))
            moment = type_coerce(column, TIMESTAMP(timezone=True))
            second = cast(moment, TIMESTAMP(timezone=True, precision=0))  # plain arithmetic, which date_trunc is not
            return case((moment == second, func.to_json(column)), else_=exact)
        case "enum":
            return _enum(column, wanted)
    return column


def _enum(column: ColumnElement[Any], wanted: Leaf) -> ColumnElement[Any]:
    members = [(column == text(value), text(name)) for value, name in wanted.names]
    return case(*members, (column.is_(None), null()), else_=text(FAIL))
