"""The timeline as an entity: what a plan wants of it, handed to the one statement over its parts."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Select

from hub.store.query.plan import Order, Position, Where
from hub.store.timeline.statement import newest_of_each


def timeline_pages(
    entity: Any,
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
    """The newest entries of each customer. Only kinds and moments can be chosen, and only newest first."""
    if key != "customer_id" or order != Order("at", descending=True):
        raise ValueError("a timeline is of customers, newest first")
    kinds: set[str] | None = None
    since: datetime | None = None
    until: datetime | None = None
    for where in wheres:
        match where.column, where.operator:
            case "kind", "in":
                kinds = set(where.value) if kinds is None else kinds & set(where.value)
            case "at", "ge":
                since = where.value if since is None else max(since, where.value)
            case "at", "le":
                until = where.value if until is None else min(until, where.value)
            case _:
                raise ValueError(f"a timeline can't be narrowed by {where.column} {where.operator}")
    return newest_of_each(
        parents,
        columns,
        parent="__parent",
        kinds=kinds,
        since=since,
        until=until,
        after=None if after is None else (after.value, after.id),
        limit=limit,
        mine=lambda row: entity.in_book(row, book),
        dialect=dialect,
    )
