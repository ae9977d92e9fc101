"""Facts of breadth: how many features a customer used, and which share of those that anybody used."""

from collections.abc import Iterable
from typing import Any

from sqlalchemy import ColumnElement, and_, case, func, select

from hub.store.facts.columns import Columns, share
from hub.store.facts.memory import UseInMemory
from hub.store.facts.window import Window
from hub.store.store import Connection
from hub.store.tables import feature_usage_day

NAMES = ("features_used_28d", "features_used_previous_28d", "feature_adoption")


Read = tuple[Iterable[Any], int]
"""Rows of customers, and how many features anybody used."""


async def read(connection: Connection, window: Window, memory: UseInMemory | None = None) -> Read:
    if memory is not None:
        return memory.used_features(window), memory.anybody_used(window)
    found = (await connection.execute(_used(window))).all()
    return found, (await connection.execute(_anybody(window))).scalar_one()


def add(columns: Columns, known: set[str], use: Read) -> None:
    """Add the facts of `NAMES`, of what was `read`; `known` customers without use have zeros."""
    names = ("features_used_28d", "features_used_previous_28d")
    found, anybody = use
    rows = [row for row in found if row.customer_id in known]
    columns.fill(rows, names, absent=dict.fromkeys(names, 0.0), of=known)
    columns.derive("feature_adoption", lambda used: share(used, anybody), "features_used_28d")


def _in_window(window: Window, days: int) -> ColumnElement[bool]:
    use = feature_usage_day.c
    return and_(use.day >= window.first(days), use.day <= window.day, use.events > 0)


def _used(window: Window) -> Any:
    use = feature_usage_day.c
    now = use.day >= window.first(28)
    return (
        select(
            use.customer_id,
            func.count(case((now, use.feature)).distinct()).label("features_used_28d"),
            func.count(case((~now, use.feature)).distinct()).label("features_used_previous_28d"),
        )
        .where(window.known_of_asked(feature_usage_day), _in_window(window, 56))
        .group_by(use.customer_id)
    )


def _anybody(window: Window) -> Any:
    """Features that any customer used, whoever is asked for."""
    used = select(feature_usage_day.c.feature).where(window.known(feature_usage_day), _in_window(window, 28)).distinct()
    return select(func.count()).select_from(used.subquery())
