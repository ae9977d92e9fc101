"""Freshdesk's rows as records. Pure; ids are numbers, times ISO 8601, and `updated_at` is a row's version.

company(raw)  -> Company
contact(raw)  -> Contact
ticket(raw)   -> Ticket           with `stats` and `requester`, which the listing includes, and its `page`, added by the pull
rating(raw)   -> SurveyResponse   with `person`, added by the pull: who was asked
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from connectors.kit.base import BadRowError, Raw
from connectors.kit.values import choice, given, moment, text, version, whole
from hub.model.records import Company, Contact, Severity, SurveyResponse, SurveyType, Ticket, TicketStatus

STATUSES = {
    2: TicketStatus.OPEN,
    3: TicketStatus.PENDING,
    4: TicketStatus.SOLVED,
    5: TicketStatus.CLOSED,
    6: TicketStatus.PENDING,  # waiting on customer
    7: TicketStatus.ON_HOLD,  # waiting on third party
}
PRIORITIES = {"1": Severity.LOW, "2": Severity.NORMAL, "3": Severity.HIGH, "4": Severity.URGENT}
SOLVED = (TicketStatus.SOLVED, TicketStatus.CLOSED)
RATINGS = {"103": 1.0, "102": 1.0, "101": 1.0, "100": 0.5, "-101": 0.0, "-102": 0.0, "-103": 0.0}
"""Extremely, very and merely happy; neutral; merely, very and extremely unhappy: scales of 3, 5 and 7 use some of them."""
QUESTION = "default_question"


def company(raw: Raw, *, id_field: str | None) -> tuple[Company]:
    """`id_field`: the custom field that holds the company's id in another system."""
    own: Mapping[str, Any] = raw.get("custom_fields") or {}
    return (
        Company(
            key=_key(raw, "id"),
            version=_version(raw),
            company_key=_key(raw, "id"),
            name=text(raw.get("name")),
            domains=tuple(dict.fromkeys(str(domain).strip().lower() for domain in raw.get("domains") or ())),
            external_key=text(own.get(id_field)) if id_field else None,
            industry=text(raw.get("industry")),
        ),
    )


def contact(raw: Raw) -> tuple[Contact]:
    return (
        Contact(
            key=_key(raw, "id"),
            version=_version(raw),
            company_key=text(raw.get("company_id")),
            deleted=bool(raw.get("deleted")),
            email=_email(raw),
            name=text(raw.get("name")),
            title=text(raw.get("job_title")),
            created_at=moment(raw["created_at"], field="created_at"),
        ),
    )


def ticket(raw: Raw, *, statuses: Mapping[int, TicketStatus]) -> tuple[Ticket]:
    """`statuses`: the account's own."""
    known = {str(number): status for number, status in {**STATUSES, **statuses}.items()}
    status = choice(raw["status"], known, field="status", hint="add it to the setting statuses")
    stats: Mapping[str, Any] = raw.get("stats") or {}
    created = moment(raw["created_at"], field="created_at")
    solved = (_when(stats, "resolved_at") or _when(stats, "closed_at")) if status in SOLVED else None
    return (
        Ticket(
            key=_key(raw, "id"),
            version=_version(raw),
            company_key=text(raw.get("company_id")),
            deleted=is_removed(raw),
            subject=text(raw.get("subject")),
            status=status,
            severity=choice(raw["priority"], PRIORITIES, field="priority"),
            requester_email=_email(raw.get("requester") or {}),
            created_at=created,
            solved_at=solved,
            first_response_minutes=_minutes(created, _when(stats, "first_responded_at")),
            resolution_minutes=_minutes(created, solved),
            reopens=1 if given(stats.get("reopened_at")) else 0,
            url=text(raw.get("page")),
        ),
    )


def rating(raw: Raw) -> tuple[SurveyResponse, ...]:
    """None where the question was left out."""
    said = (raw.get("ratings") or {}).get(QUESTION)
    if not given(said):
        return ()
    person: Mapping[str, Any] = raw.get("person") or {}
    return (
        SurveyResponse(
            key=rating_key(_key(raw, "ticket_id")),
            version=_version(raw),
            company_key=text(person.get("company_id")),
            type=SurveyType.CSAT,
            scale="0-1",
            score=choice(whole(said, field=QUESTION), RATINGS, field=QUESTION),
            comment=text(raw.get("feedback")),
            respondent_email=_email(person),
            responded_at=moment(raw["created_at"], field="created_at"),
            ticket_key=_key(raw, "ticket_id"),
        ),
    )


def rating_key(ticket: object) -> str:
    return f"ticket-{ticket}"


def is_removed(raw: Raw) -> bool:
    return bool(raw.get("deleted") or raw.get("spam"))


def _minutes(begin: datetime, end: datetime | None) -> float | None:
    return None if end is None else max(0.0, round((end - begin).total_seconds() / 60, 2))


def _when(raw: Mapping[str, Any], field: str) -> datetime | None:
    return moment(raw[field], field=field) if given(raw.get(field)) else None


def _email(raw: Mapping[str, Any]) -> str | None:
    email = text(raw.get("email"))
    return email.lower() if email else None


def _version(raw: Raw) -> int:
    return version(moment(raw["updated_at"], field="updated_at"))


def _key(raw: Raw, field: str) -> str:
    key = text(raw[field])
    if key is None:
        raise BadRowError("is empty", field=field)
    return key
