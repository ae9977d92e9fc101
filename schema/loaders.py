"""Load the rows of a root field: plan its selection, and read the plan in one go.

Each call reads all that its field's selection needs, relations of relations too, set-wise: the number of statements is
the number of relations asked for. There are no loaders that collect keys while a query runs, because nothing is left to
collect: the plan knows before the first row is read. The rows are typed Any: to Strawberry they are of the type
its field declares, to mypy they are rows.
"""

from collections.abc import Sequence
from typing import Any

from strawberry.types.info import Info

from hub.model.conditions import Condition
from hub.store.query import Order, Where, find_all, find_by, page
from hub.store.query.entities import ENTITIES
from schema.compiled.asking import Asking, Rows, page_rows
from schema.context import Context
from schema.nodes import TYPES
from schema.paging import checked_first, decode_cursor
from schema.selection import wanted

ApiInfo = Info[Context, Any]


async def load_page(
    info: ApiInfo,
    entity: str,
    *,
    order: Order,
    first: int,
    after: str | None = None,
    where: Sequence[Where] = (),
    condition: Condition | None = None,
) -> Any:
    """A page of an entity's rows."""
    if isinstance(info, Asking):
        return page_rows(entity, order=order, first=first, after=after, where=where, condition=condition)
    want = wanted(info, rows=checked_first(first))
    position = decode_cursor(entity, order, after)
    async with info.context.store.reading() as connection:
        return await page(
            connection,
            entity,
            want.plan,
            order=order,
            first=first,
            book=info.context.viewer.book,
            after=position,
            where=where,
            condition=condition,
            total=want.total,
        )


async def load_all(info: ApiInfo, entity: str, *, named: Sequence[str]) -> Any:
    """All rows of an entity that has few, by their key; an empty row for each of `named` that there is none of."""
    want = wanted(info)
    async with info.context.store.reading() as connection:
        return await find_all(connection, entity, want.plan, named=named, book=info.context.viewer.book)


async def load_one(info: ApiInfo, entity: str, key: str) -> Any:
    """One row by its id, or None. Where the field returns an interface, the row is read as the entity's own type."""
    if isinstance(info, Asking):
        return Rows(entity=entity, shape="one", key=key)
    want = wanted(info, type_name=TYPES.get(entity))
    async with info.context.store.reading() as connection:
        rows = await find_by(connection, entity, want.plan, [key], book=info.context.viewer.book)
    return rows[0] if rows else None


async def load_first(info: ApiInfo, entity: str, *, order: Order, where: Sequence[Where]) -> Any:
    """The first row that passes `where`, or None."""
    if isinstance(info, Asking):
        return Rows(entity=entity, shape="first", order=order, where=tuple(where))
    want = wanted(info)
    async with info.context.store.reading() as connection:
        found = await page(
            connection, entity, want.plan, order=order, first=1, book=info.context.viewer.book, where=where
        )
    return found.rows[0] if found.rows else None


async def load_by_id(info: ApiInfo, entity: str, keys: Sequence[str]) -> Any:
    """Rows by their ids, in the order of the ids; those that do not exist are left out."""
    if not keys:
        return []
    want = wanted(info, rows=len(keys))
    async with info.context.store.reading() as connection:
        found = await find_by(connection, entity, want.plan, list(keys), book=info.context.viewer.book)
    rows = {row[ENTITIES[entity].id]: row for row in found}
    return [rows[key] for key in keys if key in rows]
