"""Pipedrive's rows as records. Pure; the pull has put what they name by id beside them.

    raw["users"]              {"owner_id": the user's row, …}, None where there is no such user any more
    raw["stage"], ["pipeline"]  of a deal

Fields of one's own stand under `custom_fields`, by a key of forty characters; a setting may name either kind.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from connectors.kit import values
from connectors.kit.base import Raw
from hub.model.records import Company, Contact, Opportunity, OpportunityStage, OpportunityType

STAGES: Mapping[str, OpportunityStage] = {
    "open": OpportunityStage.OPEN,
    "won": OpportunityStage.WON,
    "lost": OpportunityStage.LOST,
    "deleted": OpportunityStage.OPEN,  # of a row that is marked deleted, nobody looks at its stage
}


@dataclass(frozen=True, slots=True, kw_only=True)
class CompanyFields:
    """Who is a customer: with one of `labels`, or with one of `customer_values` in `customer_field`; else by a won deal.

    The rest are names of fields; `segments` names the options of the segment's field, which are numbers.
    """

    labels: Sequence[int] = ()
    customer_field: str | None = None
    customer_values: Sequence[str] = ()
    domain: str | None = None
    external_key: str | None = None
    segment: str | None = None
    segments: Mapping[str, str]
    industry: str | None = None
    employees: str | None = None
    became_customer: str | None = None
    csm: str = "owner_id"

    @property
    def by_deals(self) -> bool:
        return not self.labels and self.customer_field is None


def companies(raw: Raw, *, fields: CompanyFields) -> list[Company]:
    """The organization, if it is or was a customer."""
    if _deleted(raw):
        return [Company(key=_key(raw), version=_version(raw), company_key=_key(raw), deleted=True)]
    return [company(raw, fields=fields)] if _is_customer(raw, fields) else []


def company(raw: Raw, *, fields: CompanyFields) -> Company:
    segment, since = values.text(field(raw, fields.segment)), field(raw, fields.became_customer)
    employees, site = field(raw, fields.employees), values.text(field(raw, fields.domain))
    csm = (raw.get("users") or {}).get(fields.csm) or {}
    address = raw.get("address")
    return Company(
        key=_key(raw),
        version=_version(raw),
        company_key=_key(raw),
        name=values.text(raw.get("name")),
        domains=(_host(site),) if site else (),
        external_key=values.text(field(raw, fields.external_key)),
        segment=fields.segments.get(segment, segment) if segment else None,
        industry=values.text(field(raw, fields.industry)),
        country=values.text(address.get("country")) if isinstance(address, Mapping) else None,
        employees=values.whole(employees, field=str(fields.employees)) if values.given(employees) else None,
        csm_email=_lower(csm.get("email")),
        csm_name=values.text(csm.get("name")),
        became_customer_on=values.day(since, field=str(fields.became_customer)) if values.given(since) else None,
    )


def contact(raw: Raw, *, title: str | None, role: str | None, left_labels: Sequence[int]) -> Contact:
    """A person; one with a label that says so has left, and is deleted."""
    labels = raw.get("label_ids") or ()
    told = values.text(field(raw, role))
    return Contact(
        key=_key(raw),
        version=_version(raw),
        company_key=_organization(raw),
        deleted=_deleted(raw) or any(label in left_labels for label in labels),
        email=_email(raw.get("emails")),
        name=values.text(raw.get("name")),
        title=values.text(field(raw, title)),
        role=told.lower().replace(" ", "_") if told else None,
        created_at=values.moment(raw.get("add_time"), field="add_time"),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class DealFields:
    """types: what the values of `type_field` mean, or without one the names of pipelines; empty: every deal is new."""

    type_field: str | None
    types: Mapping[str, OpportunityType]
    amount: str
    target_amount: str | None


def opportunity(raw: Raw, *, fields: DealFields) -> Opportunity:
    stage = values.choice(raw.get("status"), STAGES, field="status")
    amount, target = field(raw, fields.amount), field(raw, fields.target_amount)
    closes = raw.get("close_time") or raw.get("expected_close_date")
    owner = (raw.get("users") or {}).get("owner_id") or {}
    return Opportunity(
        key=_key(raw),
        version=_version(raw),
        company_key=_organization(raw),
        deleted=_deleted(raw) or raw.get("status") == "deleted",
        name=values.text(raw.get("title")) or f"Deal {_key(raw)}",
        type=_type(raw, fields),
        stage=stage,
        stage_name=values.text((raw.get("stage") or {}).get("name")),
        amount=values.number(amount, field=fields.amount) if values.given(amount) else None,
        target_amount=values.number(target, field=str(fields.target_amount)) if values.given(target) else None,
        currency=str(raw["currency"]),
        close_on=values.day(closes, field="close_time") if values.given(closes) else None,
        created_at=values.moment(raw.get("add_time"), field="add_time"),
        owner_email=_lower(owner.get("email")),
    )


def field(raw: Raw, name: str | None) -> Any:
    """A field of Pipedrive's or of one's own; an option or a user by its id, an amount without its currency."""
    if name is None:
        return None
    value = raw[name] if name in raw else (raw.get("custom_fields") or {}).get(name)
    if isinstance(value, Mapping):
        return value.get("value", value.get("id"))
    return value


def _type(raw: Raw, fields: DealFields) -> OpportunityType:
    if not fields.types:
        return OpportunityType.NEW  # Pipedrive knows no types of deals
    if fields.type_field is not None:
        hint = "add it to the setting deal_types"
        return values.choice(field(raw, fields.type_field), fields.types, field=fields.type_field, hint=hint)
    pipeline = (raw.get("pipeline") or {}).get("name")
    return values.choice(pipeline, fields.types, field="pipeline", hint="add the pipeline to the setting deal_types")


def _is_customer(raw: Raw, fields: CompanyFields) -> bool:
    if values.given(field(raw, fields.became_customer)):
        return True
    if fields.by_deals:
        return values.whole(raw.get("won_deals_count"), field="won_deals_count") > 0
    labelled = any(label in fields.labels for label in raw.get("label_ids") or ())
    return labelled or (
        fields.customer_field is not None and str(field(raw, fields.customer_field)) in fields.customer_values
    )


def _key(raw: Raw) -> str:
    return str(raw["id"])


def _organization(raw: Raw) -> str | None:
    return values.text(raw.get("org_id"))


def _version(raw: Raw) -> int:
    return values.version(values.moment(raw.get("update_time") or raw.get("add_time"), field="update_time"))


def _deleted(raw: Raw) -> bool:
    return bool(raw.get("is_deleted"))


def _email(emails: Any) -> str | None:
    some = [each for each in emails or () if values.given(each.get("value"))]
    some.sort(key=lambda each: not each.get("primary"))
    return _lower(some[0]["value"]) if some else None


def _host(site: str) -> str:
    return (site.lower().partition("://")[2] or site.lower()).partition("/")[0].removeprefix("www.")


def _lower(value: Any) -> str | None:
    text = values.text(value)
    return text.lower() if text else None
