"""What kinds of values columns hold, and words of our own in SQL."""

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
    literal_column,
)
from sqlalchemy.types import TypeDecorator

from hub.store.query.compiled.tree import Kind, Leaf, NotCompilableError

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


def check_kind(column: ColumnElement[Any], wanted: Leaf) -> None:
    if not isinstance(_plain(column.type), _FITS[wanted.kind]):
        raise NotCompilableError(f"{wanted.column} is no {wanted.kind}")


def kind_of(column: ColumnElement[Any]) -> Kind:
    type_ = _plain(column.type)
    for kind in ("bool", "int", "float", "date", "time", "json", "text"):
        if isinstance(type_, _FITS[kind]):
            return kind
    raise NotCompilableError(f"a column of type {type_!r}")


def _plain(type_: Any) -> Any:
    return type_.impl if isinstance(type_, TypeDecorator) else type_
