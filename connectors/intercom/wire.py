"""The simulated company as Intercom's JSON.

Companies are known by the CRM's id (`company_id`); one ticket in five is an Intercom ticket, the others are conversations.
Ids: companies and contacts are 24 hexadecimal digits, conversations 100,000 + ticket number, tickets 300,000 + it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from connectors.intercom.mapping import TICKET
from connectors.kit.simulated import Account, Person, SupportTicket, World, crm_id

Row = dict[str, Any]
TICKET_EVERY = 5
STATES = {
    "new": "open",
    "open": "open",
    "pending": "snoozed",
    "hold": "snoozed",
    "solved": "closed",
    "closed": "closed",
}
CATEGORIES = {
    "new": "submitted", "open": "in_progress", "pending": "waiting_on_customer", "hold": "waiting_on_customer",
    "solved": "resolved", "closed": "resolved",
}  # fmt: skip
PRIORITIES = {"low": "low", "normal": "none", "high": "high", "urgent": "urgent"}
RATINGS = {"good": 5, "bad": 2}


@dataclass(frozen=True, slots=True)
class Tables:
    """Rows in the order of their last change, but for companies, which are in that of their ids."""

    companies: Sequence[Row]
    contacts: Sequence[Row]
    conversations: Sequence[Row]
    tickets: Sequence[Row]
    deleted: Sequence[Row]


def tables(world: World) -> Tables:
    domains = {account.number: account.domain for account in world.accounts}
    people = {person.number: person for person in world.people}
    talks = [ticket for ticket in world.tickets if not _is_ticket(ticket.number)]
    return Tables(
        companies=[_company(account) for account in sorted(world.accounts, key=lambda one: one.number)],
        contacts=_in_order([_contact(person, domains) for person in world.people]),
        conversations=_in_order([_conversation(ticket, people) for ticket in talks]),
        tickets=_in_order([_ticket(ticket) for ticket in world.tickets if _is_ticket(ticket.number)]),
        deleted=[
            {"type": "conversation", "id": conversation_id(grave.number), "metrics_retained": True,
             "deleted_at": _seconds(grave.at)}
            for grave in sorted(world.removed, key=lambda one: one.at, reverse=True)
            if grave.what == "ticket" and not _is_ticket(grave.number)
        ],
    )  # fmt: skip


def truth(world: World) -> Mapping[str, Sequence[str]]:
    talks = [ticket for ticket in world.tickets if not _is_ticket(ticket.number)]
    return {
        "companies": [company_id(account.number) for account in world.accounts],
        "contacts": [contact_id(person.number) for person in world.people],
        "conversations": [conversation_id(ticket.number) for ticket in talks],
        "ratings": [conversation_id(ticket.number) for ticket in talks if ticket.csat],
        "tickets": [TICKET + ticket_id(ticket.number) for ticket in world.tickets if _is_ticket(ticket.number)],
    }


def company_id(number: int) -> str:
    return f"53{number:022x}"


def contact_id(number: int) -> str:
    return f"5b{number:022x}"


def conversation_id(number: int) -> str:
    return str(100_000 + number)


def ticket_id(number: int) -> str:
    return str(300_000 + number)


def _is_ticket(number: int) -> bool:
    return number % TICKET_EVERY == 0


def _in_order(rows: list[Row]) -> list[Row]:
    return sorted(rows, key=lambda row: (row["updated_at"], row["id"]))


def _seconds(at: datetime) -> int:
    return int(at.timestamp())


def _company(account: Account) -> Row:
    signed = _seconds(datetime.fromisoformat(f"{account.signed_on}T00:00:00+00:00"))
    return {
        "type": "company",
        "id": company_id(account.number),
        "company_id": crm_id(account.number),
        "app_id": "ourco1",
        "name": account.name,
        "remote_created_at": signed,
        "created_at": signed,
        "updated_at": _seconds(account.updated_at),
        "last_request_at": _seconds(account.updated_at),
        "monthly_spend": 0,
        "session_count": 0,
        "user_count": 1,
        "size": account.employees,
        "website": f"https://www.{account.domain}/",
        "industry": account.industry,
        "tags": {"type": "tag.list", "tags": []},
        "segments": {"type": "segment.list", "segments": []},
        "plan": {},
        "custom_attributes": {"segment": account.segment},
    }


def _contact(person: Person, domains: Mapping[int, str]) -> Row:
    company = company_id(person.account)
    known = [{"type": "company", "id": company, "url": f"/companies/{company}"}] if person.account in domains else []
    return {
        "type": "contact",
        "id": contact_id(person.number),
        "external_id": f"u-{person.number}",
        "workspace_id": "ourco1",
        "role": "user",
        "email": person.email,
        "email_domain": person.email.partition("@")[2],
        "phone": None,
        "name": person.name,
        "owner_id": None,
        "created_at": _seconds(person.created_at),
        "signed_up_at": _seconds(person.created_at),
        "updated_at": _seconds(person.updated_at),
        "last_seen_at": None,
        "last_replied_at": None if person.last_contact_at is None else _seconds(person.last_contact_at),
        "custom_attributes": {"job_title": person.title, "buying_role": person.role},
        "companies": {
            "type": "list", "data": known, "url": f"/contacts/{contact_id(person.number)}/companies",
            "total_count": len(known), "has_more": False,
        },
    }  # fmt: skip


def _conversation(ticket: SupportTicket, people: Mapping[int, Person]) -> Row:
    author = people.get(ticket.person)
    return {
        "type": "conversation",
        "id": conversation_id(ticket.number),
        "title": ticket.subject,
        "created_at": _seconds(ticket.created_at),
        "updated_at": _changed(ticket),
        "waiting_since": None,
        "snoozed_until": None,
        "open": STATES[ticket.status] == "open",
        "state": STATES[ticket.status],
        "read": True,
        "priority": PRIORITIES[ticket.severity],
        "source": {
            "type": "conversation", "id": str(900_000 + ticket.number), "delivered_as": "customer_initiated",
            "subject": "", "body": "<p>…</p>", "redacted": False, "url": None, "attachments": [],
            "author": {"type": "user", "id": contact_id(ticket.person), "name": author.name if author else None,
                       "email": author.email if author else None},
        },
        "contacts": _asked(ticket),
        "first_contact_reply": {"created_at": _seconds(ticket.created_at), "type": "conversation", "url": None},
        "statistics": _statistics(ticket),
        "conversation_rating": _rating(ticket),
        "linked_objects": {"type": "list", "data": [], "total_count": 0, "has_more": False},
        "custom_attributes": {},
    }  # fmt: skip


def _statistics(ticket: SupportTicket) -> Row:
    begun = _seconds(ticket.created_at)
    replied = None if ticket.first_reply_minutes is None else begun + 60 * ticket.first_reply_minutes
    closed = None if ticket.solved_at is None else _seconds(ticket.solved_at)
    return {
        "type": "conversation_statistics",
        "time_to_admin_reply": None if replied is None else (replied - begun) // 3,  # within office hours
        "first_admin_reply_at": replied,
        "first_close_at": closed,
        "last_close_at": closed,
        "count_reopens": ticket.reopens,
        "count_conversation_parts": 1 + 2 * ticket.replies,
    }


def _rating(ticket: SupportTicket) -> Row | None:
    if ticket.solved_at is None:
        return None
    asked = _seconds(ticket.solved_at)
    return {
        "rating": RATINGS[ticket.csat] if ticket.csat else None,
        "remark": ticket.csat_comment,
        "created_at": asked,
        "updated_at": _seconds(ticket.csat_at) if ticket.csat_at else asked,
        "contact": {"type": "contact", "id": contact_id(ticket.person), "external_id": f"u-{ticket.person}"},
        "teammate": {"type": "admin", "id": "4711"},
    }


def _ticket(ticket: SupportTicket) -> Row:
    admin = {"type": "admin", "id": "4711", "name": "Ada Palm", "email": "ada@ourco.example"}
    state = {"type": "ticket_part", "id": "1", "part_type": "ticket_state_updated_by_admin", "author": admin}
    parts: list[Row] = []
    if ticket.first_reply_minutes is not None:
        at = _seconds(ticket.created_at) + 60 * ticket.first_reply_minutes
        parts.append({"type": "ticket_part", "id": "2", "part_type": "comment", "author": admin, "created_at": at})
    if ticket.solved_at is not None:
        turn = {"previous_ticket_state": "in_progress", "ticket_state": "resolved"}
        parts.append({**state, **turn, "created_at": _seconds(ticket.solved_at)})
    return {
        "type": "ticket",
        "id": ticket_id(ticket.number),
        "ticket_id": str(ticket.number),
        "category": "Customer",
        "ticket_attributes": {"_default_title_": ticket.subject, "_default_description_": None},
        "ticket_state": {"type": "ticket_state", "id": "8577", "category": CATEGORIES[ticket.status]},
        "contacts": _asked(ticket),
        "created_at": _seconds(ticket.created_at),
        "updated_at": _changed(ticket),
        "open": ticket.solved_at is None,
        "ticket_parts": {"type": "ticket_part.list", "ticket_parts": parts, "total_count": len(parts)},
        "linked_objects": {"type": "list", "data": [], "total_count": 0, "has_more": False},
        "is_shared": True,
    }


def _asked(ticket: SupportTicket) -> Row:
    person = {"type": "contact", "id": contact_id(ticket.person), "external_id": f"u-{ticket.person}"}
    return {"type": "contact.list", "contacts": [person]}


def _changed(ticket: SupportTicket) -> int:
    return _seconds(max(ticket.updated_at, ticket.csat_at or ticket.updated_at))
