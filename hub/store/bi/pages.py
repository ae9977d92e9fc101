"""Reading a view's rows in pages, by the key of the last row read: no statement lasts, and no row is skipped or told twice.

A page is of one moment, the whole is not: what changes while it is read is in it as it was before or as it is after.
"""

from collections.abc import AsyncIterator, Sequence
from typing import Any

from sqlalchemy import literal, select, tuple_

from hub.model.conditions import Condition
from hub.store.bi.view import Given, View
from hub.store.books import of_book
from hub.store.query.entities import ENTITIES, customers_where
from hub.store.store import Store

AT_ONCE = 5_000


async def read_pages(
    store: Store,
    view: View,
    columns: Sequence[Given],
    *,
    book: str | None,
    condition: Condition | None = None,
    at_once: int = AT_ONCE,
) -> AsyncIterator[list[dict[str, Any]]]:
    """Rows of the customers in the book, and of those alone that meet a settled condition; at most `at_once` in memory."""
    keys = [view.column(name) for name in view.key]
    asked = [*columns, *(key for key in keys if key not in columns)]
    names = [each.name for each in columns]
    statement = view.statement(asked).where(*of_book(view.customer, book))
    if condition is not None:
        customers = ENTITIES["customer"]
        assert customers.join is not None, "a condition speaks of a customer's newest scorecard"
        chosen = select(customers.table.c.id).select_from(customers.table.outerjoin(*customers.join))
        statement = statement.where(view.customer.in_(chosen.where(customers_where(condition))))
    statement = statement.order_by(*[key.value for key in keys]).limit(at_once)
    last: tuple[Any, ...] | None = None
    while True:
        page = statement
        if last is not None:
            beyond = tuple_(*[key.value for key in keys]) > tuple_(
                *[literal(value, key.value.type) for value, key in zip(last, keys, strict=True)]
            )
            page = statement.where(beyond)
        async with store.reading() as connection:
            found = [dict(row) for row in (await connection.execute(page)).mappings()]
        if found:
            last = tuple(found[-1][key.name] for key in keys)
            yield [{name: row[name] for name in names} for row in found]
        if len(found) < at_once:
            return
