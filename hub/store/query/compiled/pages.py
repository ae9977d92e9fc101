"""Connections: nodes, edges, totals, and where a page stands. Each part chooses its rows for itself, by the same clauses."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Integer,
    Select,
    Text,
    bindparam,
    case,
    cast,
    func,
    literal_column,
    select,
    type_coerce,
)
from sqlalchemy.dialects.postgresql import JSON as PG_JSON

from hub.store.query.compiled.leaves import filled, text
from hub.store.query.compiled.objects import Objects
from hub.store.query.compiled.rows import Scope, needed, order_of
from hub.store.query.compiled.tree import (
    Constant,
    Cursor,
    Edges,
    Given,
    Nodes,
    NotCompilableError,
    Paged,
    PageInfo,
    Total,
)
from hub.store.query.entities import Entity
from hub.store.query.plan import Order, Position
from hub.store.query.select import beyond

_TENS = 1_000_000
"""Added to a row's number, so that numbers compare as texts do."""


class Pages(Objects):
    """Writes pages of rows, and counts them."""

    def count(
        self,
        entity: Entity,
        number: int,
        given: Given,
        parent: ColumnElement[Any] | None,
        key: str | None,
        scope: Scope | None,
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
        scope: Scope | None,
        *,
        entity_follows: bool,
        bare: bool = False,
    ) -> ColumnElement[Any]:
        """A connection. Each of its parts chooses its rows for itself, by the same clauses. bare: its only part, by itself."""
        order = order_of(given)

        def chosen(columns: set[str], *, more: bool = False) -> Scope:
            rows = self.chosen(
                entity, columns, number, given, follows=entity_follows, above=above, scope=scope, more=more
            )
            return self.scope(entity, rows, order)

        pairs: list[tuple[str, ColumnElement[Any]]] = []
        for name, part in paged.parts:
            match part:
                case Constant():
                    pairs.append((name, text(part.text)))
                case Total():
                    parent, key = above if above is not None else (None, None)
                    pairs.append((name, self.count(entity, number, given, parent, key, scope, follows=entity_follows)))
                case Nodes():
                    pairs.append((name, self.array_of(part.fields, chosen(needed(part.fields)))))
                case Edges():
                    pairs.append((name, self.edges(part, number, chosen)))
                case PageInfo():
                    pairs.append((name, self.page_info(part, number, given, chosen)))
        return pairs[0][1] if bare else self.pairs(pairs)

    def chosen(
        self,
        entity: Entity,
        columns: set[str],
        number: int,
        given: Given,
        *,
        follows: bool,
        above: tuple[ColumnElement[Any], str] | None = None,
        scope: Scope | None = None,
        more: bool = False,
    ) -> Select[Any]:
        """The rows of a page, in its order. above: of the row of `scope` they belong to; more: and one beyond the page."""
        order = order_of(given)
        statement = self.matching(entity, columns, number, given, follows=follows, order=order)
        if above is not None and scope is not None:
            statement = statement.where(entity.table.c[above[1]] == above[0]).correlate(scope.rows)
        if given.after is not None:
            statement = statement.where(self.after(entity, order, number, given.after))
        limit: ColumnElement[Any] = bindparam(f"first_{number}", type_=Integer(), required=False)
        return self.ordered(statement, entity, order).limit(limit + 1 if more else limit)

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
            given = bindparam(f"after_{number}", type_=value.type, required=False)
        own: Any = bindparam(f"after_id_{number}", type_=key.type, required=False)
        return beyond(value, key, order, Position(given, own), nullable=entity.nullable(order.column))

    def edges(self, part: Edges, number: int, chosen: Any) -> ColumnElement[Any]:
        columns: set[str] = set()
        for _, each in part.parts:
            if isinstance(each, Nodes):
                columns |= needed(each.fields)
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

    def cursor(self, scope: Scope, number: int) -> ColumnElement[Any]:
        order = scope.order
        return filled(f"#c{number}", self.listed_values([scope.column(order.column), scope.column(scope.entity.id)]))

    def page_info(self, part: PageInfo, number: int, given: Given, chosen: Any) -> ColumnElement[Any]:
        later = given.after is not None
        known = {each for _, each in part.parts}
        if not known & {"next", "start", "end"}:
            return self.pairs([(name, self.of_page_info(each, None, later)) for name, each in part.parts])
        scope = chosen(set(), more=True)
        first: ColumnElement[Any] = bindparam(f"first_{number}", type_=Integer(), required=False)
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
