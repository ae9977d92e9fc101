"""Facts of the CSM's own judgement: the sentiment in force on a day, and how old it is.

In force is the newest that was given by the day, had not expired and was not withdrawn by its end.
"""

from typing import Any

from sqlalchemy import and_, func, or_, select

from hub.store.facts.columns import Columns
from hub.store.facts.window import Window
from hub.store.store import Connection
from hub.store.tables import sentiment

NAMES = ("sentiment", "sentiment_age_days")


async def add(connection: Connection, window: Window, columns: Columns) -> None:
    """Add the facts of `NAMES`."""
    ranked = in_force(window).subquery()
    statement = select(ranked).where(ranked.c.rank == 1)
    rows = (await connection.execute(statement)).all()
    columns.fill(rows, ["sentiment"])
    columns.take_days(rows, "set_at", "sentiment_age_days", lambda at: (window.day - at.date()).days)  # type: ignore[attr-defined]  # a datetime column


def in_force(window: Window) -> Any:
    """Sentiments in force on the day, with `rank`: 1 is a customer's newest."""
    row = sentiment.c
    rank = func.row_number().over(partition_by=row.customer_id, order_by=[row.set_at.desc(), row.id.desc()])
    return select(row.customer_id, row.value.label("sentiment"), row.set_at, rank.label("rank")).where(
        window.asked(row.customer_id),
        and_(row.set_at < window.end, or_(row.expires_on.is_(None), row.expires_on >= window.day)),
        or_(row.withdrawn_at.is_(None), row.withdrawn_at >= window.end),
    )
