"""PostgreSQL: a list of rows, and pages of others in each of them, by their columns; `schema.compiled.writing` makes it JSON.

    [{"id":…,"tickets":{"nodes":[{"subject":…}]}}]
    SELECT concat(number of rows; ids …; tickets of each …)

An object of each row is most of what JSON costs the database: writing the values of a column one after the other takes half the
time. Values have `BETWEEN` between them, columns `AFTER`; where a record holds one of these, there are more values than rows,
or more columns, and the ordinary path answers. All values are texts as the database writes them; a mark is null.

What is nested is a column, too: values of its rows, each row followed by a comma, the last one by the number of them. Of no
rows it is a row of nulls, and 0.

A tree that has more than such rows is written as JSON by the database (`writable`).
"""

from collections.abc import Iterator

from sqlalchemy import ColumnElement, Float, Select, Text, case, cast, func, select

from hub.store.query.compiled.leaves import check_kind, text
from hub.store.query.compiled.pages import Pages
from hub.store.query.compiled.rows import Scope, entity_of, needed, order_of
from hub.store.query.compiled.tree import (
    AFTER,
    BETWEEN,
    MARK,
    Constant,
    Fields,
    Filled,
    Leaf,
    Nested,
    Nodes,
    Paged,
    Part,
    Root,
)

_MOST = 45
"""Columns of one list; a function of PostgreSQL takes 100 arguments."""


def writable(root: Root) -> Fields | None:
    """The fields of the list that is all of a root, where they can be written by their columns."""
    fields = _only(root.page)
    return fields if fields is not None and _fits(fields, nested=True) else None


def _only(page: Paged | None) -> Fields | None:
    match page:
        case Paged(((_, Nodes(fields)),)):
            return fields
    return None


def _fits(fields: Fields, *, nested: bool) -> bool:
    return 0 < width(fields) <= _MOST and all(_is_plain(value, nested=nested) for _, value in fields)


def width(fields: Fields) -> int:
    """How many columns rows have."""
    total = 0
    for _, value in fields:
        match value:
            case Leaf() | Filled() | Nested():
                total += 1
            case Part():
                total += width(value.fields) + (value.unless_null is not None)
    return total


def _is_plain(value: object, *, nested: bool) -> bool:
    match value:
        case Constant() | Filled(_, (_,), True):
            return True
        case Leaf():
            return value.kind != "json"
        case Part():
            return all(_is_plain(each, nested=False) for _, each in value.fields)
        case Nested():
            below = _only(value.page)
            return nested and below is not None and _fits(below, nested=False)
    return False


class Columns(Pages):
    """Writes lists by their columns."""

    def by_columns(self, name: str, fields: Fields) -> Select[str]:
        entity, given = entity_of(name), self.given[0]
        rows = self.chosen(entity, needed(fields), 0, given, follows=False)
        scope = self.scope(entity, rows, order_of(given))
        several: list[ColumnElement[str]] = [cast(func.count(), Text())]
        for column in self.of(fields, scope):
            several += [text(AFTER), func.string_agg(column, text(BETWEEN))]
        return select(func.concat(*several)).select_from(scope.rows)

    def below(self, value: Nested, scope: Scope) -> ColumnElement[str]:
        """A relation's rows of one row."""
        relation, given = value.relation, self.given[value.number]
        entity, fields = entity_of(relation.entity), _only(value.page)
        assert fields is not None, "a page that fits has a list"
        given = given.in_order(relation.order)
        above = scope.column(relation.parent), relation.key
        follows = entity.follows(scope.entity.name, relation)
        chosen = self.chosen(entity, needed(fields), value.number, given, follows=follows, above=above, scope=scope)
        inner = self.scope(entity, chosen, relation.order)
        row = func.concat_ws(text(BETWEEN), *self.of(fields, inner))
        rows = func.string_agg(row, text(f"{BETWEEN},{BETWEEN}"))
        none = text(BETWEEN.join([MARK] * width(fields)))
        listed = func.concat(func.coalesce(rows, none), text(BETWEEN), func.count())
        return select(listed).select_from(inner.rows).correlate(scope.rows).scalar_subquery()

    def of(self, fields: Fields, scope: Scope) -> Iterator[ColumnElement[str]]:
        """In the order of the tree."""
        for _, value in fields:
            match value:
                case Leaf():
                    nullable = scope.entity.nullable(value.column) or value.column in scope.entity.aggregates
                    column = self.plain(value, scope)
                    yield _or_mark(column) if nullable else column
                case Filled():
                    yield _or_mark(cast(scope.column(value.needs[0]), Text()))
                case Part():
                    if value.unless_null is not None:
                        missing = scope.column(value.unless_null).is_(None)
                        yield case((missing, text("1")), else_=text("0"))
                    yield from self.of(value.fields, scope)
                case Nested():
                    yield self.below(value, scope)

    def plain(self, value: Leaf, scope: Scope) -> ColumnElement[str]:
        column = scope.column(value.column)
        check_kind(column, value)
        if value.kind == "float":
            column = cast(column, Float(53))
        return cast(column, Text())


def _or_mark(value: ColumnElement[str]) -> ColumnElement[str]:
    return func.coalesce(value, text(MARK))
