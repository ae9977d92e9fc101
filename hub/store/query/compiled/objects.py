"""Rows as objects and arrays, by the databases' own JSON functions. SQLite's take at most 127 arguments."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import (
    ColumnElement,
    ScalarSelect,
    Select,
    Text,
    case,
    cast,
    func,
    literal_column,
    select,
)
from sqlalchemy.dialects.postgresql import JSON as PG_JSON

from hub.store.query.compiled.leaves import filled, leaf, raw, text
from hub.store.query.compiled.rows import Rows, Scope
from hub.store.query.compiled.tree import (
    FAIL,
    KEYED,
    Constant,
    Fields,
    Filled,
    Leaf,
    Nested,
    Part,
    Value,
)

_CODES = 24
"""Letters that a code may have; the entities' names have fewer."""
_LONGEST_NAME = 63
_WIDEST = 60
"""Pairs of one json_object; SQLite takes 127 arguments."""


class Objects(Rows):
    """Writes values of rows. What is nested in them is written by who knows relations."""

    def nested(self, value: Nested, scope: Scope) -> ColumnElement[Any]:
        raise NotImplementedError

    # -- objects

    def object_of(self, fields: Fields, scope: Scope) -> Select[Any]:
        """One object for each row of the scope; no row, no object."""
        if self.sqlite:
            return select(self.object(fields, scope)).select_from(scope.rows)
        made = self.row(fields, scope)
        return select(func.row_to_json(literal_column(made.name), type_=PG_JSON())).select_from(made)

    def object(self, fields: Fields, scope: Scope) -> ColumnElement[Any]:
        """An object of the row that stands around it."""
        pairs = self.named(fields, scope)
        if not self.sqlite:
            made = select(*(value.label(name) for name, value in pairs)).correlate(scope.rows)
            row = made.subquery(f"o{next(self.aliases)}")
            return (
                select(func.row_to_json(literal_column(row.name), type_=PG_JSON())).select_from(row).scalar_subquery()
            )
        objects = [
            func.json_object(*(part for name, value in pairs[at : at + _WIDEST] for part in (text(name), value)))
            for at in range(0, len(pairs), _WIDEST)
        ]
        if len(objects) == 1:
            return objects[0]
        inside = _joined([func.substr(each, 2, func.length(each) - 2) for each in objects])
        return func.json(text("{").concat(inside).concat(text("}")))

    def row(self, fields: Fields, scope: Scope) -> Any:
        """PostgreSQL: the rows of the scope as rows of the answer."""
        chosen = select(*(value.label(name) for name, value in self.named(fields, scope))).select_from(scope.rows)
        return chosen.subquery(f"r{next(self.aliases)}")

    def named(self, fields: Fields, scope: Scope) -> list[tuple[str, ColumnElement[Any]]]:
        """Values with their names, in which is marked what is looked up in the finished text (`KEYED`)."""
        pairs: list[tuple[str, ColumnElement[Any]]] = []
        after = ""
        for at, (name, value) in enumerate(fields):
            code = _looked_up(value)
            if code is not None and at + 1 < len(fields) and self.holds(name, code, fields[at + 1][0]):
                column = value.needs[0] if isinstance(value, Filled) else value.column  # type: ignore[union-attr]  # nothing else has a code
                pairs.append((after + name + KEYED + code, scope.column(column)))
                after = KEYED
            else:
                pairs.append((after + name, self.value(value, scope)))
                after = ""
        return pairs

    def holds(self, name: str, code: str, following: str) -> bool:
        """Whether PostgreSQL's names have room for the marks, of this field and of what follows it."""
        marks = 2 * len(KEYED)
        return self.sqlite or max(marks + len(name) + len(code), marks + len(following) + _CODES) <= _LONGEST_NAME

    def array_of(self, fields: Fields, scope: Scope) -> ScalarSelect[Any]:
        """All rows of the scope, in its order; an empty array for none."""
        if self.sqlite:
            return select(func.json_group_array(self.object(fields, scope))).select_from(scope.rows).scalar_subquery()
        made = self.row(fields, scope)
        several = func.json_agg(literal_column(made.name), type_=PG_JSON())
        empty = cast(text("[]"), PG_JSON())
        return select(func.coalesce(several, empty, type_=PG_JSON())).select_from(made).scalar_subquery()

    def value(self, value: Value, scope: Scope) -> ColumnElement[Any]:
        match value:
            case Leaf():
                nullable = scope.entity.nullable(value.column) or value.column in scope.entity.aggregates
                return leaf(scope.column(value.column), value, sqlite=self.sqlite, nullable=nullable)
            case Constant():
                return text(value.text)
            case Filled():
                return self.filled(value, scope)
            case Part():
                made = self.object(value.fields, scope)
                if value.unless_null is None:
                    return made
                return case(
                    (scope.column(value.unless_null).is_(None), self.failure() if value.required else self.null()),
                    else_=made,
                )
            case Nested():
                return self.nested(value, scope)

    def filled(self, value: Filled, scope: Scope) -> ColumnElement[Any]:
        if value.plain:
            return filled(value.code, cast(scope.column(value.needs[0]), Text()))
        return filled(value.code, self.listed_values([scope.column(name) for name in value.needs]))

    def listed_values(self, columns: Sequence[ColumnElement[Any]]) -> ColumnElement[Any]:
        values = [raw(column, sqlite=self.sqlite) for column in columns]
        if self.sqlite:
            return func.json_array(*values)
        return cast(func.json_build_array(*values), Text())

    def failure(self) -> ColumnElement[Any]:
        return text(FAIL) if self.sqlite else func.to_json(cast(text(FAIL), Text()), type_=PG_JSON())

    def null(self) -> ColumnElement[Any]:
        return literal_column("NULL") if self.sqlite else literal_column("NULL::json", PG_JSON())


def _looked_up(value: Value) -> str | None:
    """By which code the value is looked up; None for what is not."""
    if isinstance(value, Filled) and value.plain:
        return value.code
    return value.code() if isinstance(value, Leaf) and value.kind == "enum" else None


def _joined(parts: Sequence[ColumnElement[Any]]) -> ColumnElement[Any]:
    made = parts[0]
    for each in parts[1:]:
        made = made.concat(text(",")).concat(each)
    return made
