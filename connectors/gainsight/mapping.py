"""Gainsight's rows as records. Pure; a row's columns are those that were selected, by the names the settings give them."""

from collections.abc import Sequence
from dataclasses import dataclass, fields

from connectors.gainsight import scores
from connectors.kit import values
from connectors.kit.base import BadRowError, Raw
from hub.model.records import Company, Contact, ImportedScore

KEY, MODIFIED, CREATED = "Gsid", "ModifiedDate", "CreatedDate"
NOT_SCORED = ("na", "n/a", "null")


@dataclass(frozen=True, slots=True, kw_only=True)
class Columns:
    """Names of columns; None: there is none."""

    @property
    def selected(self) -> list[str]:
        own = [getattr(self, field.name) for field in fields(self)]
        return list(dict.fromkeys([KEY, CREATED, MODIFIED, *(name for name in own if name)]))


@dataclass(frozen=True, slots=True, kw_only=True)
class CompanyColumns(Columns):
    name: str = "Name"
    industry: str | None
    employees: str | None
    parent: str | None
    external_key: str | None
    csm_email: str | None
    csm_name: str | None
    became_customer: str | None
    domain: str | None
    segment: str | None
    country: str | None
    status: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonColumns(Columns):
    company: str
    email: str
    name: str
    title: str | None
    role: str | None
    active: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ScoreColumns(Columns):
    company: str
    date: str
    name: str
    score: str | None
    label: str | None


def companies(raw: Raw, *, columns: CompanyColumns, statuses: Sequence[str]) -> list[Company]:
    """The company, unless its status is none of `statuses`; without any, whatever its status is."""
    if statuses and values.text(_of(raw, columns.status)) not in statuses:
        return []
    domain, employees = values.host(_of(raw, columns.domain)), _of(raw, columns.employees)
    since = _of(raw, columns.became_customer)
    return [
        Company(
            key=_key(raw),
            version=_version(raw),
            company_key=_key(raw),
            name=values.text(_of(raw, columns.name)),
            domains=(domain,) if domain else (),
            external_key=values.text(_of(raw, columns.external_key)),
            parent_key=values.text(_of(raw, columns.parent)),
            segment=values.text(_of(raw, columns.segment)),
            industry=values.text(_of(raw, columns.industry)),
            country=values.text(_of(raw, columns.country)),
            employees=values.whole(employees, field=str(columns.employees)) if values.given(employees) else None,
            csm_email=_lower(_of(raw, columns.csm_email)),
            csm_name=values.text(_of(raw, columns.csm_name)),
            became_customer_on=values.day(since, field=str(columns.became_customer)) if values.given(since) else None,
        )
    ]


def people(raw: Raw, *, columns: PersonColumns) -> list[Contact]:
    """A person at a company; one who is no longer active there has left, and is deleted."""
    active, role = _of(raw, columns.active), values.text(_of(raw, columns.role))
    left = values.given(active) and not values.flag(active, field=str(columns.active))
    return [
        Contact(
            key=_key(raw),
            version=_version(raw),
            company_key=values.text(_of(raw, columns.company)),
            deleted=left,
            email=_lower(_of(raw, columns.email)),
            name=values.text(_of(raw, columns.name)),
            title=values.text(_of(raw, columns.title)),
            role=role.lower().replace(" ", "_") if role else None,
            created_at=values.moment(raw.get(CREATED), field=CREATED),
        )
    ]


def history(raw: Raw, *, columns: ScoreColumns) -> list[ImportedScore]:
    """A score by its number, else by its colour; NA is a score of nothing."""
    number, label = _of(raw, columns.score), values.text(_of(raw, columns.label))
    name = values.text(_of(raw, columns.name))
    if name is None:
        raise BadRowError("is empty", field=columns.name)
    score = values.number(number, field=str(columns.score)) if values.given(number) else None
    value: float | None = None
    if score is not None:
        try:
            value = scores.value(score)
        except ValueError as error:
            raise BadRowError(str(error), field=columns.score) from None
    elif label is not None and label.lower() not in NOT_SCORED:
        value = scores.value(values.choice(label.lower(), scores.COLOURS, field=str(columns.label)))
    return [
        ImportedScore(
            key=_key(raw),
            version=_version(raw),
            company_key=values.text(_of(raw, columns.company)),
            name=name,
            value=value,
            raw_value=score,
            scale="labels" if score is None else "0-100",
            label=label,
            scored_at=values.moment(_of(raw, columns.date), field=columns.date),
        )
    ]


def _of(raw: Raw, name: str | None) -> object:
    """A selected column; one that is not in the row is KeyError, and never read as empty."""
    return None if name is None else raw[name]


def _key(raw: Raw) -> str:
    key = values.text(raw[KEY])
    if key is None:
        raise BadRowError("is empty", field=KEY)
    return key


def _version(raw: Raw) -> int:
    return values.version(values.moment(raw[MODIFIED], field=MODIFIED))


def _lower(value: object) -> str | None:
    text = values.text(value)
    return text.lower() if text else None
