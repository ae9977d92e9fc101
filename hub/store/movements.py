"""Who moved between bands of health since a day: counts by the band then and the band now, in one statement."""

from dataclasses import dataclass
from datetime import date

from sqlalchemy import and_, func, select

from hub.model.conditions import Condition
from hub.store.conditions import clause
from hub.store.store import Connection
from hub.store.tables import customer, scorecard


@dataclass(frozen=True, slots=True, kw_only=True)
class Movement:
    """before: the band of the newest scorecard up to the day; after: of the newest of all. None: no score, or no scorecard."""

    before: str | None
    after: str | None
    count: int


async def count_movements(
    connection: Connection, *, since: date, condition: Condition | None, book: str | None, today: date
) -> list[Movement]:
    """Customers that have a scorecard, by their band on the day and now; in no order."""
    then = scorecard.alias("then")
    newest_then = (
        select(func.max(scorecard.c.as_of))
        .where(scorecard.c.customer_id == customer.c.id, scorecard.c.as_of <= since)
        .correlate(customer)
        .scalar_subquery()
    )
    statement = (
        select(then.c.band.label("before"), scorecard.c.band.label("after"), func.count().label("count"))
        .select_from(
            customer.join(scorecard, and_(scorecard.c.customer_id == customer.c.id, scorecard.c.latest)).outerjoin(
                then, and_(then.c.customer_id == customer.c.id, then.c.as_of == newest_then)
            )
        )
        .where(customer.c.merged_into_id.is_(None))
        .group_by(then.c.band, scorecard.c.band)
    )
    if book is not None:
        statement = statement.where(customer.c.csm_email == book)
    if condition is not None:
        statement = statement.where(clause(condition, today=today))
    return [Movement(before=row.before, after=row.after, count=row[2]) for row in await connection.execute(statement)]
