"""Money of customers on the days of a period: balances of paid terms, renewal deals that fall due, and who they are.

What is known today counts, also of the past: a figure of a past month is what is true of it, not what was believed then.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import and_, case, func, or_, select

from hub.model.records import OpportunityType
from hub.store.books import of_book
from hub.store.labels import paid
from hub.store.store import Connection
from hub.store.tables import customer, opportunity, subscription


@dataclass(frozen=True, slots=True)
class Profile:
    """A customer as it is today."""

    name: str
    segment: str | None
    csm_email: str | None


async def find_profiles(connection: Connection) -> dict[str, Profile]:
    """{id: profile} of every customer that is not merged into another."""
    row = customer.c
    statement = select(row.id, row.name, row.segment, row.csm_email).where(row.merged_into_id.is_(None))
    return {id_: Profile(name, segment, csm) for id_, name, segment, csm in await connection.execute(statement)}


async def find_balances(connection: Connection, days: Sequence[date], *, book: str | None = None) -> list[Any]:
    """MRR of every customer on each of `days`, by currency and plan: one statement, however many days.

    Returns tuples (customer_id, currency, plan, first day of any paid term, MRR on days[0], days[1], …); 0 where no
    paid term runs. A term runs from its first day until before `ended_on`; trials are not paid.
    """
    term = subscription.c
    sums = [
        func.sum(
            case((and_(term.started_on <= day, or_(term.ended_on.is_(None), term.ended_on > day)), term.mrr), else_=0.0)
        ).label(f"day{place}")
        for place, day in enumerate(days)
    ]
    statement = (
        select(term.customer_id, term.currency, term.plan, func.min(term.started_on).label("first_on"), *sums)
        .where(term.customer_id.is_not(None), paid(term), term.started_on <= max(days))
        .where(*of_book(term.customer_id, book))
        .group_by(term.customer_id, term.currency, term.plan)
        .order_by(term.customer_id, term.currency, term.plan)
    )
    return list((await connection.execute(statement)).all())


async def find_renewals(connection: Connection, *, first: date, last: date) -> list[Any]:
    """Renewal deals that close from `first` to `last` (those still open are due then), with an amount or a target.

    Returns rows of id, customer_id, currency, close_on, stage, amount, target_amount, in order of id.
    """
    deal = opportunity.c
    statement = (
        select(deal.id, deal.customer_id, deal.currency, deal.close_on, deal.stage, deal.amount, deal.target_amount)
        .where(
            deal.customer_id.is_not(None),
            deal.deleted.is_(False),
            deal.type == OpportunityType.RENEWAL.value,
            deal.close_on >= first,
            deal.close_on <= last,
            func.coalesce(deal.target_amount, deal.amount) > 0,
        )
        .order_by(deal.id)
    )
    return list((await connection.execute(statement)).all())
