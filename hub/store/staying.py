"""Customers who stayed, each with a day on which another left: who those who left are compared with.

The days are theirs, so that what was noted in the year before is read of the same months on both sides: how many days have
scorecards, and what was measured at all, differs from month to month.
"""

from datetime import date
from typing import Any

from sqlalchemy import BigInteger, Select, func, literal, select

from hub.store.labels import at_stake, churns, paid
from hub.store.store import Connection
from hub.store.tables import subscription

MOST_STAYED = 2_000
"""So many are enough to compare with: a share of them is known to two hundredths."""
STRIDE = 7_919
"""Prime: one customer after the other gets a day that is so many leavings on, so that all days are used alike."""


def stayed(connection: Connection, *, until: date, grace_days: int, since: date | None = None) -> Select[Any]:
    """A statement of customer_id, churned_on (the day of somebody else's churn, since a day) and involuntary (0).

    Of those who pay on `until`, have not given notice and never left: at most MOST_STAYED, drawn evenly, and each of them once.
    A day is later than the customer's first; who began after the last of them is left out.
    """
    everybody = churns(connection, until=until, grace_days=grace_days)
    left = (everybody if since is None else everybody.where(subscription.c.ended_on >= since)).cte("left_since")
    ever = everybody.subquery()
    term = subscription.c
    staying = (
        select(
            term.customer_id,
            func.min(term.started_on).label("began"),
            (func.row_number(type_=BigInteger()).over(order_by=term.customer_id) - 1).label("place"),
            func.count().over().label("many"),
        )
        .where(
            paid(term),
            term.customer_id.in_(at_stake(as_of=until, minimum_tenure_days=0)),
            term.customer_id.not_in(select(ever.c.customer_id)),
        )
        .group_by(term.customer_id)
    ).subquery()
    step = (staying.c.many - 1) // MOST_STAYED + 1
    before = select(func.count()).where(left.c.churned_on <= staying.c.began).scalar_subquery()
    sample = (
        select(staying.c.customer_id, (staying.c.place // step).label("place"), before.label("before")).where(
            staying.c.place % step == 0
        )
    ).cte("sample")
    order = func.row_number(type_=BigInteger()).over(order_by=(left.c.churned_on, left.c.customer_id)) - 1
    days = select(left.c.churned_on, order.label("number")).cte("days")
    many = select(func.count()).select_from(left).scalar_subquery()
    later = func.nullif(many - sample.c.before, 0)
    return (
        select(sample.c.customer_id, days.c.churned_on, literal(0).label("involuntary"))
        .select_from(sample)
        .join(days, days.c.number == sample.c.before + sample.c.place * STRIDE % later)
    )
