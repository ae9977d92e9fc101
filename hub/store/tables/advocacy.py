"""Invitations to surveys: whom the hub asked when, and what they answered."""

from sqlalchemy import Column, ForeignKey, Index, Integer, String, Table, Text

from hub.store.tables.base import UtcDateTime, metadata

survey_invitation = Table(
    "survey_invitation",
    metadata,
    Column("id", String(60), primary_key=True),
    Column("customer_id", ForeignKey("customer.id"), nullable=False),
    Column("contact_id", String(300)),  # no key: contacts come and go with their sources
    Column("address", String(254), nullable=False),  # in small letters
    Column("name", Text),
    Column("asked_at", UtcDateTime, nullable=False),
    Column("asked_by", String(254), nullable=False),  # "schedule", or who did by hand
    Column("expires_at", UtcDateTime, nullable=False),  # answers count until then
    Column("delivery_id", ForeignKey("delivery.id"), nullable=False),
    # the first answer; there is no second
    Column("answered_at", UtcDateTime),
    Column("score", Integer),  # 0-10
    Column("comment", Text),
    Index(None, "customer_id", "asked_at"),
    Index(None, "address", "asked_at"),
    Index(None, "asked_at"),
)
