"""What lists of records can be narrowed by: one input for each kind; everything given must hold."""

from datetime import date, datetime
from typing import Any

import strawberry

from hub.model.conditions.texts import LONGEST_SEARCH
from hub.store.query import Where
from schema.enums import (
    InvoiceStatus,
    OpportunityStage,
    OpportunityType,
    Severity,
    SubscriptionStatus,
    SurveyType,
    TicketStatus,
)
from schema.errors import BadInputError
from schema.narrowing import between, narrowed, there
from schema.personal import PERSONAL

ONE_CUSTOMER = "Of one customer."
OF_SOURCE = "Name of a source."


def _given(description: str | None = None, *, personal: bool = False) -> Any:
    return strawberry.field(default=None, description=description, directives=[PERSONAL] if personal else [])


def _searched(column: str, text: str | None, *, field: str) -> list[Where]:
    if text is None:
        return []
    if not text.strip():
        raise BadInputError(f"{field} must hold something to look for", field=f"filter.{field}")
    if len(text) > LONGEST_SEARCH:
        raise BadInputError(f"{field} must have at most {LONGEST_SEARCH} characters", field=f"filter.{field}")
    return [Where(column, "contains", text)]


@strawberry.input(description="Chooses contacts; everything given must hold.")
class ContactFilter:
    customer_id: strawberry.ID | None = _given(ONE_CUSTOMER)
    source: str | None = _given(OF_SOURCE)
    role: list[str] | None = _given("Such as champion or executive; any of them.")
    email: str | None = _given("The whole address, in either case.", personal=True)
    email_domain: str | None = _given("Behind the @, in either case.", personal=True)
    name_contains: str | None = _given("In either case of A-Z.", personal=True)
    seen_from: datetime | None = _given("Last seen not earlier.")
    seen_to: datetime | None = _given("Last seen not later.")

    def tests(self) -> list[Where]:
        found = narrowed(customer_id=self.customer_id, source=self.source, role=self.role)
        if self.email is not None:
            found.append(Where("email", "same_text", self.email))
        if self.email_domain is not None:
            domain = self.email_domain.strip().removeprefix("@")
            if not domain or len(domain) > LONGEST_SEARCH:
                raise BadInputError("emailDomain must be a domain, such as acme.example", field="filter.emailDomain")
            found.append(Where("email", "ends_with", f"@{domain}"))
        found += _searched("name", self.name_contains, field="nameContains")
        return [*found, *between("last_seen_at", self.seen_from, self.seen_to)]


@strawberry.input(description="Chooses tickets; everything given must hold.")
class TicketFilter:
    customer_id: strawberry.ID | None = _given(ONE_CUSTOMER)
    source: str | None = _given(OF_SOURCE)
    status: list[TicketStatus] | None = _given("Any of them.")
    severity: list[Severity] | None = _given("Any of them.")
    solved: bool | None = _given("Whether it is solved.")
    created_from: datetime | None = _given("Not earlier.")
    created_to: datetime | None = _given("Not later.")
    requester_email: str | None = _given("The whole address, in either case.", personal=True)
    subject_contains: str | None = _given("In either case of A-Z.", personal=True)

    def tests(self) -> list[Where]:
        found = narrowed(customer_id=self.customer_id, source=self.source, status=self.status, severity=self.severity)
        if self.requester_email is not None:
            found.append(Where("requester_email", "same_text", self.requester_email))
        found += _searched("subject", self.subject_contains, field="subjectContains")
        return [*found, *there("solved_at", self.solved), *between("created_at", self.created_from, self.created_to)]


@strawberry.input(description="Chooses answers to surveys; everything given must hold.")
class SurveyFilter:
    customer_id: strawberry.ID | None = _given(ONE_CUSTOMER)
    source: str | None = _given(OF_SOURCE)
    type: SurveyType | None = _given()
    scale: str | None = _given("Lowest and highest, such as 0-10: scores compare on one scale only.")
    score_from: float | None = _given("On its own scale.")
    score_to: float | None = _given("On its own scale.")
    responded_from: datetime | None = _given("Not earlier.")
    responded_to: datetime | None = _given("Not later.")
    commented: bool | None = _given("Whether there is a comment.")
    comment_contains: str | None = _given("In either case of A-Z.", personal=True)

    def tests(self) -> list[Where]:
        return [
            *narrowed(customer_id=self.customer_id, source=self.source, type=self.type, scale=self.scale),
            *between("score", self.score_from, self.score_to),
            *between("responded_at", self.responded_from, self.responded_to),
            *there("comment", self.commented),
            *_searched("comment", self.comment_contains, field="commentContains"),
        ]


@strawberry.input(description="Chooses terms of subscriptions; everything given must hold.")
class SubscriptionFilter:
    customer_id: strawberry.ID | None = _given(ONE_CUSTOMER)
    source: str | None = _given(OF_SOURCE)
    plan: list[str] | None = _given("Any of them.")
    currency: str | None = _given()
    status: list[SubscriptionStatus] | None = _given("Any of them.")
    auto_renew: bool | None = _given()
    started_from: date | None = _given("First day.")
    started_to: date | None = _given("Last day.")
    renews_from: date | None = _given("First day.")
    renews_to: date | None = _given("Last day.")
    noticed: bool | None = _given("Whether notice was given.")

    def tests(self) -> list[Where]:
        of = {"plan": self.plan, "currency": self.currency, "status": self.status, "auto_renew": self.auto_renew}
        return [
            *narrowed(customer_id=self.customer_id, source=self.source, **of),
            *between("started_on", self.started_from, self.started_to),
            *between("renews_on", self.renews_from, self.renews_to),
            *there("cancelled_at", self.noticed),
        ]


@strawberry.input(description="Chooses invoices; everything given must hold.")
class InvoiceFilter:
    customer_id: strawberry.ID | None = _given(ONE_CUSTOMER)
    source: str | None = _given(OF_SOURCE)
    status: list[InvoiceStatus] | None = _given("Any of them.")
    currency: str | None = _given()
    issued_from: date | None = _given("First day.")
    issued_to: date | None = _given("Last day.")
    due_from: date | None = _given("First day.")
    due_to: date | None = _given("Last day.")
    paid: bool | None = _given("Whether it is paid.")
    failed: bool | None = _given("Whether collecting it ever failed.")

    def tests(self) -> list[Where]:
        return [
            *narrowed(customer_id=self.customer_id, source=self.source, status=self.status, currency=self.currency),
            *between("issued_on", self.issued_from, self.issued_to),
            *between("due_on", self.due_from, self.due_to),
            *there("paid_at", self.paid),
            *there("failed_at", self.failed),
        ]


@strawberry.input(description="Chooses deals of the CRM; everything given must hold.")
class OpportunityFilter:
    customer_id: strawberry.ID | None = _given(ONE_CUSTOMER)
    source: str | None = _given(OF_SOURCE)
    type: list[OpportunityType] | None = _given("Any of them.")
    stage: list[OpportunityStage] | None = _given("Any of them.")
    owner_email: str | None = _given("One of our own people.")
    close_from: date | None = _given("First day.")
    close_to: date | None = _given("Last day.")

    def tests(self) -> list[Where]:
        of = {"type": self.type, "stage": self.stage, "owner_email": self.owner_email}
        return [
            *narrowed(customer_id=self.customer_id, source=self.source, **of),
            *between("close_on", self.close_from, self.close_to),
        ]
