"""Churn as the terms of subscriptions tell it: who left when, who was at stake on a day, who had given notice.

A term is paid when it is no trial and costs something. A customer churns on the first day no paid term covers, unless one
begins again within the grace: on the 30th day after is a return, on the 31st is a churn and a new beginning. One of several
terms ending, or a cheaper one following, is contraction and no churn. `kind` is how the last terms ended: "involuntary"
where a payment failed, else "voluntary".

What decides a label is the day the money stops. What a model may see is everything before *notice*: a customer who has
said so is not at risk but leaving, so from the day of the notice on it is nobody's training row.
"""

from collections.abc import Mapping
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Date, Select, and_, case, func, or_, select

from hub.model.records import CancellationKind, SubscriptionStatus
from hub.store.store import Connection
from hub.store.tables import subscription


async def find_churned(connection: Connection, *, until: date, grace_days: int) -> dict[str, list[Any]]:
    """Every churn that is certain on `until`: whose grace has passed by then.

    Returns {"customer_id", "churned_on", "kind"}, in order of customer and day; who came back and left again has several.
    """
    statement = churns(connection, until=until, grace_days=grace_days).order_by("customer_id", "churned_on")
    rows = (await connection.execute(statement)).all()
    return {
        "customer_id": [row.customer_id for row in rows],
        "churned_on": [row.churned_on for row in rows],
        "kind": ["involuntary" if row.involuntary else "voluntary" for row in rows],
    }


def churns(connection: Connection, *, until: date, grace_days: int) -> Select[Any]:
    """`find_churned` as a statement of customer_id, churned_on and involuntary (1 or 0), for others to join with."""
    term, other = subscription, subscription.alias("other")
    back_by = _plus_days(connection, term.c.ended_on, grace_days)
    covered = (
        select(other.c.id)
        .where(
            other.c.customer_id == term.c.customer_id,
            paid(other.c),
            other.c.started_on <= back_by,
            or_(other.c.ended_on.is_(None), other.c.ended_on > term.c.ended_on),
        )
        .exists()
    )
    involuntary = term.c.cancellation_kind == CancellationKind.INVOLUNTARY.value
    return (
        select(
            term.c.customer_id,
            term.c.ended_on.label("churned_on"),
            func.max(case((involuntary, 1), else_=0)).label("involuntary"),
        )
        .where(
            term.c.customer_id.is_not(None),
            paid(term.c),
            term.c.ended_on < until - timedelta(days=grace_days),
            ~covered,
        )
        .group_by(term.c.customer_id, term.c.ended_on)
    )


async def find_at_stake(connection: Connection, *, as_of: date, minimum_tenure_days: int) -> list[str]:
    """Ids of those who pay on `as_of`, have done so long enough, and have not given notice by the end of that day; sorted.

    Notice: every paid term that runs has been cancelled, and not to be continued smaller.
    """
    statement = at_stake(as_of=as_of, minimum_tenure_days=minimum_tenure_days).order_by(subscription.c.customer_id)
    return list((await connection.execute(statement)).scalars())


def at_stake(*, as_of: date, minimum_tenure_days: int) -> Select[Any]:
    """`find_at_stake` as a statement of customer_id, for others to join with."""
    term = subscription.c
    runs = or_(term.ended_on.is_(None), term.ended_on > as_of)
    undecided = and_(runs, ~_noticed(as_of))
    return (
        select(term.customer_id)
        .where(
            term.customer_id.is_not(None),
            paid(term),
            term.started_on <= as_of,
            term.learned_at < _end(as_of),
        )
        .group_by(term.customer_id)
        .having(
            func.min(term.started_on) <= as_of - timedelta(days=minimum_tenure_days),
            func.max(case((undecided, 1), else_=0)) == 1,
        )
    )


async def find_noticed(connection: Connection, *, as_of: date) -> Mapping[str, date]:
    """{customer: day of notice} of those who pay on `as_of` and have given notice for everything they pay for."""
    term = subscription.c
    statement = (
        select(term.customer_id, func.max(term.cancelled_at).label("cancelled_at"))
        .where(
            term.customer_id.is_not(None),
            paid(term),
            term.started_on <= as_of,
            term.learned_at < _end(as_of),
            or_(term.ended_on.is_(None), term.ended_on > as_of),
        )
        .group_by(term.customer_id)
        .having(func.min(case((_noticed(as_of), 1), else_=0)) == 1)
        .order_by(term.customer_id)
    )
    return {row.customer_id: row.cancelled_at.date() for row in await connection.execute(statement)}


async def find_first_day(connection: Connection) -> date | None:
    """The first day anybody paid; None where nobody has."""
    statement = select(func.min(subscription.c.started_on)).where(
        subscription.c.customer_id.is_not(None), paid(subscription.c)
    )
    first: date | None = (await connection.execute(statement)).scalar()
    return first


def paid(term: Any) -> ColumnElement[bool]:
    """Whether a term is paid at all, on whatever day."""
    return and_(
        term.deleted.is_(False),
        term.status != SubscriptionStatus.TRIAL.value,
        term.mrr > 0,
        or_(term.ended_on.is_(None), term.ended_on > term.started_on),
    )


def _noticed(day: date) -> ColumnElement[bool]:
    """Whether a term was cancelled by the end of `day` (SQL's unknown counts as no)."""
    term = subscription.c
    smaller = func.coalesce(term.cancellation_kind, "") == CancellationKind.CONTRACTION.value
    return and_(func.coalesce(term.cancelled_at < _end(day), False), ~smaller)


def _end(day: date) -> datetime:
    """The first moment that is no longer the day."""
    return datetime.combine(day + timedelta(days=1), time.min, UTC)


def _plus_days(connection: Connection, column: ColumnElement[Any], days: int) -> ColumnElement[Any]:
    """A date some days later: PostgreSQL adds numbers to dates, SQLite keeps dates as text and has a function."""
    if connection.dialect.name == "sqlite":
        return func.date(column, f"+{days} days", type_=Date())
    return column + days
