"""Runs plans: one statement for the rows a plan begins with, and one for each relation below them.

The number of statements is the number of relations in the plan. It does not depend on how many rows there are, which is
the promise the whole API makes.
"""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import func, select

from hub.model.conditions import Condition
from hub.store.query.entities import ENTITIES, Entity, customers_where
from hub.store.query.plan import Child, Order, Page, Plan, Position, Relation, Row, Where
from hub.store.query.select import PARENT, among, base, beyond, first_of_each, ordering, tests
from hub.store.store import Connection
from hub.store.texts import bytewise


async def page(
    connection: Connection,
    entity_name: str,
    plan: Plan,
    *,
    order: Order,
    first: int,
    book: str | None,
    after: Position | None = None,
    where: Sequence[Where] = (),
    condition: Condition | None = None,
    total: bool = False,
) -> Page:
    """`first` rows of an entity in `order`, after a position. Only customers have a `condition`.

    Here and below, `book` is the CSM whose customers count, with whatever belongs to them; None: all do.
    """
    entity = ENTITIES[entity_name]
    columns = sorted({*plan.columns, order.column, entity.id})
    value, key = entity.expression(order.column), entity.table.c[entity.id]
    nullable = entity.nullable(order.column)
    clauses = [*tests(entity.table, where), *entity.in_book(entity.table, book)]
    if condition is not None:
        clauses.append(customers_where(condition))
    matching = base(entity, columns, join=condition is not None).where(*clauses)
    if after is not None:
        matching = matching.where(beyond(value, key, order, after, nullable=nullable))
    statement = matching.order_by(*ordering(value, key, order, nullable=nullable)).limit(first + 1)
    rows = await _rows(connection, entity, statement)
    whole = await count(connection, entity_name, book=book, where=where, condition=condition) if total else None
    shown = rows[:first]
    await _fill(connection, shown, plan, book)
    return Page(rows=shown, order=order, more=len(rows) > first, later=after is not None, total=whole)


async def find_by(
    connection: Connection,
    entity_name: str,
    plan: Plan,
    values: Sequence[str],
    *,
    book: str | None,
    key: str | None = None,
    where: Sequence[Where] = (),
) -> list[Row]:
    """The rows whose `key` (the id, if not told otherwise) is among `values`, in no particular order."""
    entity = ENTITIES[entity_name]
    key = key or entity.id
    statement = base(entity, sorted({*plan.columns, key})).where(
        among(entity.table.c[key], values, connection.dialect.name),
        *tests(entity.table, where),
        *entity.in_book(entity.table, book),
    )
    rows = await _rows(connection, entity, statement)
    await _fill(connection, rows, plan, book)
    return rows


async def find_all(
    connection: Connection, entity_name: str, plan: Plan, *, named: Sequence[str], book: str | None
) -> list[Row]:
    """Every row of an entity, by key; where there is none for one of `named`, a row with nothing but that key."""
    entity = ENTITIES[entity_name]
    columns = sorted({*plan.columns, entity.id})
    rows = await _rows(connection, entity, base(entity, columns).where(*entity.in_book(entity.table, book)))
    known = {row[entity.id] for row in rows}
    rows += [Row(entity.name, {**dict.fromkeys(columns), entity.id: name}) for name in named if name not in known]
    rows.sort(key=lambda row: str(row[entity.id]))
    await _fill(connection, rows, plan, book)
    return rows


async def count(
    connection: Connection,
    entity_name: str,
    *,
    book: str | None,
    where: Sequence[Where] = (),
    condition: Condition | None = None,
) -> int:
    """How many rows of an entity match."""
    entity = ENTITIES[entity_name]
    clauses = [*tests(entity.table, where), *entity.in_book(entity.table, book)]
    if condition is not None:
        clauses.append(customers_where(condition))
    matching = base(entity, (), join=condition is not None).add_columns(func.count()).where(*clauses)
    return int((await connection.execute(matching)).scalar_one())


async def _rows(connection: Connection, entity: Entity, statement: Any) -> list[Row]:
    result = await connection.execute(statement)
    names = tuple(result.keys())
    return [Row(entity.name, zip(names, values, strict=True)) for values in result]


async def _fill(connection: Connection, rows: Sequence[Row], plan: Plan, book: str | None) -> None:
    """Read every relation of `plan` for all `rows` at once, and hang what was found on them."""
    for place, child in plan.children.items():
        relation = child.relation
        parents = list({row[relation.parent]: None for row in rows if row[relation.parent] is not None})
        found = await _children(connection, child, parents, _book_below(rows, relation, book))
        for row in rows:
            row.children[place] = found.get(row[relation.parent], _nothing(child))
        if relation.shape != "count":
            await _fill(connection, _distinct(found), child.plan, book)


def _book_below(rows: Sequence[Row], relation: Relation, book: str | None) -> str | None:
    """The book that the rows of a relation are still to be tested for: none where their parents' test was the same."""
    entity = ENTITIES[relation.entity]
    return None if rows and entity.follows(rows[0].entity, relation) else book


def _nothing(child: Child) -> Any:
    if child.relation.shape == "one":
        return None
    if child.relation.shape == "count":
        return 0
    if child.relation.shape == "page":
        return Page(rows=[], order=child.relation.order, later=child.after is not None, total=0)
    return []


def _distinct(found: dict[str, Any]) -> list[Row]:
    rows: list[Row] = []
    for value in found.values():
        rows.extend(value.rows if isinstance(value, Page) else value if isinstance(value, list) else [value])
    return rows


async def _children(connection: Connection, child: Child, parents: list[str], book: str | None) -> dict[str, Any]:
    """What each parent has, by the parent's key; parents that have nothing are left out."""
    relation = child.relation
    entity = ENTITIES[relation.entity]
    wheres = (*relation.where, *child.where)
    if not parents:
        # the statement is left out, not only its rows: an empty level costs nothing
        return {}
    if relation.shape == "count":
        return await _counts(connection, entity, relation.key, parents, wheres, book)
    grouped: dict[str, list[Row]] = {}
    for row in await _rows(connection, entity, _statement(connection, child, entity, parents, wheres, book)):
        grouped.setdefault(row.pop(PARENT), []).append(row)
    if relation.shape == "one":
        return {parent: rows[0] for parent, rows in grouped.items()}
    if relation.shape == "list":
        return dict(grouped)
    assert child.first is not None, "a page has a length"
    totals = await _counts(connection, entity, relation.key, parents, wheres, book) if child.total else {}
    return {
        parent: Page(
            rows=grouped.get(parent, [])[: child.first],
            order=relation.order,
            more=len(grouped.get(parent, [])) > child.first,
            later=child.after is not None,
            total=totals.get(parent, 0),
        )
        for parent in {**grouped, **totals}
    }


def _statement(
    connection: Connection,
    child: Child,
    entity: Entity,
    parents: list[str],
    wheres: Sequence[Where],
    book: str | None,
) -> Any:
    relation, dialect = child.relation, connection.dialect.name
    columns = sorted(child.plan.columns)
    limit = 1 if relation.shape == "one" and not relation.unique else child.first
    if relation.shape == "page" and child.first is not None:
        columns = sorted({*columns, relation.order.column, entity.id})
        limit = child.first + 1
    if limit is None:
        key = entity.table.c[relation.key]
        statement = base(entity, columns).add_columns(key.label(PARENT))
        statement = statement.where(
            among(key, parents, dialect), *tests(entity.table, wheres), *entity.in_book(entity.table, book)
        )
        value = bytewise(entity.expression(relation.order.column))
        return statement.order_by(value.desc() if relation.order.descending else value.asc())
    return (entity.pages or first_of_each)(
        entity,
        columns,
        key=relation.key,
        parents=parents,
        wheres=wheres,
        order=relation.order,
        after=child.after,
        limit=limit,
        book=book,
        dialect=dialect,
    )


async def _counts(
    connection: Connection, entity: Entity, key: str, parents: list[str], wheres: Sequence[Where], book: str | None
) -> dict[str, int]:
    column = entity.table.c[key]
    statement = (
        select(column, func.count())
        .where(
            among(column, parents, connection.dialect.name),
            *tests(entity.table, entity.scope),
            *tests(entity.table, wheres),
            *entity.in_book(entity.table, book),
        )
        .group_by(column)
    )
    return {row[0]: row[1] for row in await connection.execute(statement)}
