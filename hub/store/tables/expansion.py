"""Opportunities to expand: what a rule found about a customer, with the numbers it rests on, and what became of it."""

from sqlalchemy import Column, Date, Float, ForeignKey, Index, String, Table, Text, text

from hub.store.tables.base import Json, UtcDateTime, metadata

expansion_opportunity = Table(
    "expansion_opportunity",
    metadata,
    Column("id", String(140), primary_key=True),  # "<customer_id>:<rule>:<moment it was found>"
    Column("customer_id", ForeignKey("customer.id"), nullable=False),
    Column("rule", String(60), nullable=False),
    Column("kind", String(20), nullable=False),  # "plan_upgrade" | "add_on" | "seats"
    Column("title", Text, nullable=False),
    Column("state", String(20), nullable=False),  # "open" | "offered" | "won" | "lost" | "withdrawn"
    Column("found_on", Date, nullable=False),
    Column("missed_since", Date),  # since when its condition does not hold, or something stands against it
    Column("blocked", String(60)),  # name of what stands against offering it
    Column("evidence", Json, nullable=False),  # {fact: value} as last seen while it held
    Column("seats", Float),  # to be added, where it is about seats
    Column("value", Float, nullable=False),  # a year's, if it is won
    Column("probability", Float, nullable=False),
    Column("expected", Float, nullable=False),  # value x probability
    # what a rise is measured against: as it was found, or after another one of the customer was won
    Column("base_arr", Float),
    Column("base_seats", Float),
    Column("base_plan", String(120)),
    Column("won_amount", Float),
    Column("reason", Text),  # why it is no longer open
    Column("decided_by", String(254)),  # who said so; NULL: the records did
    Column("closed_on", Date),
    Column("updated_at", UtcDateTime, nullable=False),
    Index(None, "customer_id", "state"),
    Index(None, "state", "expected"),
    Index(
        "ux_expansion_opportunity_live",
        "customer_id",
        "rule",
        unique=True,
        sqlite_where=text("state IN ('open', 'offered')"),
        postgresql_where=text("state IN ('open', 'offered')"),
    ),
)
