"""What our own people write of a customer: notes, and whose it is where that is not as a source says."""

from sqlalchemy import Column, ForeignKey, Index, String, Table, Text

from hub.store.tables.base import UtcDateTime, metadata

note = Table(
    "note",
    metadata,
    Column("id", String(40), primary_key=True),
    Column("customer_id", ForeignKey("customer.id"), nullable=False),
    Column("body", Text, nullable=False),
    Column("by", String(254), nullable=False),
    Column("at", UtcDateTime, nullable=False),
    Column("edited_at", UtcDateTime),
    Column("edited_by", String(254)),
    Column("deleted_at", UtcDateTime),  # its body is empty then
    Column("deleted_by", String(254)),
    Index(None, "customer_id", "at"),
)

csm_assignment = Table(
    "csm_assignment",
    metadata,
    Column("id", String(40), primary_key=True),
    Column("customer_id", ForeignKey("customer.id"), nullable=False),
    Column("csm_email", String(254)),  # null: nobody's
    Column("csm_name", String(200)),
    Column("reason", Text),
    Column("by", String(254), nullable=False),
    Column("at", UtcDateTime, nullable=False),
    Column("ended_at", UtcDateTime),  # by the next one, or by giving it back to what the source says
    Column("ended_by", String(254)),
    Index(None, "customer_id", "at"),
)
