"""The statements a plan is run by. They depend on names and shapes alone, so SQLAlchemy compiles each only once.

Lists of keys travel as one parameter (`json_each` on SQLite, `unnest` on PostgreSQL): a statement for a thousand parents is
the statement for one. The first few rows of each parent come from a correlated subselect on SQLite, several times
faster there than a window function, and from a lateral join on PostgreSQL; both walk an index on (parent, order).
"""

from collections.abc import Sequence
from typing import Any

import orjson
from sqlalchemy import (
    ARRAY,
    ColumnElement,
    FromClause,
    Integer,
    Select,
    String,
    and_,
    any_,
    false,
    func,
    literal,
    or_,
    select,
    true,
)

from hub.model.conditions import fold
from hub.store.query.entities import Entity
from hub.store.query.plan import Order, Position, Where
from hub.store.texts import bytewise, folded

PARENT = "__parent"


def base(entity: Entity, columns: Sequence[str], *, join: bool = False) -> Select[Any]:
    """`columns` of the entity's rows that count; `join`: a later clause will name a joined column."""
    source: FromClause = entity.table
    if entity.join is not None and (join or any(entity.needs_join(name) for name in columns)):
        source = entity.table.outerjoin(*entity.join)
    chosen = [entity.expression(name).label(name) for name in columns]
    statement = select(*chosen).select_from(source).where(*tests(entity.table, entity.scope))
    return statement.group_by(*(entity.table.c[name] for name in entity.grouped)) if entity.grouped else statement


def tests(table: FromClause, wheres: Sequence[Where]) -> list[ColumnElement[bool]]:
    """The tests as clauses over `table` (or an alias of it)."""
    return [_test(table.c[where.column], where) for where in wheres]


def _test(column: ColumnElement[Any], where: Where) -> ColumnElement[bool]:
    value = where.value
    clause: ColumnElement[bool]
    match where.operator:
        case "in":
            clause = column.in_(value)
        case "ge":
            clause = column >= value
        case "le":
            clause = column <= value
        case "after_or_null":
            clause = or_(column > value, column.is_(None))
        case "le_or_null":
            clause = or_(column <= value, column.is_(None))
        case "is_null":
            clause = column.is_(None) if value else column.is_not(None)
        case "same_text":
            clause = folded(column, value) == fold(value)
        case "contains":
            clause = folded(column, value).contains(fold(value), autoescape=True)
        case "ends_with":
            clause = folded(column, value).endswith(fold(value), autoescape=True)
        case "eq":
            clause = column == value
    return clause


def ordering(value: ColumnElement[Any], key: ColumnElement[Any], order: Order, *, nullable: bool) -> list[Any]:
    """ORDER BY: missing values last, then the id, in the order's direction; texts by their code points."""
    value, key = bytewise(value), bytewise(key)
    first = value.desc() if order.descending else value.asc()
    tie = key.desc() if order.descending else key.asc()
    return [first.nulls_last() if nullable else first, tie]


def beyond(
    value: ColumnElement[Any], key: ColumnElement[Any], order: Order, position: Position, *, nullable: bool
) -> ColumnElement[bool]:
    """True for the rows that come after `position` in the order."""
    own: str | int = position.id
    if isinstance(key.type, Integer):  # 0: a cursor that was made up
        own = int(position.id) if position.id.isdecimal() else 0
    later_key = bytewise(key) < own if order.descending else bytewise(key) > own
    if position.value is None:
        return and_(value.is_(None), later_key) if nullable else false()
    further = bytewise(value) < position.value if order.descending else bytewise(value) > position.value
    clause = or_(further, and_(value == position.value, later_key))
    if nullable:
        return or_(clause, value.is_(None))
    # says nothing new, but it is by this that an index is entered where the page begins
    begin = bytewise(value) <= position.value if order.descending else bytewise(value) >= position.value
    return and_(begin, clause)


def among(column: ColumnElement[Any], values: Sequence[str], dialect: str) -> ColumnElement[bool]:
    """column in values, as one parameter."""
    if dialect == "sqlite":
        listed = func.json_each(orjson.dumps(list(values)).decode()).table_valued("value")
        return column.in_(select(listed.c.value))
    return column == any_(literal(list(values), ARRAY(String)))


def first_of_each(
    entity: Entity,
    columns: Sequence[str],
    *,
    key: str,
    parents: Sequence[str],
    wheres: Sequence[Where],
    order: Order,
    after: Position | None,
    limit: int,
    book: str | None,
    dialect: str,
) -> Select[Any]:
    """The first `limit` rows of each parent, with the parent's key as `__parent`, each parent's rows in order."""
    inner = entity.table.alias("inside")
    nullable = entity.nullable(order.column)
    clauses = [*tests(inner, entity.scope), *tests(inner, wheres), *entity.in_book(inner, book)]
    if after is not None:
        clauses.append(beyond(inner.c[order.column], inner.c[entity.id], order, after, nullable=nullable))
    ordered = ordering(inner.c[order.column], inner.c[entity.id], order, nullable=nullable)
    chosen = select(inner.c[entity.id]).where(*clauses).order_by(*ordered).limit(limit)
    table: FromClause = entity.table
    source: FromClause
    if dialect == "sqlite":
        listed = func.json_each(orjson.dumps(list(parents)).decode()).table_valued("value", name="parents")
        few = chosen.where(inner.c[key] == listed.c.value).correlate(listed)
        source = listed.join(table, table.c[entity.id].in_(few))
    else:
        listed = func.unnest(literal(list(parents), ARRAY(String))).table_valued("value").render_derived("parents")
        few_rows = chosen.where(inner.c[key] == listed.c.value).correlate(listed).lateral("chosen")
        source = listed.join(few_rows, true()).join(table, table.c[entity.id] == few_rows.c[entity.id])
    if entity.join is not None and any(entity.needs_join(name) for name in columns):
        source = source.outerjoin(*entity.join)
    return (
        select(listed.c.value.label(PARENT), *(entity.expression(name).label(name) for name in columns))
        .select_from(source)
        .order_by(*ordering(table.c[order.column], table.c[entity.id], order, nullable=nullable))
    )
