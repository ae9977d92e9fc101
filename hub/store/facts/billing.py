"""Facts of money: MRR and its change, plan, seats, tenure, renewals, from the terms of subscriptions.

A term runs on a day from `started_on` until before `ended_on`. MRR of terms in several currencies is no number and None.
"""

from datetime import date, timedelta
from typing import Any

from sqlalchemy import ColumnElement, and_, case, func, or_, select

from hub.store.facts.columns import Columns, change
from hub.store.facts.window import Window
from hub.store.store import Connection
from hub.store.tables import subscription

NAMES = ("plan", "tenure_days", "mrr", "mrr_change_90d", "seats_purchased", "days_to_renewal", "renewals")
MRR_BASE = 1.0
"""Less MRR than this 90 days ago is no base for a change."""


def running(day: date) -> ColumnElement[bool]:
    """Whether a term runs on `day`."""
    term = subscription.c
    return and_(term.started_on <= day, or_(term.ended_on.is_(None), term.ended_on > day))


async def add(connection: Connection, window: Window, columns: Columns) -> None:
    """Add the facts of `NAMES`."""
    term = subscription.c
    now, before = running(window.day), running(window.day - timedelta(days=90))

    def where(condition: ColumnElement[bool], value: Any) -> Any:
        return case((condition, value))

    sums = (
        select(
            term.customer_id,
            func.min(term.started_on).label("first_on"),
            func.sum(where(now, term.mrr)).label("mrr"),
            func.sum(where(before, term.mrr)).label("mrr_before"),
            func.count(where(or_(now, before), term.currency).distinct()).label("currencies"),
            func.sum(where(now, term.seats_purchased)).label("seats_purchased"),
            func.min(where(and_(now, term.renews_on >= window.day), term.renews_on)).label("due_on"),
            # a term that ran to the day it fell due was renewed: who let it end is no customer any more
            func.count(
                where(
                    and_(term.renews_on <= window.day, or_(term.ended_on.is_(None), term.ended_on >= term.renews_on)),
                    term.renews_on,
                ).distinct()
            ).label("renewals"),
        )
        .where(window.known_of_asked(subscription), term.started_on <= window.day)
        .group_by(term.customer_id)
    )
    rows = (await connection.execute(sums)).all()
    columns.fill(rows, ["seats_purchased", "renewals"])
    one_currency = [row for row in rows if row.currencies <= 1]
    columns.fill(one_currency, ["mrr", "mrr_before"])
    columns.derive("mrr_change_90d", lambda mrr, was: change(mrr, was, base=MRR_BASE), "mrr", "mrr_before")
    columns.take_days(rows, "first_on", "tenure_days", lambda on: (window.day - on).days)
    columns.take_days(rows, "due_on", "days_to_renewal", lambda on: (on - window.day).days)
    columns.fill((await connection.execute(_plans(window))).all(), ["plan"])


def _plans(window: Window) -> Any:
    """The plan of the running term with the highest MRR; of equals the newest."""
    term = subscription.c
    rank = func.row_number().over(
        partition_by=term.customer_id, order_by=[term.mrr.desc(), term.started_on.desc(), term.id]
    )
    ranked = (
        select(term.customer_id, term.plan, rank.label("rank"))
        .where(window.known_of_asked(subscription), running(window.day))
        .subquery()
    )
    return select(ranked.c.customer_id, ranked.c.plan).where(ranked.c.rank == 1)
