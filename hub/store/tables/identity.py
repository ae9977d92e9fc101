"""Merges of customers: which one became part of which, by whom and why, and what it takes to undo it."""

from sqlalchemy import Column, ForeignKey, Index, String, Table, Text, text

from hub.store.tables.base import Json, UtcDateTime, metadata

customer_merge = Table(
    "customer_merge",
    metadata,
    Column("id", String(60), primary_key=True),
    Column("kept_id", ForeignKey("customer.id"), nullable=False),
    Column("merged_id", ForeignKey("customer.id"), nullable=False),
    Column("reason", Text, nullable=False),
    Column("by", String(254), nullable=False),
    Column("at", UtcDateTime, nullable=False),
    Column(
        "evidence", Json, nullable=False
    ),  # ids in external_id that were the merged one's, and are its again if undone
    # what else moved, as hub.store.merges says: ids of notes, calls and customers below it
    Column("moved", Json, nullable=False, server_default=text("'{}'")),
    Column("undone_at", UtcDateTime),
    Column("undone_by", String(254)),
    Index(None, "kept_id", "at"),
    Index(None, "merged_id", "at"),
)
"""While `merged_into_id` of a customer says where it is now, this says what happened. A merge is undone, never removed."""
