"""Where each customer stands in its life with us, as of now, and every change of it."""

from sqlalchemy import Column, Date, Float, ForeignKey, Index, Integer, String, Table

from hub.store.tables.base import UtcDateTime, metadata

lifecycle = Table(
    "lifecycle",
    metadata,
    Column("customer_id", ForeignKey("customer.id"), primary_key=True),
    # onboarding: the newest one of the customer
    Column("onboarding_state", String(20)),  # "active" | "completed" | "failed" | "cancelled"
    Column("onboarding_pace", String(20)),  # of an active one: "on_track" | "behind" | "stalled"
    Column("onboarding_step", String(60)),  # of an active one: the first step that is neither done nor skipped
    Column("onboarding_progress", Float),  # share of its required steps that are done, 0-1
    Column("onboarding_days", Float),  # since its start, until it ended
    Column("onboarding_step_days", Float),  # since its step's turn came
    # health watch: what health and churn risk have been for long enough to count
    Column("watch_level", String(20)),  # "clear" | "warning" | "critical"
    Column("watch_days", Float),
    Column("churn_level", String(20)),  # "clear" | "medium" | "high"
    Column("churn_days", Float),
    # renewal of the current term
    Column("renewal_status", String(20)),  # "upcoming" | "due" | "overdue" | "renewed" | "churned"
    Column("renewal_days", Float),  # until its day; negative after it
    Column("renewal_on", Date),  # its day
    Column("renewal_auto", String(3)),  # "yes" | "no": whether it renews by itself
    Column("renewal_amount", Float),  # what falls due, a year's, in its own currency
    Column("renewal_expected", Float),  # what is expected of it
    # the best open opportunity to expand
    Column("expansion_kind", String(20)),  # "plan_upgrade" | "add_on" | "seats"
    Column("expansion_value", Float),  # expected, a year's
    # advocacy
    Column("advocacy", String(20)),  # "promoter" | "passive" | "detractor"
    Column("advocacy_score", Float),  # 0-10
    Column("survey_asked_days", Float),  # since anybody there was last asked
    Column("updated_at", UtcDateTime, nullable=False),
)

lifecycle_change = Table(
    "lifecycle_change",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("customer_id", ForeignKey("customer.id"), nullable=False),
    Column("field", String(30), nullable=False),  # a text of `lifecycle`, such as watch_level
    Column("old", String(60)),
    Column("new", String(60)),
    Column("changed_at", UtcDateTime, nullable=False),
    Index(None, "customer_id", "field", "changed_at"),
    Index(None, "field", "changed_at"),
)
"""What `lifecycle` said before: replaying the past asks it for the state of a day."""
