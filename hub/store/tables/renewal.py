"""Renewals: what fell due of a customer on a day, and what became of it; and what people said of it beside the sources."""

from sqlalchemy import Boolean, Column, Date, Float, ForeignKey, Index, String, Table, Text

from hub.store.tables.base import Json, UtcDateTime, metadata

renewal = Table(
    "renewal",
    metadata,
    Column("id", String(70), primary_key=True),  # "<customer_id>:<due_on>:<currency>"
    Column("customer_id", ForeignKey("customer.id"), nullable=False),
    Column("due_on", Date, nullable=False),
    Column("currency", String(3), nullable=False),
    Column("started_on", Date, nullable=False),  # of the oldest of its terms
    Column("terms", Json, nullable=False),  # ids of the subscriptions that fall due on the day
    Column("deal_id", String(300)),  # the CRM's renewal deal
    Column("auto", Boolean, nullable=False),  # renews by itself
    Column("notice_by", Date),  # of one that does: the last day on which notice can be given
    Column("arr", Float, nullable=False),  # 12 x MRR of its terms
    Column("target", Float, nullable=False),  # amount due, a year's: what the deal says, else `arr`
    Column("running", Boolean, nullable=False),  # whether any of its terms is still paid today
    Column("status", String(20), nullable=False),  # in force: what a person said, else what the records say
    Column("computed_status", String(20), nullable=False),  # what the records say
    Column("final", Float),  # a year's, of one that is decided; 0 where it is lost
    Column("decided_on", Date),
    Column("reason", Text, nullable=False),  # why it has its status
    Column("stated_by", String(254)),  # who said so, where a person did
    Column("probability", Float, nullable=False),  # of being renewed, 0-1
    Column("probability_by", String(20), nullable=False),  # "decided" | "churn_risk" | "base_rate" | "assumed"
    Column("expected", Float, nullable=False),  # a year's; what goes beyond the target is upsell and not in it
    Column("updated_at", UtcDateTime, nullable=False),
    Index(None, "customer_id", "due_on"),
    Index(None, "due_on"),
    Index(None, "status", "due_on"),
)

renewal_statement = Table(
    "renewal_statement",
    metadata,
    Column("id", String(60), primary_key=True),
    Column("renewal_id", ForeignKey("renewal.id"), nullable=False),
    Column("status", String(20), nullable=False),  # "renewed" | "churned"
    Column("amount", Float),  # a year's; NULL: what was due
    Column("reason", Text, nullable=False),
    Column("by", String(254), nullable=False),
    Column("at", UtcDateTime, nullable=False),
    Column("withdrawn_at", UtcDateTime),
    Column("withdrawn_by", String(254)),
    Index(None, "renewal_id"),
)
