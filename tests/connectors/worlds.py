"""The company the suites of all connectors pull, and what happens to it while they do.

Eight accounts, the fourth gone, the second a daughter of the first; some of everything the World knows, enough for several
small pages of each. The eighth has no events: a product's events outlive an account, and nothing else does.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any, TypeVar

from connectors.kit.simulated import (
    Account,
    Bill,
    Deal,
    NpsAnswer,
    Person,
    ProductEvent,
    Removed,
    SupportTicket,
    Term,
    World,
)

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
ACCOUNTS, PEOPLE, TICKETS, NPS, TERMS, BILLS, DEALS, EVENTS = 8, 16, 18, 12, 12, 12, 11, 60
PARTS = ("accounts", "people", "tickets", "nps", "terms", "bills", "deals")
WHAT = {"accounts": "account", "people": "person", "tickets": "ticket", "nps": "nps", "terms": "term", "bills": "bill",
        "deals": "deal"}  # fmt: skip
DELETED = {"people": (15,), "tickets": (5,), "nps": (4,), "terms": (6,), "bills": (5,), "deals": (3,)}
"""Beside the eighth account with all that is its own."""
Row = TypeVar("Row")


def company(until: datetime = NOON) -> World:
    return World(
        seed=7,
        started_on=date(2026, 1, 1),
        until=until,
        accounts=[account(n, until) for n in range(1, ACCOUNTS + 1)],
        people=[person(n, until) for n in range(1, PEOPLE + 1)],
        events=[event(n, until) for n in range(EVENTS)],
        tickets=[ticket(n, until) for n in range(1, TICKETS + 1)],
        nps=[answer(n, until) for n in range(1, NPS + 1)],
        terms=[term(n, until) for n in range(1, TERMS + 1)],
        bills=[bill(n, until) for n in range(1, BILLS + 1)],
        deals=[deal(n, until) for n in range(1, DEALS + 1)],
    )


def account(n: int, until: datetime) -> Account:
    return Account(
        number=n, name=f"Acme {n}", domain=f"acme{n}.example", parent=1 if n == 2 else None,
        segment=("smb", "mid_market", "enterprise")[n % 3], industry="software", country="DE", employees=40 * n,
        csm_name="Ada Palm", csm_email="ada@ourco.example", signed_on=date(2026, 1, n), updated_at=until - timedelta(days=n),
        churned_on=date(2026, 11, 1) if n == 4 else None,
    )  # fmt: skip


def person(n: int, until: datetime) -> Person:
    left = until - timedelta(days=6) if n == 12 else None
    return Person(
        number=n, account=owner(n), name=f"Kim Ode {n}", email=f"kim{n}@acme{owner(n)}.example", title="Head of Things",
        role=("user", "champion", "admin", "executive")[n % 4], created_at=until - timedelta(days=40 + n),
        updated_at=left or until - timedelta(days=1, hours=n), left_at=left,
        last_contact_at=until - timedelta(days=3) if n % 2 else None,
    )  # fmt: skip


def event(n: int, until: datetime) -> ProductEvent:
    owner = n % (ACCOUNTS - 1) + 1
    at = until - timedelta(days=6 - n // 10, hours=2, minutes=-7 * (n % 10))
    name = ("report_viewed", "export_made", "login")[n % 3]
    return ProductEvent(insert_id=f"event-{n:04}", at=at, account=owner, person=owner, name=name)


def ticket(n: int, until: datetime) -> SupportTicket:
    status = ("open", "solved", "closed", "pending", "new", "hold")[n % 6]
    done = status in ("solved", "closed")
    opened = until - timedelta(days=21 - n, minutes=n)
    rated = (done and n % 2 == 0) or n == 7
    solved = opened + timedelta(hours=20) if done or rated else None
    return SupportTicket(
        number=n, account=owner(n), person=owner(n), subject=f"Trouble {n}",
        severity=("low", "normal", "high", "urgent")[n % 4], status="closed" if rated and not done else status,
        created_at=opened, updated_at=opened + timedelta(hours=21), first_reply_minutes=30, solved_at=solved, reopens=n % 2,
        replies=2, csat=("good", "bad")[n % 3 == 0] if rated else None, csat_comment="thanks" if rated else None,
        csat_at=solved + timedelta(minutes=30) if rated and solved else None,
    )  # fmt: skip


def answer(n: int, until: datetime) -> NpsAnswer:
    comment = ("", "Good, fast\nand friendly", 'We miss "exports"')[n % 3]
    return NpsAnswer(
        number=n, account=owner(n), person=owner(n), score=n % 11, comment=comment, at=until - timedelta(days=18 - n)
    )


def term(n: int, until: datetime) -> Term:
    ended = n == 4
    return Term(
        number=n, account=owner(n), plan="growth" if n % 2 else "scale", mrr=100.0 * n, currency="EUR", seats_purchased=10 * n,
        seats_used=7 * n, started_on=date(2026, 1, owner(n)), renews_on=date(2027, 1, owner(n)),
        ended_on=date(2026, 11, 1) if ended else None, auto_renew=not ended,
        cancelled_at=until - timedelta(days=30) if ended else None, cancellation_kind="voluntary" if ended else None,
        updated_at=until - timedelta(days=19, hours=-n),
    )  # fmt: skip


def bill(n: int, until: datetime) -> Bill:
    status = ("open", "paid", "failed", "paid")[n % 4]
    issued = (until - timedelta(days=22 - n)).date()
    at = until - timedelta(days=21 - n)
    return Bill(
        number=n, account=owner(n), amount=100.0 * n, currency="EUR", issued_on=issued, due_on=issued + timedelta(days=14),
        paid_at=at if status == "paid" else None, failed_at=at if status == "failed" else None,
        attempts=int(status != "open"), status=status, updated_at=at,
    )  # fmt: skip


def deal(n: int, until: datetime) -> Deal:
    return Deal(
        number=n, account=owner(n), name=f"Deal {n}", kind=("renewal", "new", "expansion")[n % 3],
        stage=("open", "won", "lost")[n % 3], amount=1000.0 * n, currency="EUR", close_on=date(2026, 12, n),
        created_at=until - timedelta(days=25), updated_at=until - timedelta(days=20 - n), owner_email="ada@ourco.example",
    )  # fmt: skip


def owner(n: int) -> int:
    return (n - 1) % ACCOUNTS + 1


CHANGES: dict[str, dict[str, Any]] = {
    "accounts": {"employees": 4321}, "people": {"title": "Head of Other Things"}, "tickets": {"subject": "More trouble"},
    "terms": {"seats_used": 3}, "bills": {"attempts": 3}, "deals": {"name": "Another deal"},
}  # fmt: skip


def later(world: World, **by: float) -> World:
    return replace(world, until=world.until + timedelta(**by))


def touched(world: World, *numbers: int, at: datetime | None = None) -> World:
    """The rows `numbers` of everything that can change are other ones since `at`, else since a moment ago."""
    changed = {
        part: [
            replace(row, **change, updated_at=at or world.until) if row.number in numbers else row
            for row in getattr(world, part)
        ]
        for part, change in CHANGES.items()
    }
    return replace(world, **changed)


def tied(world: World) -> World:
    """Everything has the same time."""
    at = world.until - timedelta(days=2)
    return replace(
        world,
        accounts=[replace(row, updated_at=at) for row in world.accounts],
        people=[replace(row, created_at=at, updated_at=at, left_at=row.left_at and at) for row in world.people],
        events=[replace(row, at=at) for row in world.events],
        tickets=[
            replace(row, created_at=at, updated_at=at, solved_at=row.solved_at and at, csat_at=row.csat_at and at)
            for row in world.tickets
        ],
        nps=[replace(row, at=at) for row in world.nps],
        terms=[replace(row, updated_at=at) for row in world.terms],
        bills=[replace(row, updated_at=at) for row in world.bills],
        deals=[replace(row, created_at=at, updated_at=at) for row in world.deals],
    )


def grown(world: World, *, at: datetime) -> World:
    """One more of everything, as of `at`."""
    more = 100 + max(row.number for row in world.tickets)
    return replace(
        world,
        accounts=[*world.accounts, replace(account(1, at), number=more, name="Newcomer", domain="new.example", updated_at=at)],
        people=[
            *world.people,
            replace(person(1, at), number=more, email=f"new{more}@acme1.example", created_at=at, updated_at=at),
        ],
        events=[*world.events, replace(event(0, at), insert_id=f"event-{more}", at=at)],
        tickets=[
            *world.tickets,
            replace(ticket(18, at), number=more, created_at=at, updated_at=at),
            replace(ticket(2, at), number=more + 1, created_at=at, updated_at=at, solved_at=at, csat="good", csat_at=at),
        ],
        nps=[*world.nps, replace(answer(1, at), number=more, at=at)],
        terms=[*world.terms, replace(term(1, at), number=more, updated_at=at)],
        bills=[*world.bills, replace(bill(1, at), number=more, issued_on=at.date(), updated_at=at, paid_at=at)],
        deals=[*world.deals, replace(deal(1, at), number=more, created_at=at, updated_at=at)],
    )  # fmt: skip


def pruned(world: World, *, at: datetime) -> World:
    """What `DELETED` names is gone since `at`, and the eighth account with everything of it; graves are in `removed`."""

    def is_gone(part: str, row: Any) -> bool:
        return row.number in DELETED.get(part, ()) or getattr(row, "account", row.number) == ACCOUNTS

    rows: dict[str, Sequence[Any]] = {part: getattr(world, part) for part in PARTS}
    graves = [
        Removed(what=WHAT[part], number=row.number, account=getattr(row, "account", row.number), at=at)
        for part, some in rows.items()
        for row in some
        if is_gone(part, row)
    ]
    kept = {part: [row for row in some if not is_gone(part, row)] for part, some in rows.items()}
    return replace(world, **kept, removed=[*world.removed, *graves])
