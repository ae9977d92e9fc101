"""What keeps alerts few enough to be read: snoozes, calls that were not opened, and what people said of those that were."""

from sqlalchemy import Boolean, Column, ForeignKey, Index, String, Table, Text, UniqueConstraint

from hub.store.tables.base import UtcDateTime, metadata

snooze = Table(
    "snooze",
    metadata,
    Column("id", String(60), primary_key=True),
    Column("customer_id", ForeignKey("customer.id"), nullable=False),
    Column("reason_key", String(60), nullable=False),  # as playbooks say it: health, churn, …; "*": any reason
    Column("until", UtcDateTime, nullable=False),
    Column("note", Text),
    Column("made_by", String(254), nullable=False),
    Column("made_at", UtcDateTime, nullable=False),
    Column("lifted_by", String(254)),
    Column("lifted_at", UtcDateTime),
    Index(None, "customer_id", "until"),
)
"""Until then nothing new comes up about a customer for a reason. A snooze that was lifted or is over stays on record."""

withheld_call = Table(
    "withheld_call",
    metadata,
    Column("id", String(60), primary_key=True),  # as the alert or task would have been called
    Column("customer_id", ForeignKey("customer.id"), nullable=False),
    Column("run_id", ForeignKey("playbook_run.id"), nullable=False),
    Column("kind", String(20), nullable=False),  # "alert" | "task"
    Column("title", Text, nullable=False),
    Column("severity", String(20), nullable=False),
    Column("reason_key", String(60), nullable=False),
    Column("held", String(20), nullable=False),  # "merged": it joined `alert_id`; "snoozed": by `snooze_id`
    Column("alert_id", ForeignKey("alert.id")),
    Column("snooze_id", ForeignKey("snooze.id")),
    Column("detail", Text, nullable=False),  # why, in words
    Column("withheld_at", UtcDateTime, nullable=False),
    Index(None, "customer_id", "withheld_at"),
    Index(None, "alert_id"),
    Index(None, "withheld_at"),
)
"""Alerts and tasks that a run wanted and that were not opened."""

vote = Table(
    "vote",
    metadata,
    Column("id", String(60), primary_key=True),
    Column("run_id", ForeignKey("playbook_run.id"), nullable=False),
    Column("playbook", String(120), nullable=False),
    Column("voter", String(254), nullable=False),
    Column("useful", Boolean, nullable=False),
    Column("note", Text),
    Column("way", String(20), nullable=False),  # "api" | "cli" | "mail" | "slack"
    Column("voted_at", UtcDateTime, nullable=False),
    UniqueConstraint("run_id", "voter"),
    Index(None, "playbook", "voted_at"),
)
"""What a person thought of what a run told them: one vote each, the newest one."""
