"""HubSpot's rows as records. Pure: what a row needs from elsewhere has been put into it by the pull.

    raw["associations"]  {"companies": {"results": [{"id": "9000000001", "type": "contact_to_company"}, …]}}
    raw["owner"]         the owner's row, or None
    raw["stage"]         the deal's stage in its pipeline, or None where no pipeline has it

All property values are text or null. Times are ISO 8601, in older rows milliseconds since 1970.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from connectors.kit import values
from connectors.kit.base import BadRowError, Raw
from hub.model.records import (
    CHAMPION_ROLES,
    EXECUTIVE_ROLES,
    Company,
    Contact,
    Opportunity,
    OpportunityStage,
    OpportunityType,
)

CUSTOMER_SINCE = "hs_lifecyclestage_customer_date"
UNLABELLED = "_unlabeled"
COMPANY_PROPERTIES = (
    "name", "domain", "hs_additional_domains", "industry", "country", "numberofemployees", "hubspot_owner_id",
    "hs_parent_company_id", "lifecyclestage", "hs_lifecyclestage_customer_date", "hs_merged_object_ids",
)  # fmt: skip
CONTACT_PROPERTIES = (
    "email", "firstname", "lastname", "jobtitle", "hs_buying_role", "notes_last_contacted",
    "hs_last_sales_activity_timestamp", "hs_merged_object_ids",
)  # fmt: skip
LAST_SEEN = ("notes_last_contacted", "hs_last_sales_activity_timestamp")
TELLING_ROLES = (*CHAMPION_ROLES, *EXECUTIVE_ROLES)
DEAL_PROPERTIES = (
    "dealname", "dealtype", "dealstage", "pipeline", "deal_currency_code", "closedate", "hubspot_owner_id",
    "hs_merged_object_ids",
)  # fmt: skip


def companies(raw: Raw, *, stages: Iterable[str], segment_property: str) -> list[Company]:
    """The company, if it is or was a customer, and the ones that were merged into it, as deleted."""
    if not is_customer(raw, stages=stages):
        return []
    return [
        company(raw, segment_property=segment_property),
        *(Company(key=key, version=_version(raw), company_key=key, deleted=True) for key in _merged(raw)),
    ]


def is_customer(raw: Raw, *, stages: Iterable[str]) -> bool:
    """Whether the company is a customer, or was one."""
    properties = raw["properties"]
    return properties.get("lifecyclestage") in stages or values.given(properties.get(CUSTOMER_SINCE))


def company(raw: Raw, *, segment_property: str = "customer_segment") -> Company:
    properties = raw["properties"]
    owner = raw.get("owner")
    domains = [properties.get("domain"), *str(properties.get("hs_additional_domains") or "").split(";")]
    employees, customer_since = properties.get("numberofemployees"), properties.get("hs_lifecyclestage_customer_date")
    return Company(
        key=raw["id"],
        version=_version(raw),
        company_key=raw["id"],
        deleted=_deleted(raw),
        name=values.text(properties.get("name")),
        domains=tuple(dict.fromkeys(str(domain).strip().lower() for domain in domains if values.given(domain))),
        parent_key=values.text(properties.get("hs_parent_company_id")),
        segment=values.text(properties.get(segment_property)),
        industry=_words(properties.get("industry")),
        country=values.text(properties.get("country")),
        employees=values.whole(employees, field="numberofemployees") if values.given(employees) else None,
        csm_email=_email(owner),
        csm_name=_name(owner.get("firstName"), owner.get("lastName")) if owner else None,
        became_customer_on=(
            values.day(customer_since, field="hs_lifecyclestage_customer_date")
            if values.given(customer_since)
            else None
        ),
    )


def contacts(raw: Raw) -> list[Contact]:
    """The contact, and the ones that were merged into it, as deleted."""
    return [contact(raw), *(Contact(key=key, version=_version(raw), deleted=True) for key in _merged(raw))]


def contact(raw: Raw) -> Contact:
    properties = raw["properties"]
    email = values.text(properties.get("email"))
    seen = [values.moment(properties[name], field=name) for name in LAST_SEEN if values.given(properties.get(name))]
    return Contact(
        key=raw["id"],
        version=_version(raw),
        company_key=_company_key(raw),
        deleted=_deleted(raw),
        email=email.lower() if email else None,
        name=_name(properties.get("firstname"), properties.get("lastname")),
        title=values.text(properties.get("jobtitle")),
        role=_role(properties.get("hs_buying_role")),
        last_seen_at=max(seen, default=None),
        created_at=values.moment(raw["createdAt"], field="createdAt"),
    )


def opportunity(raw: Raw, *, types: Mapping[str, OpportunityType], amount_property: str, currency: str) -> Opportunity:
    """A deal; `currency` is the portal's own, for deals that name none.

    It is won or lost only where its pipeline says so; a stage no pipeline has is refused.
    """
    properties = raw["properties"]
    stage = raw.get("stage")
    if stage is None:
        raise BadRowError(f"stage {properties.get('dealstage')!r} is in no pipeline", field="dealstage")
    amount, closes = properties.get(amount_property), properties.get("closedate")
    return Opportunity(
        key=raw["id"],
        version=_version(raw),
        company_key=_company_key(raw),
        deleted=_deleted(raw),
        name=values.text(properties.get("dealname")) or f"Deal {raw['id']}",
        type=values.choice(
            properties.get("dealtype"), types, field="dealtype", hint="add it to the setting deal_types"
        ),
        stage=_stage(stage),
        stage_name=values.text(stage.get("label")),
        amount=values.number(amount, field=amount_property) if values.given(amount) else None,
        currency=values.text(properties.get("deal_currency_code")) or currency,
        close_on=values.day(closes, field="closedate") if values.given(closes) else None,
        created_at=values.moment(raw["createdAt"], field="createdAt"),
        owner_email=_email(raw.get("owner")),
    )


def opportunities(
    raw: Raw, *, types: Mapping[str, OpportunityType], amount_property: str, currency: str
) -> list[Opportunity]:
    """The deal, and the ones that were merged into it, as deleted."""
    kept = opportunity(raw, types=types, amount_property=amount_property, currency=currency)
    gone = (Opportunity(key=key, version=kept.version, deleted=True, name=kept.name) for key in _merged(raw))
    return [kept, *gone]


def _stage(stage: Mapping[str, Any]) -> OpportunityStage:
    """Closed with probability 1 is won, closed with 0 is lost; ids and labels are each portal's own."""
    told = stage.get("metadata", {})
    if not values.flag(told.get("isClosed", "false"), field="isClosed"):
        return OpportunityStage.OPEN
    probability = values.number(told.get("probability"), field="probability")
    if probability not in (0.0, 1.0):
        raise BadRowError(f"stage {stage.get('label')!r} is closed with probability {probability}", field="dealstage")
    return OpportunityStage.WON if probability == 1.0 else OpportunityStage.LOST


def _role(buying_roles: str | None) -> str | None:
    """A person may have several: a champion's comes before an executive's, and that before the first."""
    roles = [role.strip().lower() for role in (buying_roles or "").split(";") if role.strip()]
    telling = [role for role in TELLING_ROLES if role in roles]
    return next(iter([*telling, *roles]), None)


def _company_key(raw: Raw) -> str | None:
    """The primary company, which HubSpot lists with a label; else the first one. A row may be associated twice."""
    linked = raw.get("associations", {}).get("companies", {}).get("results", ())
    primary = [link["id"] for link in linked if not link["type"].endswith(UNLABELLED)]
    anyhow = [*primary, *(link["id"] for link in linked)]
    return str(anyhow[0]) if anyhow else None


def _version(raw: Raw) -> int:
    """`updatedAt` for archived rows too: a row that is restored then replaces its own deletion, see the store's guard."""
    return values.version(values.moment(raw["updatedAt"], field="updatedAt"))


def _deleted(raw: Raw) -> bool:
    return bool(raw.get("archived", False))


def _merged(raw: Raw) -> list[str]:
    keys = str(raw["properties"].get("hs_merged_object_ids") or "").split(";")
    return [key.strip() for key in keys if key.strip() and key.strip() != raw["id"]]


def _email(owner: Mapping[str, Any] | None) -> str | None:
    email = values.text(owner.get("email")) if owner else None
    return email.lower() if email else None


def _name(first: str | None, last: str | None) -> str | None:
    return " ".join(part.strip() for part in (first, last) if values.given(part) and part) or None


def _words(value: str | None) -> str | None:
    """COMPUTER_SOFTWARE as "computer software"."""
    return value.replace("_", " ").strip().lower() if value and value.strip() else None
