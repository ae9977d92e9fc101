"""A CSM's customers as Slack shows them, customers called about so, and who looks at their App Home."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from difflib import SequenceMatcher

from sqlalchemy import ColumnElement, Integer, and_, case, false, func, or_, select, update

from hub.model.actions import AlertState
from hub.model.conditions import Field
from hub.store.books import of_book
from hub.store.conditions import column_of
from hub.store.customers import Named, find_customers_called
from hub.store.runs import insert_missing
from hub.store.store import Connection
from hub.store.tables import alert, customer, scorecard, slack_home

NEAREST = 5
COMPARED = 5_000
LIKENESS = 0.5
MRR = column_of(Field("mrr", "number"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A customer of a book. health 0-1, churn_annualised 0-1, mrr a month; alerts and tasks that are open, due ones of today
    and before."""

    customer_id: str
    name: str
    health: float | None
    band: str | None
    churn_annualised: float | None
    mrr: float | None
    alerts: int
    tasks: int
    due: int


async def find_book(
    connection: Connection, csm_email: str, *, today: date, now: datetime, limit: int
) -> tuple[list[Entry], int]:
    """The customers of a CSM, those first that most may be lost with, and how many there are: two statements."""
    is_open = and_(
        alert.c.state != AlertState.CLOSED.value, or_(alert.c.snoozed_until.is_(None), alert.c.snoozed_until <= now)
    )
    calls = (
        select(
            alert.c.customer_id,
            _count(alert.c.kind == "alert").label("alerts"),
            _count(alert.c.kind == "task").label("tasks"),
            _count(and_(alert.c.due_on.is_not(None), alert.c.due_on <= today)).label("due"),
        )
        .where(is_open)
        .group_by(alert.c.customer_id)
        .subquery()
    )
    mine = and_(func.lower(customer.c.csm_email) == csm_email.lower(), customer.c.merged_into_id.is_(None))
    card = scorecard.c
    at_stake = func.coalesce(card.churn_annualised, 0.0) * func.coalesce(MRR, 0.0)
    statement = (
        select(
            customer.c.id.label("customer_id"),
            customer.c.name,
            card.health,
            card.band,
            card.churn_annualised,
            MRR.label("mrr"),
            *(func.coalesce(calls.c[name], 0).label(name) for name in ("alerts", "tasks", "due")),
        )
        .join_from(customer, scorecard, and_(card.customer_id == customer.c.id, card.latest), isouter=True)
        .outerjoin(calls, calls.c.customer_id == customer.c.id)
        .where(mine)
        .order_by(at_stake.desc(), func.coalesce(card.health, 1.0), customer.c.name, customer.c.id)
        .limit(limit)
    )
    entries = [Entry(**row._mapping) for row in await connection.execute(statement)]
    count = (await connection.execute(select(func.count()).select_from(customer).where(mine))).scalar_one()
    return entries, count


def _count(of: ColumnElement[bool]) -> ColumnElement[int]:
    return func.sum(case((of, 1), else_=0).cast(Integer))


@dataclass(frozen=True, slots=True)
class Search:
    """Customers that a text may mean: `found` says it of their names, `near` are only like it."""

    found: Sequence[Named]
    near: Sequence[Named] = ()


async def search_customers(connection: Connection, text: str, *, book: str | None, limit: int = 10) -> Search:
    """By id, domain or whole name; else by a part of the name; else by likeness, the likest first. Of a book, or of all."""
    if exact := await find_customers_called(connection, text, book=book):
        return Search(exact[:limit])
    row = customer.c
    given = " ".join(text.lower().split())
    columns = select(row.id, row.name, row.domain).where(row.merged_into_id.is_(None), *of_book(row.id, book))
    begins = case((func.lower(row.name).startswith(given, autoescape=True), 0), else_=1)
    part = or_(
        func.lower(row.name).contains(given, autoescape=True), func.lower(row.domain).contains(given, autoescape=True)
    )
    within = columns.where(part).order_by(begins, row.name, row.id).limit(limit)
    if found := [Named(*each) for each in await connection.execute(within)]:
        return Search(found)
    pieces = {word[start : start + 3] for word in given.split() for start in range(max(1, len(word) - 2))}
    alike = or_(false(), *(func.lower(row.name).contains(piece, autoescape=True) for piece in sorted(pieces)[:12]))
    near = [Named(*each) for each in await connection.execute(columns.where(alike).order_by(row.name).limit(COMPARED))]
    scored = sorted(((_likeness(given, each.name), each) for each in near), key=lambda pair: -pair[0])
    return Search((), [each for likeness, each in scored[:NEAREST] if likeness >= LIKENESS])


def _likeness(given: str, name: str) -> float:
    """0-1: of the whole name, or of its likest word where that is more."""
    lower = name.lower()
    return max(SequenceMatcher(None, given, each).ratio() for each in (lower, *lower.split()))


async def note_home(connection: Connection, user_id: str, *, now: datetime) -> None:
    """Somebody opened the App Home."""
    await connection.execute(insert_missing(connection, slack_home), {"user_id": user_id, "opened_at": now})
    await connection.execute(update(slack_home).where(slack_home.c.user_id == user_id).values(opened_at=now))


async def find_homes(connection: Connection, *, opened_since: datetime) -> dict[str, str | None]:
    """{user: digest of what was published last} for who opened it since."""
    statement = select(slack_home.c.user_id, slack_home.c.shown).where(slack_home.c.opened_at > opened_since)
    return {row.user_id: row.shown for row in await connection.execute(statement.order_by(slack_home.c.user_id))}


async def note_published(connection: Connection, user_id: str, *, shown: str, now: datetime) -> None:
    await connection.execute(
        update(slack_home).where(slack_home.c.user_id == user_id).values(shown=shown, published_at=now)
    )
