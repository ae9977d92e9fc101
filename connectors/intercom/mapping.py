"""Intercom's rows as records. Pure; times are seconds since 1970, and `updated_at` in milliseconds is a row's version.

    company(raw)       -> Company
    contact(raw)       -> Contact          of its first company
    conversation(raw)  -> Ticket           none for a message of ours that nobody answered
    rating(raw)        -> SurveyResponse   of a conversation; none where nobody has rated
    ticket(raw)        -> Ticket           of customers; none where a conversation is the same trouble

Conversations and tickets name people, not companies: the pull has put `asked` into each, the contact who asked.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from connectors.kit.base import BadRowError, Raw
from connectors.kit.values import choice, given, moment, text, version, whole
from hub.model.records import Company, Contact, Severity, SurveyResponse, SurveyType, Ticket, TicketStatus

STATES = {"open": TicketStatus.OPEN, "snoozed": TicketStatus.PENDING, "closed": TicketStatus.CLOSED}
TICKET_STATES = {
    "submitted": TicketStatus.NEW,
    "in_progress": TicketStatus.OPEN,
    "waiting_on_customer": TicketStatus.PENDING,
    "resolved": TicketStatus.SOLVED,
}
PRIORITIES = {
    "none": Severity.NORMAL,
    "low": Severity.LOW,
    "medium": Severity.NORMAL,
    "high": Severity.HIGH,
    "urgent": Severity.URGENT,
    "not_priority": Severity.NORMAL,  # older API versions know these two
    "priority": Severity.HIGH,
}
IS_CUSTOMERS = {"Customer": True, "Back-office": False, "Tracker": False}
LOWEST, HIGHEST = 1, 5
TICKET = "ticket-"


def company(raw: Raw) -> tuple[Company]:
    size = raw.get("size")
    return (
        Company(
            key=_key(raw),
            version=_version(raw),
            company_key=_key(raw),
            name=text(raw.get("name")),
            domains=_domains(text(raw.get("website"))),
            external_key=text(raw.get("company_id")),
            industry=text(raw.get("industry")),
            employees=whole(size, field="size") if given(size) else None,
        ),
    )


def contact(raw: Raw, *, title: str | None, role: str | None) -> tuple[Contact]:
    """`title` and `role` are names of custom attributes."""
    attributes: Mapping[str, Any] = raw.get("custom_attributes") or {}
    seen = [_when(raw, name) for name in ("last_seen_at", "last_replied_at")]
    email = text(raw.get("email"))
    said = text(attributes.get(role)) if role else None
    return (
        Contact(
            key=_key(raw),
            version=_version(raw),
            company_key=company_of(raw),
            email=email.lower() if email else None,
            name=text(raw.get("name")),
            title=text(attributes.get(title)) if title else None,
            role=said.lower() if said else None,
            last_seen_at=max((at for at in seen if at), default=None),
            created_at=_when(raw, "created_at"),
        ),
    )


def conversation(raw: Raw) -> tuple[Ticket, ...]:
    """None for what we began (a campaign, an automatic message) and no customer has answered."""
    status = choice(raw["state"], STATES, field="state")
    begun = (raw.get("source") or {}).get("delivered_as")
    if begun != "customer_initiated" and not raw.get("first_contact_reply"):
        return ()
    numbers: Mapping[str, Any] = raw.get("statistics") or {}
    created = moment(raw["created_at"], field="created_at")
    solved = _when(numbers, "last_close_at") if status is TicketStatus.CLOSED else None
    return (
        Ticket(
            key=_key(raw),
            version=_version(raw),
            company_key=_company(raw),
            subject=text(raw.get("title")) or text((raw.get("source") or {}).get("subject")),
            status=status,
            severity=choice(raw.get("priority") or "none", PRIORITIES, field="priority"),
            requester_email=_email(raw.get("asked")),
            created_at=created,
            solved_at=solved,
            first_response_minutes=_minutes(created, _when(numbers, "first_admin_reply_at")),
            resolution_minutes=_minutes(created, solved),
            reopens=int(numbers.get("count_reopens") or 0),
        ),
    )


def rating(raw: Raw) -> tuple[SurveyResponse, ...]:
    told: Mapping[str, Any] = raw.get("conversation_rating") or {}
    if not given(told.get("rating")):
        return ()
    score = whole(told["rating"], field="conversation_rating.rating")
    if not LOWEST <= score <= HIGHEST:
        raise BadRowError(f"{score} is no rating from 1 to 5", field="conversation_rating.rating")
    answered = _when(told, "updated_at") or moment(told.get("created_at"), field="conversation_rating.created_at")
    return (
        SurveyResponse(
            key=_key(raw),
            version=_version(raw),
            company_key=_company(raw),
            type=SurveyType.CSAT,
            scale=f"{LOWEST}-{HIGHEST}",
            score=float(score),
            comment=text(told.get("remark")),
            respondent_email=_email(raw.get("asked")),
            responded_at=answered,
            ticket_key=_key(raw),
        ),
    )


def ticket(raw: Raw) -> tuple[Ticket, ...]:
    linked = (raw.get("linked_objects") or {}).get("data") or ()
    of_customer = choice(raw["category"], IS_CUSTOMERS, field="category")
    if not of_customer or any(one.get("type") == "conversation" for one in linked):
        return ()
    state = raw["ticket_state"]
    status = choice(state["category"] if isinstance(state, Mapping) else state, TICKET_STATES, field="ticket_state")
    created = moment(raw["created_at"], field="created_at")
    parts = (raw.get("ticket_parts") or {}).get("ticket_parts") or ()
    solved = _solved(raw, parts) if status is TicketStatus.SOLVED else None
    replies = [moment(part["created_at"], field="ticket_parts.created_at") for part in parts if _is_reply(part)]
    reopened = [part for part in parts if part.get("previous_ticket_state") == "resolved" != part.get("ticket_state")]
    return (
        Ticket(
            key=TICKET + _key(raw),
            version=_version(raw),
            company_key=_company(raw),
            subject=text((raw.get("ticket_attributes") or {}).get("_default_title_")),
            status=status,
            requester_email=_email(raw.get("asked")),
            created_at=created,
            solved_at=solved,
            first_response_minutes=_minutes(created, min(replies, default=None)),
            resolution_minutes=_minutes(created, solved),
            reopens=len(reopened),
            replies=len(replies),
        ),
    )


def company_of(contact_row: Mapping[str, Any] | None) -> str | None:
    """The first of a contact's companies: only one can count."""
    companies = ((contact_row or {}).get("companies") or {}).get("data") or ()
    return text(companies[0].get("id")) if companies else None


def asked_of(raw: Raw) -> str | None:
    """The id of the contact who asked: the first one of the conversation or ticket."""
    people = (raw.get("contacts") or {}).get("contacts") or ()
    return text(people[0].get("id")) if people else None


def _company(raw: Raw) -> str | None:
    own = raw.get("company")
    return (text(own.get("id")) if isinstance(own, Mapping) else None) or company_of(raw.get("asked"))


def _solved(raw: Raw, parts: Any) -> datetime:
    """When its state became resolved for the last time; the row's last change where its parts do not say."""
    turned = [
        moment(part["created_at"], field="ticket_parts.created_at")
        for part in parts
        if part.get("ticket_state") == "resolved" and part.get("previous_ticket_state") != "resolved"
    ]
    return max(turned, default=moment(raw["updated_at"], field="updated_at"))


def _is_reply(part: Mapping[str, Any]) -> bool:
    return part.get("part_type") == "comment" and (part.get("author") or {}).get("type") == "admin"


def _domains(website: str | None) -> tuple[str, ...]:
    if not website:
        return ()
    host = urlsplit(website if "//" in website else f"//{website}").hostname or ""
    return (host.removeprefix("www."),) if "." in host else ()


def _minutes(begin: datetime, end: datetime | None) -> float | None:
    return None if end is None else max(0.0, round((end - begin).total_seconds() / 60, 2))


def _email(row: Mapping[str, Any] | None) -> str | None:
    email = text((row or {}).get("email"))
    return email.lower() if email else None


def _when(raw: Mapping[str, Any], field: str) -> datetime | None:
    return moment(raw[field], field=field) if given(raw.get(field)) else None


def _version(raw: Raw) -> int:
    return version(moment(raw["updated_at"], field="updated_at"))


def _key(raw: Raw) -> str:
    key = text(raw["id"])
    if key is None:
        raise BadRowError("is empty", field="id")
    return key
