"""A tree as one statement: objects and arrays of the databases' own JSON functions, relations as correlated subselects.

SQLite's functions take at most 127 arguments, so wide objects are put together of several. PostgreSQL makes objects of rows,
which is both compact and faster than naming each key. Each relation's rows are first chosen, in order and cut to their page,
by a subselect that the ordinary path's own clauses make (`hub.store.query.select`); the JSON is made of what it returns.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Dialect,
    Integer,
    Select,
    Text,
    bindparam,
    func,
    select,
)
from sqlalchemy.dialects.postgresql import JSON as PG_JSON

from hub.store.query.compiled.columns import Columns, writable
from hub.store.query.compiled.leaves import text
from hub.store.query.compiled.rows import Scope, entity_of, needed, order_of
from hub.store.query.compiled.tree import (
    FAIL,
    MARKS,
    WRITTEN,
    Fields,
    Given,
    Marks,
    Nested,
    Root,
)

_LITERAL = re.compile(r"'(?:[^']|'')*'")
_QUOTED = re.compile(rf"""{_LITERAL.pattern}|"[^"]*\"""")


@dataclass(frozen=True, slots=True)
class Compiled:
    """A statement: its text, the names of its parameters in order, what those that never change are; the marks it writes.

    columns  the fields of a list that it returns by their columns; None where it returns JSON
    """

    sql: str
    names: tuple[str, ...]
    fixed: Mapping[str, Any]
    processors: Mapping[str, Any]
    marks: Marks
    columns: Fields | None = None

    def parameters(self, given: Mapping[str, Any]) -> list[Any]:
        """In their order, as the driver takes them."""
        values = []
        for name in self.names:
            value = given[name] if name in given else self.fixed[name]
            process = self.processors.get(name)
            values.append(value if process is None else process(value))
        return values


def compile_tree(root: Root, given: Mapping[int, Given], *, dialect: Dialect, book: str | None) -> Compiled:
    """The statement for requests of this shape. NotCompilableError where it can't be made."""
    sqlite = dialect.name == "sqlite"
    writer = _Writer(given, sqlite=sqlite, book=book)
    columns = None if sqlite else writable(root)
    statement = writer.root(root) if columns is None else writer.by_columns(root.entity, columns)
    compiled: Any = statement.compile(dialect=dialect, compile_kwargs={"render_postcompile": True})
    names = tuple(compiled.positiontup or ())
    # what the types make of values is kept by name, expanded lists included; SQLAlchemy shows it nowhere else
    sql, marks = (_bytewise if sqlite else _named)(str(compiled))
    return Compiled(sql, names, dict(compiled.params), dict(compiled._bind_processors), marks, columns)


def _named(sql: str) -> tuple[str, Marks]:
    """The statement with the marks of PostgreSQL in its names."""
    marks = MARKS["postgresql"]
    here, there = WRITTEN.keyed.decode(), marks.keyed.decode()

    def written(quoted: re.Match[str]) -> str:
        return quoted.group().replace(here, there) if quoted.group()[0] == '"' else quoted.group()

    unused = {each.name: b"" for each in fields(Marks) if getattr(WRITTEN, each.name).decode() not in sql}
    return _QUOTED.sub(written, sql), replace(marks, **unused)


def _bytewise(sql: str) -> tuple[str, Marks]:
    """The statement with the marks of SQLite in its literals, which can only be written in hex."""
    ours, theirs = WRITTEN, MARKS["sqlite"]

    def written(literal: re.Match[str]) -> str:
        plain = made = literal.group()[1:-1].replace("''", "'").encode()
        for each in fields(Marks):
            made = made.replace(getattr(ours, each.name), getattr(theirs, each.name))
        return literal.group() if made == plain else f"CAST(x'{made.hex()}' AS TEXT)"

    return _LITERAL.sub(written, sql), theirs


class _Writer(Columns):
    def root(self, root: Root) -> Select[Any]:
        entity = entity_of(root.entity)
        given = self.given[0]
        if root.page is not None:
            bare = root.only() is not None
            return select(self.page(entity, root.page, 0, given, None, None, entity_follows=False, bare=bare))
        assert root.fields is not None, "what is no page is an object"
        statement = self.matching(entity, needed(root.fields), 0, given, follows=False)
        if given.key is not None:
            statement = statement.where(entity.table.c[entity.id] == bindparam("key_0", type_=Text(), required=False))
        else:
            statement = self.ordered(statement, entity, order_of(given)).limit(1)
        return self.object_of(root.fields, self.scope(entity, statement, given.order))

    # -- relations

    def nested(self, value: Nested, scope: Scope) -> ColumnElement[Any]:
        relation, given = value.relation, self.given[value.number]
        entity = entity_of(relation.entity)
        follows = entity.follows(scope.entity.name, relation)
        parent = scope.column(relation.parent)
        given = given.in_order(relation.order)
        if relation.shape == "count":
            return self.count(entity, value.number, given, parent, relation.key, scope, follows=follows)
        if value.page is not None:
            return self.page(
                entity, value.page, value.number, given, (parent, relation.key), scope, entity_follows=follows
            )
        assert value.fields is not None, "what is no page and no count is made of objects"
        columns = needed(value.fields)
        single = relation.shape == "one"
        sorted_ = not (single and relation.unique) and not entity.grouped
        order = relation.order if sorted_ else None
        statement = self.matching(entity, columns, value.number, given, follows=follows, order=order)
        statement = statement.where(entity.table.c[relation.key] == parent)
        if sorted_:
            statement = self.ordered(statement, entity, relation.order)
        elif entity.grouped:
            by = entity.expression(relation.order.column)
            ties = [entity.table.c[name] for name in entity.grouped if name != relation.order.column]
            statement = statement.order_by(by.desc() if relation.order.descending else by.asc(), *ties)
        if single and not relation.unique:
            statement = statement.limit(1)
        elif given.first is not None:
            statement = statement.limit(bindparam(f"first_{value.number}", type_=Integer(), required=False))
        elif self.sqlite and not single:
            statement = statement.limit(-1)  # or the order of a subselect may be left out
        inner = self.scope(entity, statement.correlate(scope.rows), relation.order)
        if not single:
            return self.array_of(value.fields, inner)
        one = self.object_of(value.fields, inner).scalar_subquery()
        if self.sqlite:
            return func.coalesce(one, text(FAIL)) if value.required else one
        return func.coalesce(one, self.failure(), type_=PG_JSON()) if value.required else one
