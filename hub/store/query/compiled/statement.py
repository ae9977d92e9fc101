"""A tree as one statement: objects and lists in the form of the database (`form`), relations as correlated subselects.

Each relation's rows are first chosen, in order and cut to their page, by a subselect that the ordinary path's own clauses make
(`hub.store.query.select`); the JSON is made of what it returns.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import Dialect, Integer, Select, Text, bindparam

from hub.store.query.compiled.form import Form, Made
from hub.store.query.compiled.pages import Pages
from hub.store.query.compiled.postgresql import PostgresqlForm
from hub.store.query.compiled.rows import Scope, entity_of, needed, order_of
from hub.store.query.compiled.sqlite import SqliteForm
from hub.store.query.compiled.tree import (
    CLOSE,
    FAIL,
    KEYED,
    MARKS,
    OPEN,
    Constant,
    Fields,
    Filled,
    Given,
    Leaf,
    Marks,
    Named,
    Nested,
    Nodes,
    NotCompilableError,
    Paged,
    Part,
    Root,
    Value,
)

_LITERAL = re.compile(r"'(?:[^']|'')*'")


@dataclass(frozen=True, slots=True)
class Compiled:
    """A statement: its text, the names of its parameters in order, what those that never change are; the marks it writes.

    around  what its text is still to stand between; where that is something, and there are no rows, the text is null
    """

    sql: str
    names: tuple[str, ...]
    fixed: Mapping[str, Any]
    processors: Mapping[str, Any]
    marks: Marks
    around: tuple[bytes, bytes]

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
    form: Form = SqliteForm() if sqlite else PostgresqlForm(dialect)
    statement, before, after = _Writer(given, form, sqlite=sqlite, book=book).root(root)
    compiled: Any = statement.compile(dialect=dialect, compile_kwargs={"render_postcompile": True})
    names = tuple(compiled.positiontup or ())
    sql, marks = str(compiled), MARKS[dialect.name]
    written = before + sql
    marks = replace(
        marks,
        mark=marks.mark if OPEN in written else b"",
        fail=marks.fail if FAIL in written else b"",
        keyed=marks.keyed if KEYED in written else b"",
    )
    # what the types make of values is kept by name, expanded lists included; SQLAlchemy shows it nowhere else
    processors = dict(compiled._bind_processors)
    around = before.encode(), after.encode()
    return Compiled(_bytewise(sql) if sqlite else sql, names, dict(compiled.params), processors, marks, around)


def _bytewise(sql: str) -> str:
    """The statement with the marks of SQLite in its literals, which can only be written in hex."""
    marks = MARKS["sqlite"]
    written_as = {
        OPEN.encode(): marks.mark,
        CLOSE.encode(): marks.mark,
        FAIL.encode(): marks.fail,
        KEYED.encode(): marks.keyed,
    }

    def written(literal: re.Match[str]) -> str:
        plain = made = literal.group()[1:-1].replace("''", "'").encode()
        for ours, theirs in written_as.items():
            made = made.replace(ours, theirs)
        return literal.group() if made == plain else f"CAST(x'{made.hex()}' AS TEXT)"

    return _LITERAL.sub(written, sql)


class _Writer(Pages):
    def root(self, root: Root) -> tuple[Select[Any], str, str]:
        """The statement, and what its text is still to stand between."""
        entity = entity_of(root.entity)
        given = self.given[0]
        match root.page:
            case Paged(((_, Nodes(fields)),)):
                scope = self.scope(
                    entity, self.chosen(entity, needed(fields), 0, given, follows=False), order_of(given)
                )
                return self.form.all(self.object(fields, scope), scope.rows)
            case Paged():
                return self.form.whole(self.page(entity, root.page, 0, given, None, None, entity_follows=False)), "", ""
        assert root.fields is not None, "what is no page is an object"
        statement = self.matching(entity, needed(root.fields), 0, given, follows=False)
        if given.key is not None:
            statement = statement.where(entity.table.c[entity.id] == bindparam("key_0", type_=Text(), required=False))
        else:
            statement = self.ordered(statement, entity, order_of(given)).limit(1)
        scope = self.scope(entity, statement, given.order)
        return self.form.each(self.object(root.fields, scope), scope.rows), "", ""

    # -- values

    def object(self, fields: Fields, scope: Scope) -> Made:
        """Of the row that stands around it."""
        return self.form.object([(name, self.value(value, scope)) for name, value in fields])

    def value(self, value: Value, scope: Scope) -> Made:
        match value:
            case Leaf(column):
                return self.form.leaf(scope.column(column), value, nullable=_nullable(scope, column))
            case Named(word, column):
                return self.form.named(word, scope.column(column), nullable=_nullable(scope, column))
            case Constant(words):
                return self.form.constant(words)
            case Filled(code, (column,), True):
                return self.form.key(code, scope.column(column), nullable=_nullable(scope, column))
            case Filled(code, columns):
                marked = self.form.marked(code, [scope.column(name) for name in columns])
                return self.form.of_text(marked, nullable=False)
            case Part(fields, None):
                return self.object(fields, scope)
            case Part(fields, str(missing)):
                made = self.object(fields, scope)
                return self.form.part(made, scope.column(missing).is_(None), required=value.required)
            case Nested():
                return self.nested(value, scope)
        raise NotCompilableError(f"{value} is of no known kind")

    # -- relations

    def nested(self, value: Nested, scope: Scope) -> Made:
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
        made = self.object(value.fields, inner)
        return (
            self.form.one(made, inner.rows, required=value.required) if single else self.form.listed(made, inner.rows)
        )


def _nullable(scope: Scope, column: str) -> bool:
    return scope.entity.nullable(column) or column in scope.entity.aggregates
