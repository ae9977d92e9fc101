"""Slack as a place to work: what people asked of us there, where we spoke of whom, and what our messages show."""

from sqlalchemy import Column, ForeignKey, Index, Integer, String, Table, Text

from hub.store.tables.base import Json, UtcDateTime, metadata

slack_request = Table(
    "slack_request",
    metadata,
    # what Slack knows it by ("trigger:…", "event:…"), so that the same one is taken once
    Column("id", String(200), primary_key=True),
    Column("kind", String(20), nullable=False),  # "action" | "command" | "event"
    Column("payload", Json, nullable=False),  # what is needed of it; emptied when it is done
    Column("received_at", UtcDateTime, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("done_at", UtcDateTime),
    Index(None, "done_at", "received_at"),
)
"""The inbox: a request is a row before it is answered, so what was answered is done, whatever happens in between."""

slack_message = Table(
    "slack_message",
    metadata,
    Column("delivery_id", ForeignKey("delivery.id"), primary_key=True),
    Column("run_id", ForeignKey("playbook_run.id"), nullable=False),
    Column("channel", String(60), nullable=False),  # Slack's own id of it
    Column("ts", String(40), nullable=False),
    Column("shown", String(64), nullable=False),  # digest of the state that it shows
    Column("version", Integer, nullable=False),  # goes up with every update
    Column("shown_at", UtcDateTime, nullable=False),
    Index(None, "run_id"),
    Index(None, "shown_at"),
)
"""Messages that show the state of what their run opened, and are updated when it changes."""

slack_thread = Table(
    "slack_thread",
    metadata,
    Column("id", String(200), primary_key=True),  # "<address>:<customer_id>"
    Column("address", Text, nullable=False),
    Column("customer_id", ForeignKey("customer.id"), nullable=False),
    Column("ts", String(40), nullable=False),  # of the message that others about the customer follow
    Column("opened_at", UtcDateTime, nullable=False),
    Index(None, "customer_id"),
)

slack_home = Table(
    "slack_home",
    metadata,
    Column("user_id", String(40), primary_key=True),
    Column("opened_at", UtcDateTime, nullable=False),
    Column("shown", String(64)),  # digest of what was published last
    Column("published_at", UtcDateTime),
)
"""Who looks at the App Home, and what it shows them."""
