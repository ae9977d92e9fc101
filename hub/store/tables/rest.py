"""Since when each playbook leaves each customer alone: one row a pair, which firing claims, so that two never do at once."""

from sqlalchemy import Column, ForeignKey, String, Table

from hub.store.tables.base import UtcDateTime, metadata

playbook_rest = Table(
    "playbook_rest",
    metadata,
    Column("playbook", String(120), primary_key=True),
    Column("customer_id", ForeignKey("customer.id"), primary_key=True),
    Column("started_at", UtcDateTime, nullable=False),  # of its newest run
    Column("run_id", String(60), nullable=False),
)
