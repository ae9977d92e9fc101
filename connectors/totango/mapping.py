"""Totango's rows as records. Pure; `name` is an account's id, and `fields` what was asked for, by our names.

    account(raw)   {"name", "display_name", "fields": {…}}
    health(raw)    {"name", "fields": {"health": {"health", "health_prev", "change_date"}}}
    user(raw)      {"name", "display_name", "account": {"name"}, "fields": {…}}

No row tells when it changed last.
"""

from collections.abc import Mapping
from typing import Any

from connectors.kit import values
from connectors.kit.base import BadRowError, Raw
from connectors.totango import scores
from hub.model.records import Company, Contact, ImportedScore


def account(raw: Raw) -> list[Company]:
    told: Mapping[str, Any] = raw["fields"]
    employees, since = told.get("employees"), told.get("became_customer")
    domain, email = values.host(told.get("domain")), values.text(told.get("csm_email"))
    return [
        Company(
            key=_key(raw, "name"),
            version=0,
            company_key=_key(raw, "name"),
            name=values.text(raw.get("display_name")),
            domains=(domain,) if domain else (),
            external_key=values.text(told.get("external_key")),
            parent_key=values.text(told.get("parent")),
            segment=values.text(told.get("segment")),
            industry=values.text(told.get("industry")),
            country=values.text(told.get("country")),
            employees=values.whole(employees, field="employees") if values.given(employees) else None,
            csm_email=email.lower() if email else None,
            csm_name=values.text(told.get("csm_name")),
            became_customer_on=values.day(since, field="became_customer") if values.given(since) else None,
        )
    ]


def health(raw: Raw) -> list[ImportedScore]:
    """What an account's health is, from when it became so; what it was before has no beginning, and is left out."""
    trend: Mapping[str, Any] = raw["fields"]["health"] or {}
    label = values.text(trend.get("health"))
    if label is None:
        return []
    rank = values.choice(label.lower(), scores.RANKS, field="health")
    at = values.moment(trend["change_date"], field="change_date")
    return [
        ImportedScore(
            key=score_key(_key(raw, "name"), values.version(at)),
            version=values.version(at),
            company_key=_key(raw, "name"),
            name="Health",
            value=scores.value(rank),
            scale="labels",
            label=label,
            scored_at=at,
        )
    ]


def user(raw: Raw, *, email: str | None) -> list[Contact]:
    """`email`: whether an attribute of theirs is asked for; else the user's name, where it is an address."""
    told: Mapping[str, Any] = raw["fields"]
    address = values.text(told.get("email") if email else raw["name"])
    account_: Mapping[str, Any] = raw["account"] or {}
    role = values.text(told.get("role"))
    company = values.text(account_.get("name"))
    return [
        Contact(
            key=user_key(company, _key(raw, "name")),
            version=0,
            company_key=company,
            email=address.lower() if address and "@" in address else None,
            name=values.text(raw.get("display_name")),
            title=values.text(told.get("title")),
            role=role.lower().replace(" ", "_") if role else None,
        )
    ]


def score_key(account_: str, version: int) -> str:
    return f"{account_} {version}"


def user_key(account_: str | None, name: str) -> str:
    """One name may use the product at several accounts."""
    return f"{account_ or ''}/{name}"


def _key(raw: Raw, name: str) -> str:
    key = values.text(raw[name])
    if key is None:
        raise BadRowError("is empty", field=name)
    return key
