"""Onboardings: one row for each attempt of a customer, and one for each of its steps with who or what completed it."""

from sqlalchemy import (
    Boolean,
    Column,
    Date,
    Float,
    ForeignKey,
    Index,
    Integer,
    String,
    Table,
    Text,
    UniqueConstraint,
    text,
)

from hub.store.tables.base import Json, UtcDateTime, metadata

onboarding = Table(
    "onboarding",
    metadata,
    Column("id", String(40), primary_key=True),
    Column("customer_id", ForeignKey("customer.id"), nullable=False),
    Column("attempt", Integer, nullable=False),  # of the customer, from 1
    Column("programme", String(60), nullable=False),
    Column("state", String(20), nullable=False),  # "active" | "completed" | "failed" | "cancelled"
    Column("pace", String(20)),  # of an active one: "on_track" | "behind" | "stalled"
    Column("step", String(60)),  # of an active one: the first step, not an optional one, that is next
    Column("step_since", UtcDateTime),  # when its turn came
    Column("progress", Float, nullable=False),  # share of the customer's own steps that are done, 0-1
    Column("cause", String(20), nullable=False),  # "subscription" | "hand"
    Column("started_by", String(254)),
    Column("started_at", UtcDateTime, nullable=False),  # the day the subscription began, or when somebody said so
    Column("value_at", UtcDateTime),  # when the step that stands for value was done; no earlier than the start
    Column("ended_at", UtcDateTime),
    Column("ended_by", String(254)),
    Column("ended_why", Text),
    UniqueConstraint("customer_id", "attempt"),
    # one active onboarding a customer, whoever starts it
    Index(
        "ux_onboarding_active",
        "customer_id",
        unique=True,
        sqlite_where=text("state = 'active'"),
        postgresql_where=text("state = 'active'"),
    ),
    Index(None, "state", "started_at"),
    Index(None, "started_at"),
)

onboarding_step = Table(
    "onboarding_step",
    metadata,
    Column("id", String(120), primary_key=True),  # "<onboarding_id>:<name>"
    Column("onboarding_id", ForeignKey("onboarding.id"), nullable=False),
    Column("name", String(60), nullable=False),
    Column("position", Integer, nullable=False),  # in the programme, from 0
    # as the programme has it; of an active onboarding as the file has it now, of one that ended as it was then
    Column("title", String(200), nullable=False),
    Column("optional", Boolean, nullable=False),
    Column("ours", Boolean, nullable=False),  # what we do, not the customer
    Column("after", Json, nullable=False),  # names of the steps that must be done before
    Column("state", String(20), nullable=False),  # "open" | "done" | "skipped" | "left_out"
    Column("turn_at", UtcDateTime),  # since when it may be done
    Column("due_on", Date),
    Column(
        "times", Integer, nullable=False
    ),  # how often it was done; above 1 only where the programme lets it be repeated
    Column("done_at", UtcDateTime),  # or skipped
    Column("done_by", String(254)),
    Column("evidence", Text),  # what in the data says so, in words; NULL where a person did
    Column("note", Text),
    Index(None, "onboarding_id", "position"),
)
