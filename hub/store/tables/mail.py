"""Who may not be written to by e-mail, and what came back of what was sent."""

from sqlalchemy import Column, Index, String, Table

from hub.store.tables.base import UtcDateTime, metadata

suppression = Table(  # an address, or a whole domain as @example.com; topic "": whatever the mail is about
    "suppression",
    metadata,
    Column("id", String(400), primary_key=True),  # address and topic
    Column("address", String(320), nullable=False),
    Column("topic", String(60), nullable=False, server_default=""),
    Column("reason", String(20), nullable=False),  # unsubscribed, bounced, complained or manual
    Column("since", UtcDateTime, nullable=False),
    Column("by", String(320), nullable=False),
    Column("note", String(1000)),
    Index(None, "address"),
    Index(None, "since"),
)

mail_bounce = Table(
    "mail_bounce",
    metadata,
    Column("id", String(64), primary_key=True),  # of what was told, so that telling it twice is once
    Column("address", String(320), nullable=False),
    Column("kind", String(20), nullable=False),  # hard, soft or complaint
    Column("status", String(20)),  # RFC 3463, such as 5.1.1
    Column("reason", String(1000)),
    Column("message_id", String(400)),
    Column("delivery_id", String(120)),  # None where no message of ours was found
    Column("told_by", String(40), nullable=False),  # mailbox, or the webhook's form
    Column("at", UtcDateTime, nullable=False),
    Index(None, "address", "at"),
    Index(None, "delivery_id"),
    Index(None, "at"),
)
