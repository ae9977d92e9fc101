"""What the sources say about a customer: one type for each kind of record, a column each field."""

from datetime import date, datetime
from typing import TYPE_CHECKING, Annotated

import strawberry

from schema.enums import (
    CancellationKind,
    InvoiceStatus,
    OpportunityStage,
    OpportunityType,
    Severity,
    SubscriptionStatus,
    SurveyType,
    TicketStatus,
)
from schema.fields import column, computed_now, one
from schema.nodes import Node

if TYPE_CHECKING:
    from schema.customers.types import Customer

CustomerRef = Annotated["Customer", strawberry.lazy("schema.customers.types")]
_UNPAID = ("open", "failed")


@strawberry.interface(description="A row of a source, in our words.")
class SourceRecord(Node):
    source: str = column(description="Name of the source it was pulled from.")
    key: str = column(description="Its id at the vendor.")
    synced_at: datetime = column(description="When it was last pulled with a change.")
    customer: CustomerRef | None = one("customer", key="id", parent="customer_id", unique=True)


@strawberry.type(description="A person at a customer.")
class Contact(SourceRecord):
    key: str = column(personal=True, description="Its id at the vendor, which may be an address.")
    email: str | None = column(personal=True)
    name: str | None = column(personal=True)
    title: str | None = column(personal=True)
    role: str | None = column()
    last_seen_at: datetime | None = column()
    created_at: datetime | None = column()


@strawberry.type(description="A support ticket. Minutes are calendar minutes since it was created.")
class Ticket(SourceRecord):
    subject: str | None = column(personal=True)
    status: TicketStatus = column()
    severity: Severity = column()
    requester_email: str | None = column(personal=True)
    created_at: datetime = column()
    solved_at: datetime | None = column()
    first_response_minutes: float | None = column()
    resolution_minutes: float | None = column()
    reopens: int = column()
    replies: int = column()
    url: str | None = column(personal=True)


@strawberry.type(description="One answer to one survey.")
class SurveyResponse(SourceRecord):
    key: str = column(personal=True, description="Its id at the vendor, which may tell who answered.")
    type: SurveyType = column()
    scale: str = column(description="Lowest and highest of the scale as asked, such as 0-10.")
    score: float = column()
    comment: str | None = column(personal=True)
    respondent_email: str | None = column(personal=True)
    responded_at: datetime = column()


@strawberry.type(description="One term of a subscription; a renewal or a change is the next term.")
class Subscription(SourceRecord):
    plan: str = column()
    mrr: float = column(description="Recurring revenue normalised to a month, in `currency`.")
    currency: str = column()
    seats_purchased: int | None = column()
    seats_used: int | None = column()
    started_on: date = column()
    renews_on: date | None = column()
    ended_on: date | None = column(description="First day it no longer pays; null where none is known.")
    auto_renew: bool = column()
    status: SubscriptionStatus = column()
    cancelled_at: datetime | None = column(description="When notice was given.")
    cancellation_kind: CancellationKind | None = column()


@strawberry.type(description="A bill, and what became of collecting it.")
class Invoice(SourceRecord):
    number: str | None = column(description="As printed on it.")
    amount: float = column(description="In `currency`.")
    currency: str = column()
    issued_on: date = column()
    due_on: date | None = column()
    paid_at: datetime | None = column()
    failed_at: datetime | None = column(description="When collecting it failed last.")
    attempts: int = column(description="How often collecting it was tried.")
    status: InvoiceStatus = column()
    overdue: bool = computed_now(
        lambda row, context: (
            row["status"] in _UNPAID and row["due_on"] is not None and row["due_on"] < context.now.date()
        ),
        "status",
        "due_on",
        description="Not paid, and due before today.",
    )


@strawberry.type(description="A CRM deal.")
class Opportunity(SourceRecord):
    name: str = column()
    type: OpportunityType = column()
    stage: OpportunityStage = column()
    stage_name: str | None = column(description="The vendor's own word for the stage.")
    amount: float | None = column(description="Annual value in `currency`.")
    currency: str = column()
    close_on: date | None = column()
    created_at: datetime | None = column()
    owner_email: str | None = column()


@strawberry.type(description="What another customer success platform scored a customer, beside the hub's own health.")
class ImportedScore(SourceRecord):
    name: str = column(description="The platform's own name of the score.")
    value: float | None = column(
        description="0 to 1, higher is healthier; null where the platform has no number for it."
    )
    raw_value: float | None = column(description="As the platform gives it, on `scale` and in its own direction.")
    scale: str = column(
        description="Lowest and highest of `rawValue`, such as 0-100; labels where there are only words."
    )
    label: str | None = column(description="The platform's own word or colour.")
    scored_at: datetime = column(description="From when it was so.")


@strawberry.type(
    description="A field of a customer that is the hub's own: what playbooks wrote there, which no sync touches."
)
class CustomField:
    name: str = column(description="As conditions say it behind `custom.`.")
    value: str = column()
    updated_at: datetime = column()
    updated_by: str = column(description="Such as playbook churn_save.")
