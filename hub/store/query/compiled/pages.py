"""Connections: nodes, edges, totals, and where a page stands. Each part chooses its rows for itself, by the same clauses."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import (
    Boolean,
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
)

from hub.store.query.compiled.form import Made
from hub.store.query.compiled.rows import Rows, Scope, needed, order_of
from hub.store.query.compiled.tree import (
    Constant,
    Cursor,
    Edges,
    Fields,
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


class Pages(Rows):
    """Writes pages of rows, and counts them. Objects of rows are written by who knows relations."""

    def object(self, fields: Fields, scope: Scope) -> Made:
        raise NotImplementedError

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
    ) -> Made:
        statement = self.matching(entity, set(), number, given, follows=follows, counted=True).add_columns(func.count())
        if parent is not None and key is not None and scope is not None:
            statement = statement.where(entity.table.c[key] == parent).correlate(scope.rows)
        return self.form.count(statement.scalar_subquery())

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
    ) -> Made:
        """A connection. Each of its parts chooses its rows for itself, by the same clauses."""
        order = order_of(given)

        def chosen(columns: set[str], *, more: bool = False) -> Scope:
            rows = self.chosen(
                entity, columns, number, given, follows=entity_follows, above=above, scope=scope, more=more
            )
            return self.scope(entity, rows, order)

        pairs: list[tuple[str, Made]] = []
        for name, part in paged.parts:
            match part:
                case Constant():
                    pairs.append((name, self.form.constant(part.text)))
                case Total():
                    parent, key = above if above is not None else (None, None)
                    pairs.append((name, self.count(entity, number, given, parent, key, scope, follows=entity_follows)))
                case Nodes():
                    inner = chosen(needed(part.fields))
                    pairs.append((name, self.form.listed(self.object(part.fields, inner), inner.rows)))
                case Edges():
                    pairs.append((name, self.edges(part, number, chosen)))
                case PageInfo():
                    pairs.append((name, self.page_info(part, number, given, chosen)))
        return self.form.object(pairs)

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

    def after(self, entity: Entity, order: Order, number: int, position: Position) -> ColumnElement[bool]:
        value, key = entity.expression(order.column), entity.table.c[entity.id]
        if isinstance(key.type, Integer):
            raise NotCompilableError("a cursor of an id that is a number")
        given: Any = position.value
        if given is not None:
            given = bindparam(f"after_{number}", type_=value.type, required=False)
        own: Any = bindparam(f"after_id_{number}", type_=key.type, required=False)
        return beyond(value, key, order, Position(given, own), nullable=entity.nullable(order.column))

    def edges(self, part: Edges, number: int, chosen: Any) -> Made:
        columns: set[str] = set()
        for _, each in part.parts:
            if isinstance(each, Nodes):
                columns |= needed(each.fields)
        scope = chosen(columns)
        values: list[tuple[str, Made]] = []
        for name, each in part.parts:
            match each:
                case Cursor():
                    values.append((name, self.form.of_text(self.cursor(scope, number), nullable=False)))
                case Nodes():
                    values.append((name, self.object(each.fields, scope)))
                case Constant():
                    values.append((name, self.form.constant(each.text)))
        return self.form.listed(self.form.object(values), scope.rows)

    def cursor(self, scope: Scope, number: int) -> ColumnElement[str]:
        columns = [scope.column(scope.order.column), scope.column(scope.entity.id)]
        return self.form.marked(f"#c{number}", columns)

    def page_info(self, part: PageInfo, number: int, given: Given, chosen: Any) -> Made:
        later = given.after is not None
        known = {each for _, each in part.parts}
        if not known & {"next", "start", "end"}:
            return self.form.object([(name, self.of_page_info(each, {}, later)) for name, each in part.parts])
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
        made = self.form.object([(name, self.of_page_info(each, found, later)) for name, each in part.parts])
        return self.form.one(made, rows, required=False)

    def of_page_info(self, part: str | Constant, found: Mapping[str, ColumnElement[Any]], later: bool) -> Made:
        if isinstance(part, Constant):
            return self.form.constant(part.text)
        if part == "previous":
            return self.form.truth(literal_column("1 = 1" if later else "1 = 0", Boolean()))
        return self.form.truth(found[part]) if part == "next" else self.form.of_text(found[part], nullable=True)
