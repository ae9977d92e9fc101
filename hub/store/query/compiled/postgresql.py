"""PostgreSQL: JSON as texts put one after the other, which costs the database less than its JSON of rows does, and the more
so what is filled in: a mark belongs to the words around it and costs nothing.

    '{"plan":' || json_scalar(plan) || ',"seats":' || CAST(seats AS TEXT) || '}'

A made value is a list of pieces: words of our own, and columns. Values escape what records hold; only keys that are still to be
sealed stand in the text as they are, between marks, and what stands between those is replaced.
"""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Dialect,
    Float,
    FromClause,
    Select,
    Text,
    case,
    cast,
    func,
    literal_column,
    not_,
    select,
    type_coerce,
)
from sqlalchemy.dialects.postgresql import TIMESTAMP

from hub.store.query.compiled.form import Made
from hub.store.query.compiled.leaves import check_kind, kind_of, text
from hub.store.query.compiled.tree import CLOSE, FAIL, OPEN, Leaf

Piece = str | ColumnElement[Any]
_SCALAR_SINCE = (17,)
"""The version from which json_scalar is there, which finds out once a statement, not once a value, what type it is given."""


class PostgresqlForm:
    def __init__(self, dialect: Dialect) -> None:
        version: tuple[int, ...] = getattr(dialect, "server_version_info", None) or ()
        self._scalar = func.json_scalar if version >= _SCALAR_SINCE else func.to_json

    def constant(self, words: str) -> Made:
        return [f'"{words}"']

    def leaf(self, column: ColumnElement[Any], wanted: Leaf, *, nullable: bool) -> Made:
        check_kind(column, wanted)
        missing = FAIL if wanted.required else "null"
        match wanted.kind:
            case "text":
                return [_or(cast(self._scalar(column), Text()), missing, nullable=nullable)]
            case "date":
                made = cast(column, Text())
                return [_or(_quoted(made), missing, nullable=True)] if nullable else ['"', made, '"']
            case "time":
                return [_or(self.time(column), missing, nullable=nullable)]
            case "float":
                return [_float(column, missing)]
            case "bool":
                return [case((column, text("true")), (not_(column), text("false")), else_=text(missing))]
            case "enum":
                members = [(column == text(value), text(f'"{name}"')) for value, name in wanted.names]
                none = [] if wanted.required else [(column.is_(None), text("null"))]
                return [case(*members, *none, else_=text(FAIL))]
        return [_or(cast(column, Text()), missing, nullable=nullable)]

    def time(self, column: ColumnElement[Any]) -> ColumnElement[str]:
        """As it is, but that fractions of a second keep their zeros."""
        utc = func.timezone(text("UTC"), column)
        exact = _quoted(func.to_char(utc, text('YYYY-MM-DD"T"HH24:MI:SS.US+00:00')))
        moment = type_coerce(column, TIMESTAMP(timezone=True))
        second = cast(moment, TIMESTAMP(timezone=True, precision=0))  # plain arithmetic, which date_trunc is not
        return case((moment == second, cast(self._scalar(column), Text())), else_=exact)

    def named(self, word: str, column: ColumnElement[Any], *, nullable: bool) -> Made:
        written = cast(self._scalar(cast(column, Text())), Text())
        return [f'"{word}', _or(func.substr(written, 2), FAIL, nullable=nullable)]

    def key(self, code: str, column: ColumnElement[Any], *, nullable: bool) -> Made:
        own = cast(column, Text())
        return [f"{OPEN}{code}:", _or(own, FAIL, nullable=nullable), CLOSE]

    def marked(self, code: str, columns: Sequence[ColumnElement[Any]]) -> ColumnElement[str]:
        pieces: list[Piece] = [f"{OPEN}{code}:"]
        for at, column in enumerate(columns):
            wanted = Leaf("", kind_of(column), required=False)
            pieces += "," if at else "[", *self.leaf(column, wanted, nullable=True)
        return _text([*pieces, f"]{CLOSE}"])

    def of_text(self, marked: ColumnElement[str], *, nullable: bool) -> Made:
        return [_or(marked, "null", nullable=nullable)]

    def count(self, number: ColumnElement[int]) -> Made:
        return [cast(number, Text())]

    def truth(self, test: ColumnElement[bool]) -> Made:
        return [case((test, text("true")), else_=text("false"))]

    def object(self, pairs: Sequence[tuple[str, Made]]) -> Made:
        pieces: list[Piece] = []
        for name, value in pairs:
            pieces += f'{"," if pieces else "{"}"{name}":', *value
        return _whole([*pieces, "}"])

    def part(self, made: Made, missing: ColumnElement[bool], *, required: bool) -> Made:
        return [case((missing, text(FAIL if required else "null")), else_=_text(made))]

    def one(self, made: Made, rows: FromClause, *, required: bool) -> Made:
        found = select(_row(made)).select_from(rows).scalar_subquery()
        return [func.coalesce(found, text(FAIL if required else "null"))]

    def listed(self, made: Made, rows: FromClause) -> Made:
        first, several, last = _rows(made)
        found = func.coalesce(text(f"[{first}").concat(several).concat(text(f"{last}]")), text("[]"))
        return [select(found).select_from(rows).scalar_subquery()]

    def each(self, made: Made, rows: FromClause) -> Select[Any]:
        return select(_row(made)).select_from(rows)

    def whole(self, made: Made) -> Select[Any]:
        return select(_row(made))

    def all(self, made: Made, rows: FromClause) -> tuple[Select[Any], str, str]:
        first, several, last = _rows(made)  # nothing is put around it here: a large text is copied each time
        return select(several).select_from(rows), f"[{first}", f"{last}]"


def _rows(made: Made) -> tuple[str, ColumnElement[str], str]:
    """All rows in one text. What each of them begins and ends with stands between them, once; and what is before and after."""
    first, *between, last = made if len(made) > 1 else [*made, ""]
    return first, func.string_agg(_row(between or [""]), text(f"{last},{first}")), last


def _whole(pieces: Sequence[Piece]) -> list[Piece]:
    """The same in as few pieces as can be."""
    made: list[Piece] = []
    for each in pieces:
        if made and isinstance(each, str) and isinstance(last := made[-1], str):
            made[-1] = last + each
        else:
            made.append(each)
    return made


def _text(pieces: Sequence[Piece]) -> ColumnElement[str]:
    """One after the other, by halves, so that an expression is not as deep as its row is wide; concat() costs twice as much."""
    return _joined([text(each) if isinstance(each, str) else each for each in _whole(pieces)])


def _joined(columns: Sequence[ColumnElement[str]]) -> ColumnElement[str]:
    if len(columns) == 1:
        return columns[0]
    middle = len(columns) // 2
    return _joined(columns[:middle]).concat(_joined(columns[middle:]))


def _row(pieces: Sequence[Piece]) -> ColumnElement[str]:
    """Of a row; a null where none can be would leave it out."""
    return func.coalesce(_text(pieces), text(FAIL))


def _quoted(made: ColumnElement[str]) -> ColumnElement[str]:
    return text('"').concat(made).concat(text('"'))


def _or(made: ColumnElement[str], missing: str, *, nullable: bool) -> ColumnElement[str]:
    """What stands where it is null; for a null among what is put together, all of it is null."""
    return func.coalesce(made, text(missing)) if nullable else made


def _float(column: ColumnElement[Any], missing: str) -> ColumnElement[str]:
    """100 is written as 100.0; what JSON has no number for may not be."""
    real = cast(column, Float(53))
    written = cast(real, Text())
    size = func.abs(real)
    whole = case(  # infinity is, and what is no number
        (size < literal_column("1e15", Float()), written.concat(text(".0"))),
        (size < literal_column("'Infinity'::float8", Float()), written),
        else_=text(FAIL),
    )
    return func.coalesce(case((real == func.trunc(real), whole), else_=written), text(missing))
