"""Streams whose records are not to be counted on, on a day: too old, never whole, or too little of what the vendor has."""

from collections.abc import Mapping, Set
from datetime import datetime, timedelta

from sqlalchemy import and_, func, select

from hub.store.facts.window import Window
from hub.store.store import Connection
from hub.store.tables import RECORD_TABLES, source, stream_day

STALE_AFTER = 7
"""Days without a sync that landed anything, after which a source that came oftener is dead."""


async def find_slipped(
    connection: Connection, window: Window, landed: Mapping[str, datetime]
) -> Mapping[str, Set[str]]:
    """{table of records: sources one of whose streams of such records had slipped by the day}; landed: see sources."""
    c = stream_day.c
    newest = (
        select(c.source, c.stream, func.max(c.day).label("day"))
        .where(c.day <= window.day)
        .group_by(c.source, c.stream)
        .subquery()
    )
    statement = (
        select(c.source, c.makes, c.complete_to, c.completeness, source.c.fresh_seconds, source.c.complete_share)
        .join(newest, and_(newest.c.source == c.source, newest.c.stream == c.stream, newest.c.day == c.day))
        .join(source, source.c.name == c.source)
    )
    slipped: dict[str, set[str]] = {}
    for row in await connection.execute(statement):
        lacks = row.completeness is not None and row.completeness < (row.complete_share or 0.0)
        if lacks or _is_old(row.complete_to, row.fresh_seconds, window, landed.get(row.source)):
            for kind in row.makes:
                slipped.setdefault(RECORD_TABLES[kind].name, set()).add(row.source)
    return slipped


def _is_old(
    complete_to: datetime | None, fresh_seconds: float | None, window: Window, landed_at: datetime | None
) -> bool:
    if complete_to is None:
        return True  # rows came, and never all of them
    if fresh_seconds is not None:
        return bool((window.end - timedelta(days=1) - complete_to).total_seconds() > fresh_seconds)
    return landed_at is not None and landed_at - complete_to > timedelta(days=STALE_AFTER)
