"""The simulated company's world in neutral terms: what a sandbox is given, to serve in its vendor's wire format.

`hub.demo` makes a `World`; a vendor's `sandbox.py` turns the parts it serves into that vendor's JSON. Vendors disagree about
ids on purpose: each sandbox derives its own from `Account.number` and so on. Times are aware UTC.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """A company that pays the simulated one. `number` counts from 1 and never changes."""

    number: int
    name: str
    domain: str
    parent: int | None
    segment: str
    industry: str
    country: str
    employees: int
    csm_name: str
    csm_email: str
    signed_on: date
    updated_at: datetime
    churned_on: date | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """role is "user", "champion", "admin" or "executive"; last_contact_at: when one of ours last met or wrote with them."""

    number: int
    account: int
    name: str
    email: str
    title: str
    role: str
    created_at: datetime
    updated_at: datetime
    left_at: datetime | None
    last_contact_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ProductEvent:
    """One event in the product; `insert_id` is unique, and an event may be exported more than once."""

    insert_id: str
    at: datetime
    account: int
    person: int
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SupportTicket:
    """csat is None (not asked or not answered), "good" or "bad"."""

    number: int
    account: int
    person: int
    subject: str
    severity: str  # low | normal | high | urgent
    status: str  # new | open | pending | hold | solved | closed
    created_at: datetime
    updated_at: datetime
    first_reply_minutes: int | None
    solved_at: datetime | None
    reopens: int
    replies: int
    csat: str | None
    csat_comment: str | None
    csat_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class NpsAnswer:
    number: int
    account: int
    person: int
    score: int
    comment: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Term:
    """One term of a subscription; a renewal or a change of price or seats is the next one."""

    number: int
    account: int
    plan: str
    mrr: float
    currency: str
    seats_purchased: int
    seats_used: int
    started_on: date
    renews_on: date
    ended_on: date | None
    auto_renew: bool
    cancelled_at: datetime | None
    cancellation_kind: str | None  # voluntary | involuntary | contraction
    updated_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Bill:
    """An invoice; failed_at is the first time a payment of it failed."""

    number: int
    account: int
    amount: float
    currency: str
    issued_on: date
    due_on: date
    paid_at: datetime | None
    failed_at: datetime | None
    attempts: int
    status: str  # open | paid | failed | void
    updated_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Deal:
    number: int
    account: int
    name: str
    kind: str  # new | renewal | expansion
    stage: str  # open | won | lost
    amount: float
    currency: str
    close_on: date
    created_at: datetime
    updated_at: datetime
    owner_email: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Removed:
    """Something a person deleted at the vendor: the World's sequences no longer hold it, its grave may still be served.

    what     account | person | ticket | nps | term | deal | bill
    account  whose it was
    """

    what: str
    number: int
    account: int
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """Everything that has happened up to `until`. Events are ordered by time."""

    seed: int
    started_on: date
    until: datetime
    accounts: Sequence[Account]
    people: Sequence[Person]
    events: Sequence[ProductEvent]
    tickets: Sequence[SupportTicket]
    nps: Sequence[NpsAnswer]
    terms: Sequence[Term]
    deals: Sequence[Deal]
    bills: Sequence[Bill] = ()
    removed: Sequence[Removed] = ()


def crm_id(account_number: int) -> str:
    """The id by which the simulated CRM knows an account, and by which the other systems refer to it."""
    return str(9_000_000_000 + account_number)
