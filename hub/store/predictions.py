"""Stored churn predictions of models, looked at after the fact: on which days a model spoke, and what it said then.

What is shown to people is `hub.store.scorecards`' and the query engine's; here the predictions nobody saw count as much.
"""

from collections.abc import Sequence
from datetime import date

from sqlalchemy import select

from hub.store.store import Connection
from hub.store.tables import churn_prediction

BATCH = 2_000


async def find_days(connection: Connection, version: str, *, since: date, until: date) -> list[date]:
    """The days from `since` to `until` of which a model has predictions, the oldest first."""
    row = churn_prediction.c
    statement = (
        select(row.as_of)
        .where(row.model_version == version, row.as_of >= since, row.as_of <= until)
        .distinct()
        .order_by(row.as_of)
    )
    return list((await connection.execute(statement)).scalars())


async def find_newest_day(connection: Connection, version: str, *, until: date) -> date | None:
    """The newest day up to `until` of which a model has predictions."""
    row = churn_prediction.c
    statement = select(row.as_of).where(row.model_version == version, row.as_of <= until).order_by(row.as_of.desc())
    newest: date | None = (await connection.execute(statement.limit(1))).scalar()
    return newest


async def find_probabilities(
    connection: Connection, version: str, *, as_of: date, customer_ids: Sequence[str]
) -> dict[str, float]:
    """{customer: what the model said of it on a day}; of whom it said nothing, or was not asked, is not in it."""
    row = churn_prediction.c
    found: dict[str, float] = {}
    for start in range(0, len(customer_ids), BATCH):
        statement = select(row.customer_id, row.probability).where(
            row.model_version == version,
            row.as_of == as_of,
            row.probability.is_not(None),
            row.customer_id.in_(customer_ids[start : start + BATCH]),
        )
        found.update((each.customer_id, each.probability) for each in await connection.execute(statement))
    return found
