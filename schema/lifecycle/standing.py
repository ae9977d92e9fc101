"""Where a customer stands in its life with us, as of now, and every change of it."""

from datetime import datetime
from enum import StrEnum

import strawberry

from schema.fields import column
from schema.lifecycle.expansion import ExpansionKind
from schema.lifecycle.onboarding import OnboardingPace, OnboardingState
from schema.lifecycle.renewals import RenewalStatus


@strawberry.enum(description="What health has been for long enough to count.")
class WatchLevel(StrEnum):
    CLEAR = "clear"
    WARNING = "warning"
    CRITICAL = "critical"


@strawberry.enum(description="What the churn risk has been for long enough to count.")
class ChurnLevel(StrEnum):
    CLEAR = "clear"
    MEDIUM = "medium"
    HIGH = "high"


@strawberry.enum(description="By its newest NPS answers.")
class Advocacy(StrEnum):
    PROMOTER = "promoter"
    PASSIVE = "passive"
    DETRACTOR = "detractor"


@strawberry.type(
    description="Where a customer stands, by the fields that conditions of playbooks and filters know. Null: not in it."
)
class CustomerLifecycle:
    onboarding_state: OnboardingState | None = column(description="Of the newest onboarding.")
    onboarding_pace: OnboardingPace | None = column(description="Of an active one.")
    onboarding_step: str | None = column(description="Of an active one: the step whose turn it is.")
    onboarding_progress: float | None = column(description="Share of its required steps that are done, 0 to 1.")
    onboarding_days: float | None = column(description="Since its start, until it ended.")
    onboarding_step_days: float | None = column(description="Since its step's turn came.")
    watch_level: WatchLevel | None = column(description="Null where there has been no score for too long.")
    watch_days: float | None = column(description="Whole days it has lasted.")
    churn_level: ChurnLevel | None = column(description="Null of who has given notice, too.")
    churn_days: float | None = column(description="Whole days it has lasted.")
    renewal_status: RenewalStatus | None = column(description="Of the current term.")
    renewal_days: float | None = column(description="Until its day; negative after it.")
    renewal_auto: str | None = column(description="yes or no: whether it renews by itself.")
    renewal_amount: float | None = column(description="A year's, in the hub's currency.")
    expansion_kind: ExpansionKind | None = column(description="Of the best open opportunity.")
    expansion_value: float | None = column(description="Expected, a year's.")
    advocacy: Advocacy | None = column()
    advocacy_score: float | None = column(description="0 to 10.")
    survey_asked_days: float | None = column(description="Since anybody there was last asked.")
    updated_at: datetime = column()


@strawberry.enum(description="A state, or a number, whose changes are kept.")
class LifecycleField(StrEnum):
    ONBOARDING_STATE = "onboarding_state"
    ONBOARDING_PACE = "onboarding_pace"
    ONBOARDING_STEP = "onboarding_step"
    WATCH_LEVEL = "watch_level"
    CHURN_LEVEL = "churn_level"
    RENEWAL_STATUS = "renewal_status"
    RENEWAL_AUTO = "renewal_auto"
    EXPANSION_KIND = "expansion_kind"
    ADVOCACY = "advocacy"
    ONBOARDING_PROGRESS = "onboarding_progress"
    RENEWAL_ON = "renewal_on"
    RENEWAL_AMOUNT = "renewal_amount"
    EXPANSION_VALUE = "expansion_value"
    ADVOCACY_SCORE = "advocacy_score"


@strawberry.type(description="A state that became another.")
class LifecycleChange:
    field: LifecycleField = column()
    old: str | None = column(description="Null: there was none.")
    new: str | None = column(description="Null: there is none any more.")
    changed_at: datetime = column()
