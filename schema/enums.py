"""The enums of the model as the API shows them: same members, same meaning."""

from enum import StrEnum

import strawberry

from hub.model import actions, records

Band = strawberry.enum(actions.Band, description="Health: critical, warning, stable, healthy.")
AlertState = strawberry.enum(actions.AlertState)
AlertOutcome = strawberry.enum(actions.AlertOutcome)
RunState = strawberry.enum(actions.RunState, description="A playbook run; waiting until `wakeAt`.")
DeliveryState = strawberry.enum(
    actions.DeliveryState,
    description="reserved -> sent -> confirmed; unknown when the process died between sending and confirmation.",
)
SyncState = strawberry.enum(
    actions.SyncState, description="incomplete landed what it could and says what is missing; paused waits for a quota."
)
Role = strawberry.enum(actions.Role, description="viewer reads; csm also acts on customers; admin may do everything.")
TicketStatus = strawberry.enum(records.TicketStatus)
Severity = strawberry.enum(records.Severity)
SurveyType = strawberry.enum(records.SurveyType)
SubscriptionStatus = strawberry.enum(records.SubscriptionStatus)
CancellationKind = strawberry.enum(records.CancellationKind)
OpportunityStage = strawberry.enum(records.OpportunityStage)
OpportunityType = strawberry.enum(records.OpportunityType)


@strawberry.enum(description="Churn risk, cut on the annualised probability.")
class ChurnBand(StrEnum):
    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"
    VERY_LOW = "very_low"


@strawberry.enum
class Direction(StrEnum):
    ASC = "asc"
    DESC = "desc"
