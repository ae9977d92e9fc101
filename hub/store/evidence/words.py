"""Records behind facts in a few words each."""

from datetime import date, datetime
from typing import Any

from hub.store.evidence.behind import Kind
from hub.store.facts.window import Window


def said(kind: Kind, row: Any, window: Window) -> str:
    """A row of the kind's statement in a few words."""
    match kind:
        case "activity":
            return ", ".join(
                _many(count, one)
                for count, one in ((row.users, "user"), (row.events, "event"), (row.sessions, "session"))
            )
        case "feature":
            return f"{_many(row.events, 'event')} on {_many(row.days, 'day')}"
        case "ticket" | "solved_ticket" | "open_ticket" | "executive_ticket":
            return f"{row.severity}: {row.subject or 'without a subject'}"
        case "csat" | "nps" | "survey" | "executive_answer":
            return f"{row.score:g} on {row.scale}" + (f": {row.comment}" if row.comment else "")
        case "subscription" | "term":
            seats = f", {row.seats_purchased} seats" if row.seats_purchased is not None else ""
            until = f" until {row.ended_on}" if row.ended_on else ""
            return f"{row.plan}, {row.mrr:,.2f} {row.currency} a month{seats}{until}"
        case "failed_invoice" | "overdue_invoice":
            return _invoice(kind, row)
        case "company":
            return ", ".join(part or "-" for part in (row.name, row.segment, row.csm_email))
        case "champion":
            return f"{_named(row)}: {row.role}"
        case "lost_champion":
            return f"{_named(row)}: {'left' if row.gone else row.role or 'without a role'}, was a champion"
        case "executive":
            seen = _seen(row, window)
            return f"{_named(row)}: {row.role}, {f'last heard of on {seen}' if seen else 'not heard of yet'}"
        case "sentiment":
            return f"{row.sentiment * 100:.0f} of 100 by {row.by}: {row.reason}"


def _invoice(kind: Kind, row: Any) -> str:
    named = f"{row.number or row.key}, {row.amount:,.2f} {row.currency}"
    if kind == "overdue_invoice":
        return f"{named}, due {row.due_on or row.issued_on}"
    return f"{named}, failed, {_many(row.attempts, 'attempt')}"


def _named(row: Any) -> str:
    name = row.name or row.email or row.key
    return f"{name}, {row.title}" if row.title else str(name)


def _seen(row: Any, window: Window) -> date | None:
    """When the person was last seen, as known on the day."""
    if row.seen_later:
        return datetime.fromisoformat(row.seen_before).date() if row.seen_before else None
    return row.last_seen_at.date() if row.last_seen_at and row.last_seen_at < window.end else None


def _many(count: int, one: str) -> str:
    return f"{count:,} {one}" if count == 1 else f"{count:,} {one}s"
