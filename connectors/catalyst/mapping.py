"""Catalyst's rows as records. Pure. What is known of an account stands in `attributes`, each by its label.

account(raw)    {"id", "external_id", "created_at", "updated_at", "attributes": [{"label", "value"}, …]}
score(raw)      {"id", "account_id", "score_updated_at", and the score by the names of the settings}
"""

from dataclasses import dataclass
from typing import Any

from connectors.catalyst import scores
from connectors.kit import values
from connectors.kit.base import BadRowError, Raw
from hub.model.records import Company, ImportedScore

SCORED = "score_updated_at"


@dataclass(frozen=True, slots=True, kw_only=True)
class Labels:
    """Labels of attributes; None: there is none."""

    name: str
    type: str | None
    industry: str | None
    domain: str | None
    segment: str | None
    country: str | None
    employees: str | None
    csm_email: str | None
    csm_name: str | None
    became_customer: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ScoreFields:
    """Names of fields of a row of health; name: that of the profile, None: all rows are of one series."""

    score: str
    label: str | None
    name: str | None


def account(raw: Raw, *, labels: Labels, types: tuple[str, ...]) -> list[Company]:
    """The account, unless its type is none of `types`; without any, whatever its type is."""
    told = {str(each.get("label")): each.get("value") for each in raw["attributes"]}

    def of(label: str | None) -> Any:
        return told.get(label) if label else None

    if types and values.text(of(labels.type)) not in types:
        return []
    domain, email, since = values.host(of(labels.domain)), values.text(of(labels.csm_email)), of(labels.became_customer)
    employees = of(labels.employees)
    return [
        Company(
            key=_key(raw, "id"),
            version=values.version(values.moment(raw["updated_at"], field="updated_at")),
            company_key=_key(raw, "id"),
            name=values.text(of(labels.name)),
            domains=(domain,) if domain else (),
            external_key=values.text(raw.get("external_id")),
            segment=values.text(of(labels.segment)),
            industry=values.text(of(labels.industry)),
            country=values.text(of(labels.country)),
            employees=values.whole(employees, field=str(labels.employees)) if values.given(employees) else None,
            csm_email=email.lower() if email else None,
            csm_name=values.text(of(labels.csm_name)),
            became_customer_on=values.day(since, field=str(labels.became_customer)) if values.given(since) else None,
        )
    ]


def score(raw: Raw, *, fields: ScoreFields) -> list[ImportedScore]:
    """By its number, else by its word; one that has neither is a score of nothing."""
    at = values.moment(raw[SCORED], field=SCORED)
    number = values.number(raw[fields.score], field=fields.score) if values.given(raw[fields.score]) else None
    label = values.text(raw.get(fields.label)) if fields.label else None
    value: float | None = None
    if label is not None:  # a word nobody knows is refused beside a number, too: the row is not what we think it is
        value = scores.value(values.choice(label.lower(), scores.LABELS, field=str(fields.label)))
    if number is not None:
        try:
            value = scores.value(number)
        except ValueError as error:
            raise BadRowError(str(error), field=fields.score) from None
    name = values.text(raw.get(fields.name)) if fields.name else None
    return [
        ImportedScore(
            key=score_key(raw),
            version=values.version(at),
            company_key=_key(raw, "account_id"),
            name=name or "Health",
            value=value,
            raw_value=number,
            scale="labels" if number is None else "1-10",
            label=label,
            scored_at=at,
        )
    ]


def score_key(raw: Raw) -> str:
    """The row's id; of one that has none, its account and moment."""
    own = values.text(raw.get("id"))
    return own or f"{raw.get('account_id')} {raw.get(SCORED)}"


def _key(raw: Raw, name: str) -> str:
    key = values.text(raw[name])
    if key is None:
        raise BadRowError("is empty", field=name)
    return key
