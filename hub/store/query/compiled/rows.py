"""The rows a statement is made of: chosen and ordered by the clauses of the ordinary path; what a request gives is bound."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import orjson
from sqlalchemy import (
    ARRAY,
    ColumnElement,
    Dialect,
    FromClause,
    Select,
    String,
    Text,
    TypeDecorator,
    bindparam,
    func,
    select,
)

from hub.store.query.compiled.form import Form
from hub.store.query.compiled.tree import (
    BOUND,
    Fields,
    Filled,
    Given,
    Leaf,
    Named,
    Nested,
    NotCompilableError,
    Part,
)
from hub.store.query.entities import ENTITIES, Entity, customers_where
from hub.store.query.plan import Order, Where
from hub.store.query.select import base, ordering, tests


class _JsonList(TypeDecorator[Any]):
    """A list of keys as one parameter of SQLite."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: Any, dialect: Dialect) -> str | None:
        return None if value is None else orjson.dumps(list(value)).decode()


@dataclass(frozen=True, slots=True)
class Scope:
    """Rows that values are read from: a subselect whose columns are called as the entity's, and its order."""

    entity: Entity
    rows: FromClause
    order: Order

    def column(self, name: str) -> ColumnElement[Any]:
        return self.rows.c[name]


class Rows:
    """Writes subselects of rows. given: by the numbers of the tree's places; form: what is made of the rows."""

    def __init__(self, given: Mapping[int, Given], form: Form, *, sqlite: bool, book: str | None) -> None:
        self.given = given
        self.form = form
        self.sqlite = sqlite
        self.book = book
        self.aliases = iter(range(1_000_000))

    def matching(
        self,
        entity: Entity,
        columns: set[str],
        number: int,
        given: Given,
        *,
        follows: bool,
        order: Order | None = None,
        counted: bool = False,
    ) -> Select[Any]:
        """The rows that count, pass the tests and are in the book."""
        wanted = set(columns)
        if order is not None:
            wanted |= {order.column, entity.id}
        if not wanted and not counted:  # rows of no column are no SQL
            wanted = {entity.grouped[0] if entity.grouped else entity.id}
        statement = base(entity, sorted(wanted), join=given.condition is not None)
        statement = statement.where(*tests(entity.table, list(self.bound(entity, number, given))))
        if not follows:
            statement = statement.where(*entity.in_book(entity.table, self.book))
        if given.condition is not None:
            statement = statement.where(customers_where(given.condition))
        return statement

    def bound(self, entity: Entity, number: int, given: Given) -> Iterator[Where]:
        """The tests, their values bound by name."""
        for index, each in enumerate(given.where):
            if each.operator not in BOUND:
                yield each
                continue
            type_ = entity.table.c[each.column].type
            name = f"where_{number}_{index}"
            if each.operator != "in":
                yield replace(each, value=bindparam(name, type_=type_, required=False))
            elif self.sqlite:
                listed = func.json_each(bindparam(name, type_=_JsonList(), required=False)).table_valued("value")
                yield replace(each, value=select(listed.c.value))
            else:
                yield replace(each, value=select(func.unnest(bindparam(name, type_=ARRAY(String), required=False))))

    def ordered(self, statement: Select[Any], entity: Entity, order: Order) -> Select[Any]:
        value, key = entity.expression(order.column), entity.table.c[entity.id]
        return statement.order_by(*ordering(value, key, order, nullable=entity.nullable(order.column)))

    def scope(self, entity: Entity, statement: Select[Any], order: Order | None) -> Scope:
        return Scope(entity, statement.subquery(f"t{next(self.aliases)}"), order or Order(entity.id))


def entity_of(name: str) -> Entity:
    entity = ENTITIES[name]
    if entity.pages is not None:
        raise NotCompilableError(f"{name} is of no single table")
    return entity


def order_of(given: Given) -> Order:
    assert given.order is not None, "what is a page, or the first of many, has an order"
    return given.order


def needed(fields: Fields) -> set[str]:
    """The columns that an object is made of."""
    found: set[str] = set()
    for _, value in fields:
        match value:
            case Leaf(column) | Named(_, column):
                found.add(column)
            case Filled(_, needs):
                found.update(needs)
            case Part(inner, unless_null):
                found |= needed(inner)
                if unless_null is not None:
                    found.add(unless_null)
            case Nested():
                found.add(value.relation.parent)
    return found
