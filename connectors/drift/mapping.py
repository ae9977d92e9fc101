"""Drift's rows as records. Pure; times are milliseconds since 1970.

    account(raw)       -> Company            key: its domain, by which contacts can be told to be of it; else its id
    conversation(raw)  -> Ticket, Contact    with `contact`, added by the pull; none for a message sent to many

Drift links contacts to no account. A contact's company is the domain of the e-mail address.
"""

from collections.abc import Mapping
from typing import Any

from connectors.kit.base import BadRowError, Raw
from connectors.kit.values import choice, given, moment, text, version
from hub.model.records import Company, Contact, Ticket, TicketStatus

STATUSES = {
    "open": TicketStatus.OPEN,
    "pending": TicketStatus.PENDING,
    "closed": TicketStatus.CLOSED,
    "bulk_sent": None,
}


def account(raw: Raw) -> tuple[Company]:
    key = _domain(raw.get("domain")) or _key(raw, "accountId")
    domain = _domain(raw.get("domain"))
    return (
        Company(
            key=key,
            version=_version(raw, "updateDateTime"),
            company_key=key,
            deleted=bool(raw.get("deleted")),
            name=text(raw.get("name")),
            domains=(domain,) if domain else (),
        ),
    )


def conversation(raw: Raw) -> tuple[Ticket | Contact, ...]:
    status = choice(raw["status"], STATUSES, field="status")
    if status is None:
        return ()
    told: Mapping[str, Any] = (raw.get("contact") or {}).get("attributes") or {}
    email = text(told.get("email"))
    company = email.lower().rpartition("@")[2] if email and "@" in email else None
    changed, begun = moment(raw["updatedAt"], field="updatedAt"), moment(raw["createdAt"], field="createdAt")
    solved = changed if status is TicketStatus.CLOSED else None
    ticket = Ticket(
        key=_key(raw, "id"),
        version=version(changed),
        company_key=company,
        status=status,
        requester_email=email.lower() if email else None,
        created_at=begun,
        solved_at=solved,
        resolution_minutes=round((solved - begun).total_seconds() / 60, 2) if solved else None,
    )
    return (ticket,) if not raw.get("contact") else (ticket, _contact(raw, told, company, version(changed)))


def _contact(raw: Raw, told: Mapping[str, Any], company: str | None, changed: int) -> Contact:
    """A contact does not say when it was changed: it is as of the conversation it was looked up for."""
    contact = raw["contact"]
    email, seen = text(told.get("email")), told.get("last_active")
    return Contact(
        key=f"contact-{_key(contact, 'id')}",
        version=changed,
        company_key=company,
        email=email.lower() if email else None,
        name=text(told.get("name")),
        title=text(told.get("title")),
        last_seen_at=moment(seen, field="last_active") if given(seen) else None,
        created_at=moment(contact["createdAt"], field="createdAt") if given(contact.get("createdAt")) else None,
    )


def _domain(value: Any) -> str | None:
    domain = text(value)
    return domain.lower().removeprefix("www.") if domain else None


def _version(raw: Raw, field: str) -> int:
    return version(moment(raw[field], field=field))


def _key(raw: Mapping[str, Any], field: str) -> str:
    key = text(raw[field])
    if key is None:
        raise BadRowError("is empty", field=field)
    return key
