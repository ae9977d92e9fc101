"""Sources and how their syncing stands: runs, counts by stream, bookmarks, quarantine."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import strawberry

from hub.store.query import Order, Where
from schema.context import Context
from schema.enums import SyncState
from schema.fields import column, computed, computed_now, how_many, key, many, one, page
from schema.nodes import Node, global_id
from schema.own_words import answered
from schema.paging import Connection
from schema.sources.freshness import Bookmark, SourceEvent, StreamTruth, due_at, late_seconds


@strawberry.type(description="What a sync did with one stream, in rows.")
class StreamCounts:
    stream: str = key()
    state: str | None = key()
    pulled: int | None = key()
    new: int | None = key()
    changed: int | None = key()
    unchanged: int | None = key()
    quarantined: int | None = key()
    gone: int | None = key(
        description="Records marked deleted because the vendor said, by their keys, that they are no more."
    )
    erased: int | None = key(description="Rows of erased people or customers: left out, or taken without the person.")
    total: int | None = key(description="The vendor's own count, where it tells one.")
    error: str | None = answered("error")


def _streams(row: Mapping[str, Any]) -> list[dict[str, Any]]:
    return [{"stream": name, **counts} for name, counts in row["streams"].items()]


def _enabled(row: Mapping[str, Any], context: Context) -> bool:
    source = context.source(row["name"])
    return source is not None and source.enabled


def _schedule(row: Mapping[str, Any], context: Context) -> str | None:
    source = context.source(row["name"])
    return source.schedule if source is not None else None


@strawberry.type(
    description="What is left of a vendor's limit, as it said last; by our own count where it says nothing."
)
class Quota:
    name: str = key(description="The vendor may have several, such as of exports.")
    limit: float | None = key(description="Requests of a whole window; null where nobody says.")
    remaining: float = key(description="Requests that were left.")
    resets_at: datetime | None = key(description="When the window is new: then all of them are left again.")
    as_of: datetime = key(description="When that was so: requests since then, of other programs too, are not counted.")


def _quota(row: Mapping[str, Any]) -> list[dict[str, Any]]:
    return [
        {**each, **{name: each[name] and datetime.fromisoformat(each[name]) for name in ("resets_at", "as_of")}}
        for each in row["quotas"] or ()
    ]


@strawberry.type(description="One pull of one source.")
class SyncRun(Node):
    source: str = column()
    state: SyncState = column()
    started_at: datetime = column()
    finished_at: datetime | None = column()
    pulled: int = column()
    new: int = column()
    changed: int = column()
    unchanged: int = column()
    quarantined: int = column()
    error: str | None = answered("error")
    streams: list[StreamCounts] = computed(_streams, "streams")


@strawberry.type(description="A row of a source that could not become a record, and why.")
class QuarantinedRow:
    stream: str = column()
    key: str = column(description="Its id at the vendor.", personal=True)
    field: str | None = column()
    reason: str = column(personal=True)
    seen: int = column(description="How often it was pulled.")
    first_seen_at: datetime = column()
    last_seen_at: datetime = column()


@strawberry.type(description="One configured use of a connector.")
class Source(Node):
    id: strawberry.ID = computed(
        lambda row: global_id("source", row["name"]), "name", description="Unique over all types."
    )
    name: str = column()
    connector: str = computed_now(
        lambda row, context: row["connector"] or context.source(row["name"]).connector, "name", "connector"
    )
    configured: bool = computed_now(
        lambda row, context: context.source(row["name"]) is not None,
        "name",
        description="Whether it still is; one that was taken out of the configuration keeps its records.",
    )
    enabled: bool = computed_now(_enabled, "name", description="Whether it is synced on its schedule.")
    schedule: str | None = computed_now(_schedule, "name", description="Cron, in the hub's time zone.")
    due_at: datetime | None = computed_now(
        due_at,
        "name",
        "last_succeeded_at",
        description="When its schedule wants the first sync after the one that succeeded last; null where it has none, or "
        "never succeeded.",
    )
    late_seconds: float | None = computed_now(
        late_seconds, "name", "last_succeeded_at", description="Since it was due; 0 where it is not yet."
    )
    paused_until: datetime | None = column(description="Waits for a quota to refill until then.")
    quota: list[Quota] = computed(
        _quota,
        "quotas",
        description="What its last sync knew of the vendor's limits, by name; none where it knew none.",
    )
    last_succeeded_at: datetime | None = column()
    syncing: bool = computed_now(
        lambda row, context: row["locked_until"] is not None and row["locked_until"] > context.now,
        "locked_until",
        description="Being synced right now.",
    )
    last_run: SyncRun | None = one("sync_run", key="source", parent="name", order=Order("started_at", descending=True))
    runs: Connection[SyncRun] = page(
        "sync_run", key="source", parent="name", order=Order("started_at", descending=True), description="Newest first."
    )
    bookmarks: list[Bookmark] = many("bookmark", key="source", parent="name", order=Order("stream"))
    streams: list[StreamTruth] = many(
        "stream_state",
        key="source",
        parent="name",
        order=Order("stream"),
        description="How true each stream is that was pulled or compared.",
    )
    fresh_seconds: float | None = column(
        description="How long ago its streams may be complete up to before scores lose coverage; null: a week behind its "
        "own syncs."
    )
    complete_share: float | None = column(
        description="Share of the vendor's rows below which scores lose coverage for it."
    )
    raw_days: int | None = column(description="For how many days its rows are kept as they came; null: they are not.")
    pending_events: int = how_many(
        "source_event",
        key="source",
        parent="name",
        where=(Where("state", "eq", "pending"),),
        description="What its vendor told by webhook and was not fetched yet.",
    )
    failed_events: int = how_many(
        "source_event",
        key="source",
        parent="name",
        where=(Where("state", "eq", "failed"),),
        description="What was told and given up, as far back as events are kept; the next sync or comparison brings it.",
    )
    last_event: SourceEvent | None = one(
        "source_event", key="source", parent="name", order=Order("received_at", descending=True)
    )
    quarantine_count: int = how_many("quarantine", key="source", parent="name")
    quarantine: Connection[QuarantinedRow] = page(
        "quarantine", key="source", parent="name", order=Order("last_seen_at", descending=True)
    )
    unmatched_companies: int = how_many(
        "external_id",
        key="source",
        parent="name",
        where=(Where("state", "in", ("unmatched", "ambiguous")),),
        description="Companies of the source that no customer could be found for.",
    )
