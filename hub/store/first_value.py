"""When customers began to pay, and the first day from then on that they got value of the product."""

from datetime import date
from typing import Any

from sqlalchemy import and_, case, func, select

from hub.store.labels import paid
from hub.store.store import Connection
from hub.store.tables import feature_usage_day, subscription, user_activity_day


async def find_first_value(
    connection: Connection, *, first: date, last: date, today: date, users: int, event: str | None
) -> list[Any]:
    """Customers whose first paid term began from `first` to `last`, with their first day of value by `today`.

    users, event  a day of value has use by so many distinct users; where `event` names a feature, use of that one

    Returns rows of customer_id, started_on, ended_on (None: a paid term runs on), value_on (None: not yet), in order
    of customer.
    """
    term = subscription.c
    starts = (
        select(
            term.customer_id,
            func.min(term.started_on).label("started_on"),
            case((func.count() == func.count(term.ended_on), func.max(term.ended_on))).label("ended_on"),
        )
        .where(term.customer_id.is_not(None), paid(term))
        .group_by(term.customer_id)
        .having(func.min(term.started_on).between(first, last))
        .subquery()
    )
    use = (user_activity_day if event is None else feature_usage_day).c
    days = (
        select(use.customer_id, use.day)
        .join(starts, and_(starts.c.customer_id == use.customer_id, use.day >= starts.c.started_on))
        .where(use.deleted.is_(False), use.events > 0, use.day <= today)
    )
    if event is None:
        days = days.group_by(use.customer_id, use.day).having(func.count(use.user_key.distinct()) >= users)
    else:
        days = days.where(use.feature == event)
    of_value = days.subquery()
    reached = (
        select(of_value.c.customer_id, func.min(of_value.c.day).label("value_on"))
        .group_by(of_value.c.customer_id)
        .subquery()
    )
    statement = (
        select(starts.c.customer_id, starts.c.started_on, starts.c.ended_on, reached.c.value_on)
        .outerjoin(reached, reached.c.customer_id == starts.c.customer_id)
        .order_by(starts.c.customer_id)
    )
    return list((await connection.execute(statement)).all())


async def find_use_since(connection: Connection, *, event: str | None) -> date | None:
    """The first day of which there are records of use; None where there are none."""
    table = user_activity_day if event is None else feature_usage_day
    found: date | None = (await connection.execute(select(func.min(table.c.day)))).scalar()
    return found
