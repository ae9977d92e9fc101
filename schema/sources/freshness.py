"""How fresh what a source says is: what each of its streams brought last, and whether its schedule is kept."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import strawberry

from hub.durable.schedule import Schedule
from schema.context import Context
from schema.fields import column, computed_now


def _since(name: str) -> Any:
    def seconds(row: Mapping[str, Any], context: Context) -> float | None:
        return None if row[name] is None else (context.now - row[name]).total_seconds()

    return seconds


@strawberry.type(description="How far a stream has come, and how fresh it is.")
class Bookmark:
    stream: str = column()
    complete: bool = column(description="Whether a whole pull has ended: what comes now is news.")
    moved_at: datetime = column()
    age_seconds: float = computed_now(_since("moved_at"), "moved_at", description="Since it moved.")
    brought_at: datetime | None = column(
        description="When it last brought a record that was new or had changed; null before that is known."
    )
    newest_age_seconds: float | None = computed_now(
        _since("brought_at"), "brought_at", description="Since its newest record came."
    )


def due_at(row: Mapping[str, Any], context: Context) -> datetime | None:
    """The first tick of the schedule after the last sync that succeeded."""
    source = context.source(row["name"])
    if source is None or not source.enabled or source.schedule is None or row["last_succeeded_at"] is None:
        return None
    schedule = Schedule(source.name, source.schedule, "sync", {}, ZoneInfo(source.timezone))
    return schedule.next_tick(row["last_succeeded_at"])


def late_seconds(row: Mapping[str, Any], context: Context) -> float | None:
    due = due_at(row, context)
    return None if due is None else max(0.0, (context.now - due).total_seconds())
