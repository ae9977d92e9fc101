"""What other systems told us by webhook: every event that was signed, and what became of it."""

from sqlalchemy import Column, ForeignKey, Index, String, Table, Text

from hub.store.tables.base import Json, UtcDateTime, metadata

hook_event = Table(
    "hook_event",
    metadata,
    Column("id", String(80), primary_key=True),  # of the hook and the sender's id of the event
    Column("hook", String(60), nullable=False),
    Column("event_id", Text, nullable=False),  # the sender's: the same again is the same event
    Column("type", Text),
    Column("customer_id", ForeignKey("customer.id")),
    Column("payload", Json, nullable=False),
    Column("state", String(20), nullable=False),  # "accepted" | "refused" | "done"
    Column("reason", Text),  # why it was refused
    Column("outcome", Json),  # of one that is done: {playbook: what it did}
    Column("received_at", UtcDateTime, nullable=False),
    Column("done_at", UtcDateTime),
    Index(None, "state", "received_at"),
)
