"""How fresh what a source says is: what each of its streams brought last, and whether its schedule is kept."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import strawberry

from hub.durable.schedule import Schedule
from schema.context import Context
from schema.fields import column, computed_now
from schema.own_words import answered


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


@strawberry.type(
    description="How true a stream is: how far it is complete, and what the last comparison found, in rows."
)
class StreamTruth:
    stream: str = column()
    complete_to: datetime | None = column(
        description="Every change up to then was pulled; null where no pull has ended with all of it yet."
    )
    fresh_seconds: float | None = computed_now(_since("complete_to"), "complete_to", description="Since then.")
    checked_at: datetime | None = column(description="When it was compared with what the vendor lists; null: never.")
    theirs: int | None = column(description="Live rows at the vendor.")
    ours: int | None = column(description="Live rows here, before anything was mended.")
    missing: int | None = column(description="They had it, and we had not.")
    extra: int | None = column(description="We had it, and they had it no more; null where that cannot be told.")
    stale: int | None = column(description="Ours was of an older version.")
    repaired: int | None = column(description="Rows that were written to mend it.")
    deleted: int | None = column(description="Extra ones that were marked so.")
    held: int | None = column(description="Extra ones that were too many to be marked deleted without a person's word.")
    completeness: float | None = column(description="Share of the vendor's rows that were here in the end, 0 to 1.")
    check_error: str | None = answered("check_error", "Why it could not be compared, or what is left to a person.")


@strawberry.type(description="What a vendor told by webhook.")
class SourceEvent:
    stream: str = column()
    state: str = column(description="pending, done or failed.")
    received_at: datetime = column()
    happened_at: datetime | None = column(description="At the vendor, where it says.")
    done_at: datetime | None = column()
    tries: int = column()
    error: str | None = column(personal=True)


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
