"""The enums of the model as the API shows them: same members, same meaning."""

from enum import StrEnum

import strawberry

from hub.model.actions import AlertOutcome, AlertState, Band, DeliveryState, Role, RunState, Scope, SyncState
from hub.model.records import (
    CancellationKind,
    InvoiceStatus,
    OpportunityStage,
    OpportunityType,
    Severity,
    SubscriptionStatus,
    SurveyType,
    TicketStatus,
)

# Strawberry notes what it needs on the class itself, and the model stays free of it
for _enum, _description in (
    (AlertOutcome, "How an alert was closed."),
    (AlertState, "An alert: open, in progress, closed."),
    (Band, "Health, from the least to the most."),
    (CancellationKind, None),
    (DeliveryState, "reserved -> sent -> confirmed; unknown: the process died between sending and confirmation."),
    (InvoiceStatus, None),
    (OpportunityStage, None),
    (OpportunityType, None),
    (
        Role,
        "viewer reads; csm also sees personal data and acts on customers; manager of all of them; admin may do everything.",
    ),
    (RunState, "A playbook run; waiting until `wakeAt`; held_out: left untreated, by lot."),
    (Scope, "read; personal: fields that are @personal; act: mutations; export."),
    (Severity, None),
    (SubscriptionStatus, None),
    (SurveyType, None),
    (SyncState, "incomplete landed what it could and says what is missing; paused waits for a quota to refill."),
    (TicketStatus, None),
):
    strawberry.enum(_enum, description=_description)


@strawberry.enum(
    description="Churn risk, cut on the annualised probability; NOTICED: gave notice, is leaving and not at risk."
)
class ChurnBand(StrEnum):
    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"
    MINIMAL = "minimal"
    NOTICED = "noticed"


@strawberry.enum(description="ALERT: something is wrong; TASK: something is to be done.")
class AlertKind(StrEnum):
    ALERT = "alert"
    TASK = "task"


@strawberry.enum
class AlertOrder(StrEnum):
    OPENED_AT = "opened_at"
    UPDATED_AT = "updated_at"
    DUE_ON = "due_on"
    PRIORITY = "priority"


@strawberry.enum(
    description="AMBIGUOUS: several customers fit, a person decides; UNMATCHED: none does, tried again after every sync."
)
class IdentityState(StrEnum):
    MATCHED = "matched"
    AMBIGUOUS = "ambiguous"
    UNMATCHED = "unmatched"


@strawberry.enum
class Direction(StrEnum):
    ASC = "asc"
    DESC = "desc"


__all__ = [
    "AlertKind",
    "AlertOrder",
    "AlertOutcome",
    "AlertState",
    "Band",
    "CancellationKind",
    "ChurnBand",
    "DeliveryState",
    "Direction",
    "IdentityState",
    "InvoiceStatus",
    "OpportunityStage",
    "OpportunityType",
    "Role",
    "RunState",
    "Scope",
    "Severity",
    "SubscriptionStatus",
    "SurveyType",
    "SyncState",
    "TicketStatus",
]
