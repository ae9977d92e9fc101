"""The simulated company as Zendesk's JSON: the rows the sandbox serves, each with the second it counts as changed in.

Ids: organizations 70,000 + account number, users 500,000 + person number, tickets as they are, ratings 800,000 + ticket
number. Seven organizations in ten know the company's id in the CRM; the others can only be told by their domain.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from connectors.kit.sandbox import EachOnce
from connectors.kit.simulated import Account, Person, Removed, SupportTicket, World, crm_id

Row = dict[str, Any]
TOUCHED_LATER = 7  # one ticket in so many is touched by the system a day after its last update


@dataclass(frozen=True, slots=True)
class Tables:
    """Rows by what an export orders them by: (second, id)."""

    organizations: Sequence[tuple[int, Row]]
    users: Sequence[tuple[int, Row]]
    tickets: Sequence[tuple[int, Row]]
    ratings: Sequence[Row]
    surveys: Sequence[Row]


def tables(world: World) -> Tables:
    organizations = [_organization(account) for account in world.accounts]
    users = [_user(person) for person in world.people]
    tickets = [_touched(*each, until=world.until) for each in zip(world.tickets, _tickets(world.tickets), strict=True)]
    for grave in world.removed:
        if grave.what == "account":
            organizations.append(_gone_organization(grave))
        elif grave.what == "person":
            users.append(_gone_user(grave))
        elif grave.what == "ticket":
            tickets.append(_gone_ticket(grave))
    asked = [ticket for ticket in world.tickets if ticket.solved_at is not None]
    return Tables(
        _in_order(organizations),
        _in_order(users),
        sorted(((row["generated_timestamp"], row) for row in tickets), key=lambda item: (item[0], item[1]["id"])),
        _ratings(asked),
        _surveys(asked),
    )


def truth(world: World) -> Mapping[str, Collection[str]]:
    """{stream: keys that live}; an answer goes with its ticket."""
    return {
        "organizations": [str(70_000 + account.number) for account in world.accounts],
        "users": [str(500_000 + person.number) for person in world.people if person.left_at is None],
        "tickets": [str(ticket.number) for ticket in world.tickets],
        "csat": [f"ticket-{each.number}" for each in world.tickets if each.csat and each.solved_at is not None],
    }


def iso(at: datetime | None) -> str | None:
    return f"{at.isoformat()[:19]}Z" if at else None


def _in_order(rows: list[Row]) -> list[tuple[int, Row]]:
    stamped = [(int(datetime.fromisoformat(row["updated_at"]).timestamp()), row) for row in rows]
    return sorted(stamped, key=lambda item: (item[0], item[1]["id"]))


def _organization(account: Account) -> Row:
    return {
        "id": 70_000 + account.number,
        "url": f"https://ourco.zendesk.com/api/v2/organizations/{70_000 + account.number}.json",
        "name": account.name,
        "domain_names": [account.domain],
        "external_id": crm_id(account.number) if account.number % 10 < 7 else None,
        "tags": [account.segment],
        "organization_fields": {},
        "created_at": f"{account.signed_on}T00:00:00Z",
        "updated_at": iso(account.updated_at),
        "deleted_at": None,
    }


def _user(person: Person) -> Row:
    return {
        "id": 500_000 + person.number,
        "url": f"https://ourco.zendesk.com/api/v2/users/{500_000 + person.number}.json",
        "name": person.name,
        "email": person.email,
        "role": "end-user",
        "organization_id": 70_000 + person.account,
        "external_id": None,
        "active": person.left_at is None,
        "suspended": False,
        "last_login_at": None,
        "user_fields": {},
        "created_at": iso(person.created_at),
        "updated_at": iso(person.updated_at),
    }


def _touched(ticket: SupportTicket, row: Row, *, until: datetime) -> Row:
    touched = ticket.updated_at + timedelta(days=1)
    if ticket.number % TOUCHED_LATER == 0 and touched <= until:
        return {**row, "generated_timestamp": int(touched.timestamp())}
    return row


def _ticket(ticket: SupportTicket) -> Row:
    return {
        "id": ticket.number,
        "url": f"https://ourco.zendesk.com/api/v2/tickets/{ticket.number}.json",
        "subject": ticket.subject,
        "status": ticket.status,
        "priority": None if ticket.severity == "normal" and ticket.number % 2 else ticket.severity,
        "type": "question",
        "tags": [],
        "requester_id": 500_000 + ticket.person,
        "submitter_id": 500_000 + ticket.person,
        "organization_id": 70_000 + ticket.account,
        "satisfaction_rating": {"score": "unoffered"}
        if ticket.solved_at is None
        else {"score": ticket.csat or "offered", "id": 800_000 + ticket.number, "comment": ticket.csat_comment},
        "custom_fields": [],
        "via": {"channel": "web"},
        "created_at": iso(ticket.created_at),
        "updated_at": iso(ticket.updated_at),
        "generated_timestamp": int(ticket.updated_at.timestamp()),
        "metric_set": _metrics(ticket),
    }


def _metrics(ticket: SupportTicket) -> Row:
    reply = ticket.first_reply_minutes
    solved = None if ticket.solved_at is None else round((ticket.solved_at - ticket.created_at).total_seconds() / 60)
    return {
        "id": 600_000 + ticket.number,
        "ticket_id": ticket.number,
        "reopens": ticket.reopens,
        "replies": ticket.replies,
        "reply_time_in_minutes": {"calendar": reply, "business": None if reply is None else reply // 3},
        "first_resolution_time_in_minutes": {"calendar": solved, "business": None if solved is None else solved // 3},
        "full_resolution_time_in_minutes": {"calendar": solved, "business": None if solved is None else solved // 3},
        "solved_at": iso(ticket.solved_at),
        "created_at": iso(ticket.created_at),
        "updated_at": iso(ticket.updated_at),
    }


def _rating(ticket: SupportTicket) -> Row:
    return {
        "id": 800_000 + ticket.number,
        "score": ticket.csat or "offered",
        "comment": ticket.csat_comment,
        "ticket_id": ticket.number,
        "requester_id": 500_000 + ticket.person,
        "created_at": iso(ticket.csat_at or ticket.solved_at),
        "updated_at": iso(ticket.csat_at or ticket.solved_at),
    }


def _survey(ticket: SupportTicket) -> Row:
    at = (ticket.csat_at or ticket.solved_at or ticket.updated_at).strftime("%Y-%m-%dT%H:%M:%S.000Z")
    answers: list[Row] = []
    if ticket.csat:
        rating = {"good": 5, "bad": 1}[ticket.csat]
        question = {"type": "rating_scale_numeric", "sub_type": "customer_satisfaction"}
        answers.append(
            {"type": "rating_scale", "rating": rating, "rating_category": ticket.csat, "question": question}
            | {"created_at": at, "updated_at": at}
        )
    if ticket.csat_comment:
        answers.append({"type": "open_ended", "value": ticket.csat_comment, "created_at": at, "updated_at": at})
    return {
        "id": f"01J{ticket.number:023d}",
        "responder_id": 500_000 + ticket.person,
        "subject_zrns": [f"zen:ticket:{ticket.number}"],
        "survey": {"id": "01J58KJ9RAE0D2EK7HRVM7Z8F2", "version": 3, "state": "enabled"},
        "answers": answers,
        "made_at": at,  # not in the vendor's row: what the sandbox filters by
    }


_tickets, _ratings, _surveys = EachOnce(_ticket), EachOnce(_rating), EachOnce(_survey)


def _gone_organization(grave: Removed) -> Row:
    at = iso(grave.at)
    return {
        "id": 70_000 + grave.number,
        "name": f"Organization {grave.number}",
        "domain_names": [],
        "external_id": None,
        "created_at": at,
        "updated_at": at,
        "deleted_at": at,
    }


def _gone_user(grave: Removed) -> Row:
    at = iso(grave.at)
    return {
        "id": 500_000 + grave.number,
        "name": "Permanently Deleted User",
        "email": None,
        "role": "end-user",
        "organization_id": None,
        "active": False,
        "created_at": at,
        "updated_at": at,
    }


def _gone_ticket(grave: Removed) -> Row:
    at = iso(grave.at)
    return {
        "id": grave.number,
        "subject": "SCRUBBED",
        "status": "deleted",
        "priority": None,
        "requester_id": -1,
        "organization_id": 70_000 + grave.account,
        "created_at": at,
        "updated_at": at,
        "generated_timestamp": int(grave.at.timestamp()),
    }
