"""Salesforce's rows as records. Pure; rows come from the REST API or, with every value a text, from a bulk job.

    raw["Owner"]         {"Email": …, "Name": …}: fields of other objects are nested, null where there is none
    raw["ContactRoles"]  roles of a contact in opportunities, where the source asks for them

A deleted row becomes a record that says no more than that: the rest of it may be gone already.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from connectors.kit import values
from connectors.kit.base import BadRowError, Raw
from connectors.salesforce.soql import id18
from hub.model.records import (
    CHAMPION_ROLES,
    EXECUTIVE_ROLES,
    Company,
    Contact,
    Opportunity,
    OpportunityStage,
    OpportunityType,
    Severity,
    Ticket,
    TicketStatus,
)

TELLING_ROLES = (*CHAMPION_ROLES, *EXECUTIVE_ROLES)
ACCOUNT_FIELDS = ("Name", "Website", "Industry", "BillingCountry", "NumberOfEmployees", "ParentId")
CONTACT_FIELDS = ("AccountId", "Email", "Name", "Title", "CreatedDate")
OPPORTUNITY_FIELDS = (
    "AccountId",
    "Name",
    "StageName",
    "CloseDate",
    "IsWon",
    "IsClosed",
    "Type",
    "CreatedDate",
    "Owner.Email",
)
CASE_FIELDS = (
    "AccountId", "CaseNumber", "Subject", "Status", "Priority", "IsClosed", "ClosedDate", "CreatedDate", "Contact.Email",
    "SuppliedEmail",
)  # fmt: skip
ALWAYS = ("Id", "SystemModstamp", "IsDeleted")


@dataclass(frozen=True, slots=True, kw_only=True)
class CompanyFields:
    """Which fields of an Account mean what; None: none does."""

    customer: str
    customer_types: tuple[str, ...]
    became_customer: str | None
    segment: str | None
    csm: str
    external_key: str | None

    @property
    def names(self) -> tuple[str, ...]:
        more = (
            self.customer,
            self.became_customer,
            self.segment,
            f"{self.csm}.Email",
            f"{self.csm}.Name",
            self.external_key,
        )
        return (*ALWAYS, *ACCOUNT_FIELDS, *(name for name in more if name is not None))


def companies(raw: Raw, *, fields: CompanyFields) -> list[Company]:
    """The account, if it is or was a customer."""
    if _deleted(raw):
        key = _key(raw)
        return [Company(key=key, version=_version(raw), company_key=key, deleted=True)]
    since = field(raw, fields.became_customer)
    if field(raw, fields.customer) not in fields.customer_types and not values.given(since):
        return []
    return [company(raw, fields=fields)]


def company(raw: Raw, *, fields: CompanyFields) -> Company:
    employees, since = raw.get("NumberOfEmployees"), field(raw, fields.became_customer)
    parent = values.text(raw.get("ParentId"))
    site = domain(raw.get("Website"))
    return Company(
        key=_key(raw),
        version=_version(raw),
        company_key=_key(raw),
        name=values.text(raw.get("Name")),
        domains=(site,) if site else (),
        external_key=values.text(field(raw, fields.external_key)),
        parent_key=id18(parent) if parent else None,
        segment=values.text(field(raw, fields.segment)),
        industry=_lower(raw.get("Industry")),
        country=values.text(raw.get("BillingCountry")),
        employees=values.whole(employees, field="NumberOfEmployees") if values.given(employees) else None,
        csm_email=_lower(field(raw, f"{fields.csm}.Email")),
        csm_name=values.text(field(raw, f"{fields.csm}.Name")),
        became_customer_on=values.day(since, field=str(fields.became_customer)) if values.given(since) else None,
    )


def contact(raw: Raw, *, role_field: str | None = None, left_field: str | None = None) -> Contact:
    """A person; one who has left, by `left_field`, is deleted."""
    if _deleted(raw):
        return Contact(key=_key(raw), version=_version(raw), company_key=_account(raw), deleted=True)
    left = field(raw, left_field)
    return Contact(
        key=_key(raw),
        version=_version(raw),
        company_key=_account(raw),
        deleted=values.flag(left, field=str(left_field)) if values.given(left) else False,
        email=_lower(raw.get("Email")),
        name=values.text(raw.get("Name")),
        title=values.text(raw.get("Title")),
        role=_role([*raw.get("ContactRoles", ()), *str(field(raw, role_field) or "").split(";")]),
        created_at=values.moment(raw.get("CreatedDate"), field="CreatedDate"),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class DealFields:
    """Which fields of an Opportunity hold its annual value and what was up for renewal; what the values of Type mean."""

    amount: str
    target_amount: str | None
    currency: str
    currency_field: str | None
    types: Mapping[str, OpportunityType]

    @property
    def names(self) -> tuple[str, ...]:
        more = (self.amount, self.target_amount, self.currency_field)
        return (*ALWAYS, *OPPORTUNITY_FIELDS, *(name for name in more if name is not None))


def opportunity(raw: Raw, *, fields: DealFields) -> Opportunity:
    name = values.text(raw.get("Name")) or f"Opportunity {_key(raw)}"
    if _deleted(raw):
        return Opportunity(key=_key(raw), version=_version(raw), company_key=_account(raw), deleted=True, name=name)
    amount, target, closes = field(raw, fields.amount), field(raw, fields.target_amount), raw.get("CloseDate")
    kind = values.choice(raw.get("Type"), fields.types, field="Type", hint="add it to the setting opportunity_types")
    return Opportunity(
        key=_key(raw),
        version=_version(raw),
        company_key=_account(raw),
        name=name,
        type=kind,
        stage=_stage(raw),
        stage_name=values.text(raw.get("StageName")),
        amount=values.number(amount, field=fields.amount) if values.given(amount) else None,
        target_amount=values.number(target, field=str(fields.target_amount)) if values.given(target) else None,
        currency=values.text(field(raw, fields.currency_field)) or fields.currency,
        close_on=values.day(closes, field="CloseDate") if values.given(closes) else None,
        created_at=values.moment(raw.get("CreatedDate"), field="CreatedDate"),
        owner_email=_lower(field(raw, "Owner.Email")),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseFields:
    """What the values of Status and Priority mean; the field with the time of the first answer, if there is one."""

    statuses: Mapping[str, TicketStatus]
    priorities: Mapping[str, Severity]
    first_response: str | None

    @property
    def names(self) -> tuple[str, ...]:
        return (*ALWAYS, *CASE_FIELDS, *((self.first_response,) if self.first_response else ()))


def ticket(raw: Raw, *, fields: CaseFields, base_url: str) -> Ticket:
    created = values.moment(raw.get("CreatedDate"), field="CreatedDate")
    if _deleted(raw):
        return Ticket(
            key=_key(raw), version=_version(raw), company_key=_account(raw), deleted=True,
            status=TicketStatus.CLOSED, created_at=created,
        )  # fmt: skip
    status = values.choice(
        raw.get("Status"), fields.statuses, field="Status", hint="add it to the setting case_statuses"
    )
    severity = values.choice(
        raw.get("Priority"), fields.priorities, field="Priority", hint="add it to the setting case_priorities"
    )
    closed = values.moment(raw["ClosedDate"], field="ClosedDate") if values.given(raw.get("ClosedDate")) else None
    if values.flag(raw.get("IsClosed"), field="IsClosed"):
        if status not in (TicketStatus.SOLVED, TicketStatus.CLOSED):
            raise BadRowError(
                f"status {raw.get('Status')!r} is closed in Salesforce, and {status} by the setting case_statuses",
                field="Status",
            )
    else:
        closed = None
    answered = field(raw, fields.first_response)
    return Ticket(
        key=_key(raw),
        version=_version(raw),
        company_key=_account(raw),
        subject=values.text(raw.get("Subject")),
        status=status,
        severity=severity,
        requester_email=_lower(field(raw, "Contact.Email")) or _lower(raw.get("SuppliedEmail")),
        created_at=created,
        solved_at=closed,
        first_response_minutes=(
            _minutes(created, values.moment(answered, field=str(fields.first_response)))
            if values.given(answered)
            else None
        ),
        resolution_minutes=_minutes(created, closed) if closed is not None else None,
        url=f"{base_url}/lightning/r/Case/{_key(raw)}/view",
    )


def field(raw: Raw, path: str | None) -> Any:
    """The value at `path` ("Segment__c", "Owner.Email"); None where there is none."""
    if path is None:
        return None
    name, _, rest = path.partition(".")
    value = raw.get(name)
    if not rest:
        return value
    if not isinstance(value, Mapping):
        return None
    return value[rest] if rest in value else field(value, rest)


def domain(website: Any) -> str | None:
    """The host of a website as people write it, without www."""
    text = values.text(website)
    if not text:
        return None
    host = text.lower().partition("://")[2] or text.lower()
    host = host.partition("/")[0].partition("?")[0].partition(":")[0].rpartition("@")[2]
    return host.removeprefix("www.") or None


def _key(raw: Raw) -> str:
    return id18(str(raw["Id"]))


def _account(raw: Raw) -> str | None:
    key = values.text(raw.get("AccountId"))
    return id18(key) if key else None


def _version(raw: Raw) -> int:
    return values.version(values.moment(raw.get("SystemModstamp"), field="SystemModstamp"))


def _deleted(raw: Raw) -> bool:
    return values.given(raw.get("IsDeleted")) and values.flag(raw["IsDeleted"], field="IsDeleted")


def _stage(raw: Raw) -> OpportunityStage:
    if not values.flag(raw.get("IsClosed"), field="IsClosed"):
        return OpportunityStage.OPEN
    return OpportunityStage.WON if values.flag(raw.get("IsWon"), field="IsWon") else OpportunityStage.LOST


def _role(words: list[Any]) -> str | None:
    """A champion's role before an executive's, and that before the first."""
    roles = [str(word).strip().lower().replace(" ", "_") for word in words if values.given(word)]
    telling = [role for role in TELLING_ROLES if role in roles]
    return next(iter([*telling, *roles]), None)


def _minutes(begin: datetime, end: datetime) -> float:
    return max(0.0, (end - begin).total_seconds() / 60)


def _lower(value: Any) -> str | None:
    text = values.text(value)
    return text.lower() if text else None
