"""Records: a vendor's row in our words, as a connector's mapping functions make it and sync stores it.

Every record names the company it belongs to by `company_key`, the key by which *its own source* knows that company
(a Zendesk organization id, a Mixpanel group id, a domain in a CSV). Which customer that is, is decided afterwards by
`hub.identity`; a mapping never guesses. Times are aware UTC datetimes, money is in whole currency units per month.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from dataclasses import field as dataclass_field
from datetime import date, datetime
from enum import StrEnum


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """What all records share.

    key         the row's id at the vendor, unique within a source and a kind of record
    version     milliseconds since 1970 of the row's last change at the vendor; a lower one never overwrites a higher
    company_key how the source names the company, or None where the row belongs to nobody
    deleted     the vendor says the row is gone; it is kept, marked, and no fact counts it
    """

    key: str
    version: int
    company_key: str | None = None
    deleted: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Company(Record):
    """A vendor's company row: evidence of identity, and a customer's profile where the source may create customers.

    key          equals `company_key` of the source's other records
    domains      e-mail domains as the vendor states them, lower case
    external_key the key another system gave the row (Zendesk organization.external_id, say)
    parent_key   this source's key of the parent company
    """

    name: str | None = None
    domains: tuple[str, ...] = ()
    external_key: str | None = None
    parent_key: str | None = None
    segment: str | None = None
    industry: str | None = None
    country: str | None = None
    employees: int | None = None
    csm_email: str | None = None
    csm_name: str | None = None
    became_customer_on: date | None = None


CHAMPION_ROLES = ("champion",)
EXECUTIVE_ROLES = ("executive", "executive_sponsor", "sponsor", "decision_maker")


@dataclass(frozen=True, slots=True, kw_only=True)
class Contact(Record):
    """A person at a customer.

    role          one of `CHAMPION_ROLES`, of `EXECUTIVE_ROLES`, or any other word of the source; where it gives several, the
                  champion's before an executive's before the first
    last_seen_at  when the source last saw the person or was in contact with them
    """

    email: str | None = None
    name: str | None = None
    title: str | None = None
    role: str | None = None
    last_seen_at: datetime | None = None
    created_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class UserActivityDay(Record):
    """One user's use of the product on one UTC day.

    sessions are runs of events with gaps of at most 30 minutes; minutes is their summed length, at least 1 each.
    """

    user_key: str
    day: date
    events: int
    sessions: int
    minutes: float


@dataclass(frozen=True, slots=True, kw_only=True)
class FeatureUsageDay(Record):
    """One company's use of one feature (event name) on one UTC day: events, and distinct users."""

    feature: str
    day: date
    events: int
    users: int


class TicketStatus(StrEnum):
    NEW = "new"
    OPEN = "open"
    PENDING = "pending"
    ON_HOLD = "on_hold"
    SOLVED = "solved"
    CLOSED = "closed"


class Severity(StrEnum):
    LOW = "low"
    NORMAL = "normal"
    HIGH = "high"
    URGENT = "urgent"


@dataclass(frozen=True, slots=True, kw_only=True)
class Ticket(Record):
    """A support ticket. Minutes are calendar minutes since creation; None until the thing has happened."""

    subject: str | None = None
    status: TicketStatus
    severity: Severity = Severity.NORMAL
    requester_email: str | None = None
    created_at: datetime
    solved_at: datetime | None = None
    first_response_minutes: float | None = None
    resolution_minutes: float | None = None
    reopens: int = 0
    replies: int = 0
    url: str | None = None


class SurveyType(StrEnum):
    NPS = "nps"
    CSAT = "csat"
    CES = "ces"


@dataclass(frozen=True, slots=True, kw_only=True)
class SurveyResponse(Record):
    """One answer to one survey. `scale` is "lowest-highest" of the scale as asked ("0-10", "1-5", "0-1")."""

    type: SurveyType
    scale: str
    score: float
    comment: str | None = None
    respondent_email: str | None = None
    responded_at: datetime
    ticket_key: str | None = None


class CancellationKind(StrEnum):
    VOLUNTARY = "voluntary"
    INVOLUNTARY = "involuntary"
    CONTRACTION = "contraction"


class SubscriptionStatus(StrEnum):
    TRIAL = "trial"
    ACTIVE = "active"
    PAST_DUE = "past_due"
    CANCELLED = "cancelled"
    ENDED = "ended"


@dataclass(frozen=True, slots=True, kw_only=True)
class Subscription(Record):
    """One term of a subscription; a renewal or a change of price, plan or seats is the next term, a row of its own.

    mrr            recurring revenue normalised to a month, in `currency`
    started_on     first day of the term; `renews_on` the day it falls due, known from the start
    ended_on       first day it no longer pays (end of term, or early end); None while it runs
    cancelled_at   when notice was given; known to nobody before that moment
    """

    plan: str
    mrr: float
    currency: str = "USD"
    seats_purchased: int | None = None
    seats_used: int | None = None
    started_on: date
    renews_on: date | None = None
    ended_on: date | None = None
    auto_renew: bool = True
    status: SubscriptionStatus = SubscriptionStatus.ACTIVE
    cancelled_at: datetime | None = None
    cancellation_kind: CancellationKind | None = None


class InvoiceStatus(StrEnum):
    OPEN = "open"
    PAID = "paid"
    FAILED = "failed"
    VOID = "void"


@dataclass(frozen=True, slots=True, kw_only=True)
class Invoice(Record):
    """A bill.

    due_on     last day on which paying it is in time; None: the day it was issued
    failed_at  when a payment of it failed for the first time; later attempts don't move it
    attempts   how many times payment was tried
    status     failed: no further attempt will be made; void: nobody has to pay it any more
    """

    number: str | None = None
    amount: float
    currency: str = "USD"
    issued_on: date
    due_on: date | None = None
    paid_at: datetime | None = None
    failed_at: datetime | None = None
    attempts: int = 0
    status: InvoiceStatus = InvoiceStatus.OPEN


class OpportunityStage(StrEnum):
    OPEN = "open"
    WON = "won"
    LOST = "lost"


class OpportunityType(StrEnum):
    NEW = "new"
    RENEWAL = "renewal"
    EXPANSION = "expansion"


@dataclass(frozen=True, slots=True, kw_only=True)
class Opportunity(Record):
    """A CRM deal.

    amount         its annual value in `currency`; of a deal that was won, what it was won at
    target_amount  what was up for renewal, a year, where the CRM keeps that apart from `amount`
    stage_name     the vendor's own word for the stage
    """

    name: str
    type: OpportunityType = OpportunityType.NEW
    stage: OpportunityStage = OpportunityStage.OPEN
    stage_name: str | None = None
    amount: float | None = None
    target_amount: float | None = None
    currency: str = "USD"
    close_on: date | None = None
    created_at: datetime | None = None
    owner_email: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportedScore(Record):
    """What another platform's score of a company was from a moment on: a series of its own, never mixed into our health.

    name       the platform's own name of the score
    value      0 to 1, higher is healthier; None where the platform says there is no score, or one that has no number
    raw_value  the number as the platform gives it, on `scale`, and in the platform's own direction
    scale      "lowest-highest" of `raw_value` ("0-100", "1-10"), "labels" where only words are given
    label      the platform's own word or colour for it
    scored_at  from when it was so
    """

    name: str
    value: float | None = None
    raw_value: float | None = None
    scale: str
    label: str | None = None
    scored_at: datetime

    def __post_init__(self) -> None:
        if self.value is not None and not 0 <= self.value <= 1:
            raise ValueError(f"value is 0 to 1, not {self.value:g}; what the platform gives is raw_value")


RECORD_KINDS: Mapping[str, type[Record]] = {
    "company": Company,
    "contact": Contact,
    "user_activity_day": UserActivityDay,
    "feature_usage_day": FeatureUsageDay,
    "ticket": Ticket,
    "survey_response": SurveyResponse,
    "subscription": Subscription,
    "invoice": Invoice,
    "opportunity": Opportunity,
    "imported_score": ImportedScore,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Quarantined:
    """A raw row that could not become a record, and why. Nothing is dropped without one of these."""

    key: str
    reason: str
    field: str | None = None
    raw: Mapping[str, object] = dataclass_field(default_factory=dict, repr=False)
