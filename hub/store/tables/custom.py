"""Fields of customers that are the hub's own: written by playbooks, read in conditions and templates as `custom.<name>`."""

from sqlalchemy import Column, ForeignKey, String, Table, Text

from hub.store.tables.base import UtcDateTime, metadata

customer_field = Table(
    "customer_field",
    metadata,
    Column("customer_id", ForeignKey("customer.id"), primary_key=True),
    Column("name", String(40), primary_key=True),
    Column("value", Text, nullable=False),
    Column("updated_at", UtcDateTime, nullable=False),
    Column("updated_by", String(254), nullable=False),  # "playbook save"
    Column("run_id", String(60)),
)
"""No sync writes them. What they were before stands in `field_change`, as changes of the kind "customer"."""
