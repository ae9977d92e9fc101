"""A tree as one statement: objects and arrays of the databases' own JSON functions, relations as correlated subselects.

SQLite's functions take at most 127 arguments, so wide objects are put together of several. PostgreSQL makes objects of rows,
which is both compact and faster than naming each key. Each relation's rows are first chosen, in order and cut to their page,
by a subselect that the ordinary path's own clauses make (`hub.store.query.select`); the JSON is made of what it returns.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import orjson
from sqlalchemy import (
    ARRAY,
    ColumnElement,
    Dialect,
    FromClause,
    Integer,
    ScalarSelect,
    Select,
    String,
    Table,
    Text,
    TypeDecorator,
    bindparam,
    case,
    cast,
    func,
    literal_column,
    select,
    type_coerce,
)
from sqlalchemy.dialects.postgresql import JSON as PG_JSON

from hub.store.query.compiled.leaves import filled, leaf, raw, text
from hub.store.query.compiled.tree import (
    BOUND,
    FAIL,
    Constant,
    Cursor,
    Edges,
    Fields,
    Filled,
    Given,
    Leaf,
    Nested,
    Nodes,
    NotCompilableError,
    Paged,
    PageInfo,
    Part,
    Root,
    Total,
    Value,
)
from hub.store.query.entities import ENTITIES, Entity, customers_where
from hub.store.query.plan import Order, Position, Where
from hub.store.query.select import base, beyond, ordering, tests

_WIDEST = 60
"""Pairs of one json_object; SQLite takes 127 arguments."""
_TENS = 1_000_000
"""Added to a row's number, so that numbers compare as texts do."""


class _JsonList(TypeDecorator[Any]):
    """A list of keys as one parameter of SQLite."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: Any, dialect: Dialect) -> str | None:
        return None if value is None else orjson.dumps(list(value)).decode()


@dataclass(frozen=True, slots=True)
class Compiled:
    """A statement: its text, the names of its parameters in order, and what those that never change are."""

    sql: str
    names: tuple[str, ...]
    fixed: Mapping[str, Any]
    processors: Mapping[str, Any]

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
    statement = _Writer(given, sqlite=dialect.name == "sqlite", book=book).root(root)
    compiled: Any = statement.compile(dialect=dialect, compile_kwargs={"render_postcompile": True})
    names = tuple(compiled.positiontup or ())
    # what the types make of values is kept by name, expanded lists included; SQLAlchemy shows it nowhere else
    return Compiled(str(compiled), names, dict(compiled.params), dict(compiled._bind_processors))


@dataclass(frozen=True, slots=True)
class _Scope:
    """Rows that values are read from: a subselect whose columns are called as the entity's, and its order."""

    entity: Entity
    rows: FromClause
    order: Order

    def column(self, name: str) -> ColumnElement[Any]:
        return self.rows.c[name]


class _Writer:
    def __init__(self, given: Mapping[int, Given], *, sqlite: bool, book: str | None) -> None:
        self.given = given
        self.sqlite = sqlite
        self.book = book
        self.aliases = iter(range(1_000_000))

    # -- rows

    def root(self, root: Root) -> Select[Any]:
        entity = _entity(root.entity)
        given = self.given[0]
        if root.page is not None:
            return select(self.page(entity, root.page, 0, given, None, None, entity_follows=False))
        assert root.fields is not None, "what is no page is an object"
        statement = self.matching(entity, _needed(root.fields), 0, given, follows=False)
        if given.key is not None:
            statement = statement.where(entity.table.c[entity.id] == bindparam("key_0", type_=Text()))
        else:
            statement = self.ordered(statement, entity, _order(given)).limit(1)
        return self.object_of(root.fields, self.scope(entity, statement, given.order))

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
                yield replace(each, value=bindparam(name, type_=type_))
            elif self.sqlite:
                listed = func.json_each(bindparam(name, type_=_JsonList())).table_valued("value")
                yield replace(each, value=select(listed.c.value))
            else:
                yield replace(each, value=select(func.unnest(bindparam(name, type_=ARRAY(String)))))

    def ordered(self, statement: Select[Any], entity: Entity, order: Order) -> Select[Any]:
        value, key = entity.expression(order.column), entity.table.c[entity.id]
        return statement.order_by(*ordering(value, key, order, nullable=entity.nullable(order.column)))

    def scope(self, entity: Entity, statement: Select[Any], order: Order | None) -> _Scope:
        return _Scope(entity, statement.subquery(f"t{next(self.aliases)}"), order or Order(entity.id))

    # -- objects

    def object_of(self, fields: Fields, scope: _Scope) -> Select[Any]:
        """One object for each row of the scope; no row, no object."""
        if self.sqlite:
            return select(self.object(fields, scope)).select_from(scope.rows)
        made = self.row(fields, scope)
        return select(func.row_to_json(literal_column(made.name), type_=PG_JSON())).select_from(made)

    def object(self, fields: Fields, scope: _Scope) -> ColumnElement[Any]:
        """An object of the row that stands around it."""
        pairs = [(name, self.value(value, scope)) for name, value in fields]
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

    def row(self, fields: Fields, scope: _Scope) -> Any:
        """PostgreSQL: the rows of the scope as rows of the answer."""
        chosen = select(*(self.value(value, scope).label(name) for name, value in fields)).select_from(scope.rows)
        return chosen.subquery(f"r{next(self.aliases)}")

    def array_of(self, fields: Fields, scope: _Scope) -> ScalarSelect[Any]:
        """All rows of the scope, in its order; an empty array for none."""
        if self.sqlite:
            return select(func.json_group_array(self.object(fields, scope))).select_from(scope.rows).scalar_subquery()
        made = self.row(fields, scope)
        several = func.json_agg(literal_column(made.name), type_=PG_JSON())
        empty = cast(text("[]"), PG_JSON())
        return select(func.coalesce(several, empty, type_=PG_JSON())).select_from(made).scalar_subquery()

    def value(self, value: Value, scope: _Scope) -> ColumnElement[Any]:
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

    def filled(self, value: Filled, scope: _Scope) -> ColumnElement[Any]:
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

    # -- relations

    def nested(self, value: Nested, scope: _Scope) -> ColumnElement[Any]:
        relation, given = value.relation, self.given[value.number]
        entity = _entity(relation.entity)
        follows = entity.follows(scope.entity.name, relation)
        parent = scope.column(relation.parent)
        given = replace(given, order=relation.order)
        if relation.shape == "count":
            return self.count(entity, value.number, given, parent, relation.key, scope, follows=follows)
        if value.page is not None:
            return self.page(
                entity, value.page, value.number, given, (parent, relation.key), scope, entity_follows=follows
            )
        assert value.fields is not None, "what is no page and no count is made of objects"
        columns = _needed(value.fields)
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
            statement = statement.limit(bindparam(f"first_{value.number}", type_=Integer()))
        elif self.sqlite and not single:
            statement = statement.limit(-1)  # or the order of a subselect may be left out
        inner = self.scope(entity, statement.correlate(scope.rows), relation.order)
        if not single:
            return self.array_of(value.fields, inner)
        one = self.object_of(value.fields, inner).scalar_subquery()
        if self.sqlite:
            return func.coalesce(one, text(FAIL)) if value.required else one
        return func.coalesce(one, self.failure(), type_=PG_JSON()) if value.required else one

    def count(
        self,
        entity: Entity,
        number: int,
        given: Given,
        parent: ColumnElement[Any] | None,
        key: str | None,
        scope: _Scope | None,
        *,
        follows: bool,
    ) -> ColumnElement[Any]:
        statement = self.matching(entity, set(), number, given, follows=follows, counted=True).add_columns(func.count())
        if parent is not None and key is not None and scope is not None:
            statement = statement.where(entity.table.c[key] == parent).correlate(scope.rows)
        return statement.scalar_subquery()

    def page(
        self,
        entity: Entity,
        paged: Paged,
        number: int,
        given: Given,
        above: tuple[ColumnElement[Any], str] | None,
        scope: _Scope | None,
        *,
        entity_follows: bool,
    ) -> ColumnElement[Any]:
        """A connection. Each of its parts chooses its rows for itself, by the same clauses."""
        order = _order(given)

        def chosen(columns: set[str], *, more: bool = False) -> _Scope:
            statement = self.matching(entity, columns, number, given, follows=entity_follows, order=order)
            if above is not None and scope is not None:
                statement = statement.where(entity.table.c[above[1]] == above[0]).correlate(scope.rows)
            if given.after is not None:
                statement = statement.where(self.after(entity, order, number, given.after))
            limit: ColumnElement[Any] = bindparam(f"first_{number}", type_=Integer())
            statement = self.ordered(statement, entity, order).limit(limit + 1 if more else limit)
            return self.scope(entity, statement, order)

        pairs: list[tuple[str, ColumnElement[Any]]] = []
        for name, part in paged.parts:
            match part:
                case Constant():
                    pairs.append((name, text(part.text)))
                case Total():
                    parent, key = above if above is not None else (None, None)
                    pairs.append((name, self.count(entity, number, given, parent, key, scope, follows=entity_follows)))
                case Nodes():
                    pairs.append((name, self.array_of(part.fields, chosen(_needed(part.fields)))))
                case Edges():
                    pairs.append((name, self.edges(part, number, chosen)))
                case PageInfo():
                    pairs.append((name, self.page_info(part, number, given, chosen)))
        return self.pairs(pairs)

    def pairs(self, pairs: Sequence[tuple[str, ColumnElement[Any]]]) -> ColumnElement[Any]:
        if self.sqlite:
            return func.json_object(*(each for name, value in pairs for each in (text(name), value)))
        row = select(*(value.label(name) for name, value in pairs)).subquery(f"p{next(self.aliases)}")
        return select(func.row_to_json(literal_column(row.name), type_=PG_JSON())).select_from(row).scalar_subquery()

    def after(self, entity: Entity, order: Order, number: int, position: Position) -> ColumnElement[bool]:
        value, key = entity.expression(order.column), entity.table.c[entity.id]
        if isinstance(key.type, Integer):
            raise NotCompilableError("a cursor of an id that is a number")
        given: Any = position.value
        if given is not None:
            given = bindparam(f"after_{number}", type_=value.type)
        own: Any = bindparam(f"after_id_{number}", type_=key.type)
        return beyond(value, key, order, Position(given, own), nullable=entity.nullable(order.column))

    def edges(self, part: Edges, number: int, chosen: Any) -> ColumnElement[Any]:
        columns: set[str] = set()
        for _, each in part.parts:
            if isinstance(each, Nodes):
                columns |= _needed(each.fields)
        scope = chosen(columns)
        values: list[tuple[str, ColumnElement[Any]]] = []
        for name, each in part.parts:
            match each:
                case Cursor():
                    values.append((name, self.cursor(scope, number)))
                case Nodes():
                    values.append((name, self.object(each.fields, scope)))
                case Constant():
                    values.append((name, text(each.text)))
        if self.sqlite:
            edge = func.json_object(*(each for name, value in values for each in (text(name), value)))
            return select(func.json_group_array(edge)).select_from(scope.rows).scalar_subquery()
        row = select(*(value.label(name) for name, value in values)).select_from(scope.rows)
        made = row.subquery(f"r{next(self.aliases)}")
        several = func.json_agg(literal_column(made.name), type_=PG_JSON())
        empty = cast(text("[]"), PG_JSON())
        return select(func.coalesce(several, empty, type_=PG_JSON())).select_from(made).scalar_subquery()

    def cursor(self, scope: _Scope, number: int) -> ColumnElement[Any]:
        order = scope.order
        return filled(f"#c{number}", self.listed_values([scope.column(order.column), scope.column(scope.entity.id)]))

    def page_info(self, part: PageInfo, number: int, given: Given, chosen: Any) -> ColumnElement[Any]:
        later = given.after is not None
        known = {each for _, each in part.parts}
        if not known & {"next", "start", "end"}:
            return self.pairs([(name, self.of_page_info(each, None, later)) for name, each in part.parts])
        scope = chosen(set(), more=True)
        first: ColumnElement[Any] = bindparam(f"first_{number}", type_=Integer())
        place = func.row_number().over().label("place")
        rows = (
            select(place, self.cursor(scope, number).label("at"))
            .select_from(scope.rows)
            .subquery(f"i{next(self.aliases)}")
        )
        last = func.max(case((rows.c.place <= first, cast(rows.c.place + _TENS, Text()).concat(rows.c.at))))
        found = {
            "next": func.count() > first,
            "start": func.max(case((rows.c.place == 1, rows.c.at))),
            "end": func.substr(last, len(str(_TENS)) + 1),
        }
        values = [(name, self.of_page_info(each, found, later)) for name, each in part.parts]
        if self.sqlite:
            flat = [each for name, value in values for each in (text(name), value)]
            return select(func.json_object(*flat)).select_from(rows).scalar_subquery()
        made = (
            select(*(value.label(name) for name, value in values)).select_from(rows).subquery(f"p{next(self.aliases)}")
        )
        return select(func.row_to_json(literal_column(made.name), type_=PG_JSON())).select_from(made).scalar_subquery()

    def of_page_info(
        self, part: str | Constant, found: Mapping[str, ColumnElement[Any]] | None, later: bool
    ) -> ColumnElement[Any]:
        if isinstance(part, Constant):
            return text(part.text)
        if part == "previous":
            return self.truth(literal_column("1 = 1") if later else literal_column("1 = 0"))
        assert found is not None, "the rest is found in the rows"
        return self.truth(found[part]) if part == "next" else found[part]

    def truth(self, value: ColumnElement[Any]) -> ColumnElement[Any]:
        if not self.sqlite:
            return value
        return func.json(case((type_coerce(value, Integer()) == 1, text("true")), else_=text("false")))


def _joined(parts: Sequence[ColumnElement[Any]]) -> ColumnElement[Any]:
    made = parts[0]
    for each in parts[1:]:
        made = made.concat(text(",")).concat(each)
    return made


def _entity(name: str) -> Entity:
    entity = ENTITIES[name]
    if entity.pages is not None or not isinstance(entity.table, Table):
        raise NotCompilableError(f"{name} is of no single table")
    return entity


def _order(given: Given) -> Order:
    assert given.order is not None, "what is a page, or the first of many, has an order"
    return given.order


def _needed(fields: Fields) -> set[str]:
    """The columns that an object is made of."""
    found: set[str] = set()
    for _, value in fields:
        match value:
            case Leaf(column):
                found.add(column)
            case Filled(_, needs):
                found.update(needs)
            case Part(inner, unless_null):
                found |= _needed(inner)
                if unless_null is not None:
                    found.add(unless_null)
            case Nested():
                found.add(value.relation.parent)
    return found
