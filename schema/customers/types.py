"""The customer: its own columns, those of its newest scorecard, and everything that hangs on it."""

from datetime import date, datetime
from typing import TYPE_CHECKING, Annotated

import strawberry

from hub.store.query import Order, Where
from schema.customers.facts import Facts, FactsOfDay, fact_history_field, facts_at_field, scorecard_field
from schema.customers.identity import CustomerMerge, Identity
from schema.customers.records import (
    Contact,
    CustomField,
    ImportedScore,
    Invoice,
    Opportunity,
    Subscription,
    SurveyResponse,
    Ticket,
)
from schema.customers.timeline import TimelineEntry, timeline_field
from schema.customers.usage import Usage
from schema.enums import AlertState, InvoiceStatus, OpportunityStage, RunState, SurveyType, TicketStatus
from schema.fields import Argument, column, many, one, page, part
from schema.lifecycle.advocacy import SurveyInvitation
from schema.lifecycle.expansion import ExpansionOpportunity, ExpansionState
from schema.lifecycle.onboarding import Onboarding
from schema.lifecycle.renewals import Renewal, RenewalStatus
from schema.lifecycle.standing import CustomerLifecycle, LifecycleChange, LifecycleField
from schema.nodes import Node
from schema.paging import Connection
from schema.people.types import CsmAssignment, Note
from schema.postmortem.types import Postmortem, postmortem_field
from schema.scores.explanation import Explanation, Lift, explanation_field, lift_field
from schema.scores.judgement import HealthOverride, Sentiment
from schema.scores.types import ChurnRisk, ExtraScorecard, Health, Rollup, Scorecard

if TYPE_CHECKING:
    from schema.playbooks.types import Alert, PlaybookRun

_Alerts = Connection[Annotated["Alert", strawberry.lazy("schema.playbooks.types")]]
_Runs = Connection[Annotated["PlaybookRun", strawberry.lazy("schema.playbooks.types")]]
CustomerSelf = Annotated["Customer", strawberry.lazy("schema.customers.types")]


@strawberry.type(description="The person on our side who owns the customer.")
class Csm:
    name: str | None = column("csm_name")
    email: str | None = column("csm_email")


@strawberry.type(description="A company that pays us.")
class Customer(Node):
    name: str = column()
    domain: str | None = column()
    segment: str | None = column()
    industry: str | None = column()
    country: str | None = column()
    employees: int | None = column()
    csm: Csm = part()
    became_customer_on: date | None = column()
    created_at: datetime = column()
    updated_at: datetime = column()
    parent: CustomerSelf | None = one("customer", key="id", parent="parent_id", unique=True)
    children: Connection[CustomerSelf] = page("customer", key="parent_id", order=Order("name"))

    facts: Facts | None = part("score_id", description="Null before the first scorecard.")  # type: ignore[valid-type]  # made of the catalogue
    health: Health | None = part("score_id", description="Of the newest scorecard; null before the first.")
    explanation: Explanation | None = explanation_field()
    lift: Lift | None = lift_field()
    postmortem: Postmortem | None = postmortem_field()
    churn_risk: ChurnRisk | None = one(
        "churn_prediction",
        key="customer_id",
        order=Order("as_of", descending=True),
        where=(Where("main", "eq", True), Where("latest", "eq", True)),
        description="The newest prediction for the primary horizon, by the model that counts.",
    )
    churn_risks: list[ChurnRisk] = many(
        "churn_prediction",
        key="customer_id",
        order=Order("horizon_days"),
        where=(Where("shown", "eq", True), Where("latest", "eq", True)),
        most=10,
        description="The newest predictions for every horizon, by the models that count; the renewal last.",
    )
    override: HealthOverride | None = one(
        "health_override",
        key="customer_id",
        order=Order("set_at", descending=True),
        where=(Where("withdrawn_at", "is_null", True),),
        on_day=lambda day: (Where("expires_on", "ge", day),),
        description="The one in force today.",
    )
    overrides: Connection[HealthOverride] = page(
        "health_override", key="customer_id", order=Order("set_at", descending=True), description="Newest first."
    )
    sentiment: Sentiment | None = one(
        "sentiment",
        key="customer_id",
        order=Order("set_at", descending=True),
        where=(Where("withdrawn_at", "is_null", True),),
        on_day=lambda day: (Where("expires_on", "ge", day),),
        description="The one that holds today.",
    )
    sentiments: Connection[Sentiment] = page(
        "sentiment", key="customer_id", order=Order("set_at", descending=True), description="Newest first."
    )
    extra_scorecards: list[ExtraScorecard] = many(
        "extra_scorecard",
        key="customer_id",
        order=Order("name"),
        where=(Where("latest", "eq", True),),
        description="The newest of each definition that is read beside the main one.",
    )
    rollup: Rollup | None = one(
        "rollup_scorecard",
        key="customer_id",
        order=Order("as_of", descending=True),
        where=(Where("latest", "eq", True),),
        description="Of who is a parent: its health with that of everybody below it.",
    )
    facts_at: Facts | None = facts_at_field()  # type: ignore[valid-type]  # made of the catalogue
    fact_history: Connection[FactsOfDay] = fact_history_field()
    scorecard: Scorecard | None = scorecard_field()
    score_history: Connection[Scorecard] = page(
        "scorecard",
        key="customer_id",
        order=Order("as_of", descending=True),
        arguments=(
            Argument(name="from_", type=date | None, column="as_of", operator="ge", description="First day."),
            Argument(name="to", type=date | None, column="as_of", operator="le", description="Last day."),
        ),
        description="A scorecard for each day, newest first.",
    )

    timeline: Connection[TimelineEntry] = timeline_field()

    usage: Usage = part()
    contacts: Connection[Contact] = page("contact", key="customer_id", order=Order("created_at", descending=True))
    tickets: Connection[Ticket] = page(
        "ticket",
        key="customer_id",
        order=Order("created_at", descending=True),
        arguments=(Argument(name="status", type=list[TicketStatus] | None, column="status", operator="in"),),
        description="Newest first.",
    )
    surveys: Connection[SurveyResponse] = page(
        "survey_response",
        key="customer_id",
        order=Order("responded_at", descending=True),
        arguments=(Argument(name="type", type=SurveyType | None, column="type"),),
        description="Newest first.",
    )
    subscription: Subscription | None = one(
        "subscription",
        key="customer_id",
        order=Order("mrr", descending=True),
        on_day=lambda day: (Where("started_on", "le", day), Where("ended_on", "after_or_null", day)),
        description="The one running today; of several, the one with the highest MRR.",
    )
    subscriptions: Connection[Subscription] = page(
        "subscription", key="customer_id", order=Order("started_on", descending=True), description="Newest term first."
    )
    invoices: Connection[Invoice] = page(
        "invoice",
        key="customer_id",
        order=Order("issued_on", descending=True),
        arguments=(Argument(name="status", type=list[InvoiceStatus] | None, column="status", operator="in"),),
        description="Issued last first.",
    )
    opportunities: Connection[Opportunity] = page(
        "opportunity",
        key="customer_id",
        order=Order("close_on", descending=True),
        arguments=(Argument(name="stage", type=list[OpportunityStage] | None, column="stage", operator="in"),),
    )

    imported_scores: Connection[ImportedScore] = page(
        "imported_score",
        key="customer_id",
        order=Order("scored_at", descending=True),
        arguments=(
            Argument(name="source", type=str | None, column="source"),
            Argument(name="name", type=str | None, column="name"),
        ),
        description="Scores of another customer success platform, newest first; those of one source or name.",
    )

    lifecycle: CustomerLifecycle | None = one(
        "lifecycle",
        key="customer_id",
        order=Order("customer_id"),
        unique=True,
        description="Where it stands now: onboarding, health watch, renewal, expansion, advocacy.",
    )
    lifecycle_changes: Connection[LifecycleChange] = page(
        "lifecycle_change",
        key="customer_id",
        order=Order("changed_at", descending=True),
        arguments=(Argument(name="field", type=list[LifecycleField] | None, column="field", operator="in"),),
        description="Newest first.",
    )
    renewals: Connection[Renewal] = page(
        "renewal",
        key="customer_id",
        order=Order("due_on", descending=True),
        arguments=(Argument(name="status", type=list[RenewalStatus] | None, column="status", operator="in"),),
        description="By the day they fall due, the last first.",
    )
    expansion_opportunities: Connection[ExpansionOpportunity] = page(
        "expansion_opportunity",
        key="customer_id",
        order=Order("expected", descending=True),
        arguments=(Argument(name="state", type=list[ExpansionState] | None, column="state", operator="in"),),
        description="Those that are expected to bring most first.",
    )
    survey_invitations: Connection[SurveyInvitation] = page(
        "survey_invitation",
        key="customer_id",
        order=Order("asked_at", descending=True),
        description="Contacts the hub asked itself, newest first.",
    )
    onboarding: Onboarding | None = one(
        "onboarding",
        key="customer_id",
        order=Order("attempt", descending=True),
        description="The newest; null where there was none.",
    )
    onboardings: Connection[Onboarding] = page(
        "onboarding", key="customer_id", order=Order("started_at", descending=True), description="Newest first."
    )
    alerts: _Alerts = page(
        "alert",
        key="customer_id",
        order=Order("opened_at", descending=True),
        arguments=(Argument(name="state", type=list[AlertState] | None, column="state", operator="in"),),
        description="Newest first.",
    )
    playbook_runs: _Runs = page(
        "playbook_run",
        key="customer_id",
        order=Order("started_at", descending=True),
        arguments=(Argument(name="state", type=list[RunState] | None, column="state", operator="in"),),
        description="Newest first.",
    )
    notes: Connection[Note] = page(
        "note",
        key="customer_id",
        order=Order("at", descending=True),
        description="What our people wrote, newest first.",
    )
    csm_assignments: Connection[CsmAssignment] = page(
        "csm_assignment",
        key="customer_id",
        order=Order("at", descending=True),
        description="Whose it was by our own word, newest first; what has not ended goes before the source's word.",
    )
    custom: list[CustomField] = many(
        "customer_field",
        key="customer_id",
        order=Order("name"),
        most=50,
        description="What playbooks wrote of the customer.",
    )
    identity: list[Identity] = many(
        "external_id", key="customer_id", most=50, description="How the sources know the customer, and why."
    )
    merges: Connection[CustomerMerge] = page(
        "customer_merge",
        key="kept_id",
        order=Order("at", descending=True),
        description="Customers that became part of it, newest first; those that were undone among them.",
    )
