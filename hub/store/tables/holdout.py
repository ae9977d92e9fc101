"""Who was kept untreated by which playbook, decided by lot before anything was done: what its effect is judged on."""

from sqlalchemy import Column, Float, ForeignKey, Index, Integer, String, Table, UniqueConstraint

from hub.store.tables.base import UtcDateTime, metadata

playbook_assignment = Table(
    "playbook_assignment",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("playbook", String(120), nullable=False),
    Column("customer_id", ForeignKey("customer.id"), nullable=False),
    Column("arm", String(10), nullable=False),  # "treated" | "held_out"
    Column("share", Float, nullable=False),  # of those held out, when the lot was drawn: 0-1
    Column("since", UtcDateTime, nullable=False),  # the customer's first eligibility of its period
    Column("run_id", ForeignKey("playbook_run.id"), nullable=False),  # the run of that eligibility
    UniqueConstraint("playbook", "customer_id", "since"),
    Index(None, "playbook", "since"),
)
