"""What CSMs judge by themselves: overrides of health, and sentiment; each a series of its own that no run changes.

One of each is in force for a customer at a time: the newest that has not expired and was not withdrawn. A new one takes
the place of the one before, which counts as withdrawn from then on.
"""

from sqlalchemy import Column, Date, Float, ForeignKey, Index, String, Table, Text

from hub.store.tables.base import UtcDateTime, metadata

health_override = Table(
    "health_override",
    metadata,
    Column("id", String(60), primary_key=True),
    Column("customer_id", ForeignKey("customer.id"), nullable=False),
    Column("score", Float, nullable=False),  # 0-1, stands in the place of health; the band follows from it
    Column("reason", Text, nullable=False),
    Column("by", String(254), nullable=False),
    Column("set_at", UtcDateTime, nullable=False),
    Column("expires_on", Date, nullable=False),  # the last day it is in force
    Column("withdrawn_at", UtcDateTime),
    Column("withdrawn_by", String(254)),
    Index(None, "customer_id", "set_at"),
    Index(None, "expires_on"),
)

sentiment = Table(
    "sentiment",
    metadata,
    Column("id", String(60), primary_key=True),
    Column("customer_id", ForeignKey("customer.id"), nullable=False),
    Column("value", Float, nullable=False),  # 0-1, higher is better
    Column("reason", Text, nullable=False),
    Column("by", String(254), nullable=False),
    Column("set_at", UtcDateTime, nullable=False),
    Column("expires_on", Date, nullable=False),  # the last day it is in force
    Column("withdrawn_at", UtcDateTime),
    Column("withdrawn_by", String(254)),
    Index(None, "customer_id", "set_at"),
    Index(None, "expires_on"),
)
