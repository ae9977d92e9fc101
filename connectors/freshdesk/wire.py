"""The simulated company as Freshdesk's JSON.

Ids: companies 60,000 + account number, contacts 70,000 + person number, tickets as they are, ratings 90,000 + ticket number.
Companies know their id in the CRM by a custom field of the account, `crm_id`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from connectors.freshdesk.mapping import rating_key
from connectors.kit.simulated import Account, Person, Removed, SupportTicket, World, crm_id

Row = dict[str, Any]
STATUSES = {"new": 2, "open": 2, "pending": 3, "hold": 7, "solved": 4, "closed": 5}
PRIORITIES = {"low": 1, "normal": 2, "high": 3, "urgent": 4}
RATINGS = {"good": 103, "bad": -103}


@dataclass(frozen=True, slots=True)
class Tables:
    """Rows in the order of their ids; those that were deleted apart."""

    companies: Sequence[Row]
    contacts: Sequence[Row]
    tickets: Sequence[Row]
    ratings: Sequence[Row]
    deleted_contacts: Sequence[Row]
    deleted_tickets: Sequence[Row]


def tables(world: World) -> Tables:
    people = {person.number: person for person in world.people}
    rated = [ticket for ticket in world.tickets if ticket.csat]
    return Tables(
        companies=_by_id([_company(account) for account in world.accounts]),
        contacts=_by_id([_contact(person) for person in world.people]),
        tickets=_by_id([_ticket(ticket, people.get(ticket.person)) for ticket in world.tickets]),
        ratings=_by_id([_rating(ticket) for ticket in rated]),
        deleted_contacts=_by_id([_deleted_contact(grave) for grave in world.removed if grave.what == "person"]),
        deleted_tickets=_by_id([_deleted_ticket(grave) for grave in world.removed if grave.what == "ticket"]),
    )


def truth(world: World) -> Mapping[str, Sequence[str]]:
    return {
        "companies": [str(company_id(account.number)) for account in world.accounts],
        "contacts": [str(contact_id(person.number)) for person in world.people],
        "tickets": [str(ticket.number) for ticket in world.tickets],
        "ratings": [rating_key(ticket_id(ticket.number)) for ticket in world.tickets if ticket.csat],
    }


def company_id(number: int) -> int:
    return 60_000 + number


def contact_id(number: int) -> int:
    return 70_000 + number


def ticket_id(number: int) -> int:
    return number


def rating_id(number: int) -> int:
    return 90_000 + number


def _by_id(rows: list[Row]) -> list[Row]:
    return sorted(rows, key=lambda row: row["id"])


def _iso(at: datetime | None) -> str | None:
    return at.strftime("%Y-%m-%dT%H:%M:%SZ") if at else None


def _company(account: Account) -> Row:
    return {
        "id": company_id(account.number),
        "name": account.name,
        "description": None,
        "note": None,
        "domains": [account.domain],
        "health_score": None,
        "account_tier": None,
        "renewal_date": None,
        "industry": account.industry,
        "custom_fields": {"crm_id": crm_id(account.number)},
        "created_at": f"{account.signed_on}T00:00:00Z",
        "updated_at": _iso(account.updated_at),
    }


def _contact(person: Person) -> Row:
    return {
        "id": contact_id(person.number),
        "active": True,
        "name": person.name,
        "email": person.email,
        "phone": None,
        "mobile": None,
        "job_title": person.title,
        "company_id": company_id(person.account),
        "unique_external_id": None,
        "custom_fields": {},
        "created_at": _iso(person.created_at),
        "updated_at": _iso(person.updated_at),
    }


def _deleted_contact(grave: Removed) -> Row:
    at = _iso(grave.at)
    gone = {"id": contact_id(grave.number), "active": False, "deleted": True, "name": "Someone", "email": None}
    return {**gone, "company_id": company_id(grave.account), "created_at": at, "updated_at": at}


def _ticket(ticket: SupportTicket, person: Person | None) -> Row:
    replied = ticket.first_reply_minutes
    first = None if replied is None else ticket.created_at + timedelta(minutes=replied)
    done = ticket.status in ("solved", "closed")
    return {
        "id": ticket_id(ticket.number),
        "subject": ticket.subject,
        "status": STATUSES[ticket.status],
        "priority": PRIORITIES[ticket.severity],
        "source": 2,
        "type": "Question",
        "spam": False,
        "is_escalated": False,
        "requester_id": contact_id(ticket.person),
        "company_id": company_id(ticket.account),
        "tags": [],
        "custom_fields": {},
        "created_at": _iso(ticket.created_at),
        "updated_at": _iso(max(ticket.updated_at, ticket.csat_at or ticket.updated_at)),
        "stats": {
            "first_responded_at": _iso(first),
            "resolved_at": _iso(ticket.solved_at) if done else None,
            "closed_at": _iso(ticket.solved_at) if ticket.status == "closed" else None,
            "reopened_at": _iso(ticket.created_at + timedelta(hours=1)) if ticket.reopens else None,
        },
        "requester": {"id": contact_id(ticket.person), "name": person.name, "email": person.email} if person else None,
    }


def _deleted_ticket(grave: Removed) -> Row:
    at = _iso(grave.at)
    return {
        "id": ticket_id(grave.number), "subject": "Removed", "status": 2, "priority": 2, "deleted": True, "spam": False,
        "requester_id": None, "company_id": company_id(grave.account), "created_at": at, "updated_at": at,
        "stats": {}, "requester": None,
    }  # fmt: skip


def _rating(ticket: SupportTicket) -> Row:
    at = _iso(ticket.csat_at)
    return {
        "id": rating_id(ticket.number),
        "survey_id": 1,
        "user_id": contact_id(ticket.person),
        "agent_id": 4711,
        "group_id": None,
        "ticket_id": ticket_id(ticket.number),
        "feedback": ticket.csat_comment,
        "ratings": {"default_question": RATINGS[ticket.csat or "good"]},
        "created_at": at,
        "updated_at": at,
    }
