"""ChurnZero's rows as records. Pure. Fields of one's own stand under `Cf`; a setting may name them, or any other field.

account(raw)   with UserAccount, who looks after it
contact(raw)
calculation(raw)   with ChurnScore, whose name is the series'
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, time
from typing import Any

from connectors.churnzero import scores
from connectors.kit import values
from connectors.kit.base import BadRowError, Raw
from hub.model.records import Company, Contact, ImportedScore

MODIFIED = "ObjectLastModifiedDate"


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountFields:
    """Names of fields; None: there is none."""

    external_key: str | None
    domain: str | None
    segment: str | None
    industry: str | None
    country: str | None
    employees: str | None
    parent: str | None


def account(raw: Raw, *, fields: AccountFields) -> list[Company]:
    domain, employees = values.host(field(raw, fields.domain)), field(raw, fields.employees)
    owner: Mapping[str, Any] = raw.get("UserAccount") or {}
    email, started = values.text(owner.get("Email")), raw.get("StartDate")
    return [
        Company(
            key=_key(raw, "Id"),
            version=_version(raw),
            company_key=_key(raw, "Id"),
            name=values.text(raw.get("Name")),
            domains=(domain,) if domain else (),
            external_key=values.text(field(raw, fields.external_key)),
            parent_key=values.text(field(raw, fields.parent)),
            segment=values.text(field(raw, fields.segment)),
            industry=values.text(field(raw, fields.industry)),
            country=values.text(field(raw, fields.country)),
            employees=values.whole(employees, field=str(fields.employees)) if values.given(employees) else None,
            csm_email=email.lower() if email else None,
            csm_name=values.text(owner.get("Name")),
            became_customer_on=values.day(started, field="StartDate") if values.given(started) else None,
        )
    ]


def contact(raw: Raw, *, title: str | None, role: str | None) -> list[Contact]:
    email, told = values.text(raw.get("Email")), values.text(field(raw, role))
    name = values.text(raw.get("FullName")) or " ".join(filter(None, (raw.get("FirstName"), raw.get("LastName"))))
    return [
        Contact(
            key=_key(raw, "Id"),
            version=_version(raw),
            company_key=values.text(raw.get("AccountId")),
            email=email.lower() if email else None,
            name=name or None,
            title=values.text(field(raw, title)),
            role=told.lower().replace(" ", "_") if told else None,
            created_at=values.moment(raw.get("ObjectCreatedDate"), field="ObjectCreatedDate"),
        )
    ]


def calculation(raw: Raw, *, better: scores.Better) -> list[ImportedScore]:
    """A score of a day. Nothing but the day tells when it was calculated: calculated anew, it is another row of that day."""
    day = values.day(raw["CalculationDay"], field="CalculationDay")
    number = values.number(raw["Score"], field="Score") if values.given(raw["Score"]) else None
    try:
        value = None if number is None else scores.value(number, better=better)
    except ValueError as error:
        raise BadRowError(str(error), field="Score") from None
    name = values.text((raw.get("ChurnScore") or {}).get("Name"))
    at = datetime.combine(day, time.min, UTC)
    return [
        ImportedScore(
            key=_key(raw, "Id"),
            version=values.version(at),
            company_key=values.text(raw["AccountId"]),
            name=name or f"ChurnScore {_key(raw, 'ChurnScoreId')}",
            value=value,
            raw_value=number,
            scale="0-100",
            scored_at=at,
        )
    ]


def field(raw: Raw, name: str | None) -> Any:
    """A field of ChurnZero's or of one's own."""
    if name is None:
        return None
    return raw[name] if name in raw else (raw.get("Cf") or {}).get(name)


def _key(raw: Raw, name: str) -> str:
    key = values.text(raw[name])
    if key is None:
        raise BadRowError("is empty", field=name)
    return key


def _version(raw: Raw) -> int:
    return values.version(values.moment(raw[MODIFIED], field=MODIFIED))
