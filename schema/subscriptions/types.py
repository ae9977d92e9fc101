"""What is told: an event of the log with what it is about, read when it is told."""

from datetime import datetime
from enum import StrEnum
from typing import Any

import strawberry

from schema.customers.types import Customer
from schema.enums import Band
from schema.fields import column, computed, one
from schema.playbooks.types import Alert, PlaybookRun
from schema.scores.types import Scorecard
from schema.sources.types import SyncRun
from schema.subscriptions.cursors import event_cursor


@strawberry.enum(description="What became of an alert or task.")
class AlertEvent(StrEnum):
    OPENED = "opened"
    CHANGED = "changed"
    CLOSED = "closed"


@strawberry.enum(description="KNOWN: there was none; UNKNOWN: there is none, for want of data.")
class BandEvent(StrEnum):
    UP = "up"
    DOWN = "down"
    KNOWN = "known"
    UNKNOWN = "unknown"


@strawberry.enum(description="MOVED is told about once a second.")
class SyncEvent(StrEnum):
    STARTED = "started"
    MOVED = "moved"
    ENDED = "ended"


@strawberry.enum(description="How far a playbook run is; ENDED in whatever way.")
class RunEvent(StrEnum):
    STARTED = "started"
    WAITS = "waits"
    AWAITS_APPROVAL = "awaits_approval"
    PAUSED = "paused"
    ENDED = "ended"


def _cursor() -> Any:
    return computed(
        lambda row: event_cursor(row["number"]),
        "number",
        description="Give it as `after` to go on behind this event, on any connection.",
    )


def _customer() -> Any:
    return one(
        "customer", key="id", parent="customer_id", unique=True, description="Null where it is gone or merged by now."
    )


def _data(key: str) -> Any:
    return computed(lambda row: row["data"].get(key), "data")


@strawberry.type(description="An alert or task was opened, changed or closed.")
class AlertChanged:
    cursor: str = _cursor()
    at: datetime = column()
    change: AlertEvent = column()
    alert: Alert | None = one(
        "alert", key="id", parent="subject", unique=True, description="As it stands when this is told."
    )


@strawberry.type(description="A scoring gave a customer another band of health than it had.")
class BandChanged:
    cursor: str = _cursor()
    at: datetime = column()
    change: BandEvent = column()
    before: Band | None = _data("before")
    band: Band | None = _data("band")
    customer: Customer | None = _customer()
    scorecard: Scorecard | None = one(
        "scorecard", key="id", parent="subject", unique=True, description="As it stands when this is told."
    )


@strawberry.type(description="A sync began, moved on or ended.")
class SyncProgress:
    cursor: str = _cursor()
    at: datetime = column()
    change: SyncEvent = column()
    source: str = _data("source")
    run: SyncRun | None = one(
        "sync_run", key="id", parent="subject", unique=True, description="As it stands when this is told."
    )


@strawberry.type(description="A playbook run began, waits for something, was paused or ended.")
class PlaybookRunUpdated:
    cursor: str = _cursor()
    at: datetime = column()
    change: RunEvent = column()
    playbook: str = _data("playbook")
    customer: Customer | None = _customer()
    run: PlaybookRun | None = one(
        "playbook_run", key="id", parent="subject", unique=True, description="As it stands when this is told."
    )
