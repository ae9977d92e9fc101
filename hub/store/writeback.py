"""What a source's companies are to be given back, and what they were given: one statement, however many there are."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import and_, select

from hub.store.bulk import write_rows
from hub.store.store import Connection
from hub.store.tables import customer, external_id, scorecard, written_value


async def find_standing(connection: Connection, source: str) -> list[Any]:
    """(key, name, health, band, churn_risk, churn_band, scored_on, written) of every company of the source that is a customer.

    written  what it was given last, a mapping; None: nothing
    """
    row, newest, was = external_id.c, scorecard.c, written_value.c
    statement = (
        select(
            row.key,
            customer.c.name,
            newest.health,
            newest.band,
            newest.churn_risk,
            newest.churn_band,
            newest.as_of.label("scored_on"),
            was["values"].label("written"),
        )
        .join(customer, customer.c.id == row.customer_id)
        .join(scorecard, and_(newest.customer_id == row.customer_id, newest.latest.is_(True)))
        .outerjoin(written_value, and_(was.source == row.source, was.key == row.key))
        .where(row.source == source, row.deleted.is_(False), row.digest != 0)
        .order_by(row.key)
    )
    return list((await connection.execute(statement)).all())


async def note_written(connection: Connection, rows: Sequence[Mapping[str, Any]]) -> None:
    """{id, source, key, values, written_at, error, tried_at} of rows that were tried."""
    await write_rows(connection, written_value, rows, replace=True)
