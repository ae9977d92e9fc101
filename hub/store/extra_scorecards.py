"""Extra scorecards: other definitions read beside the main one, one row a customer, day and name.

They keep the same days as the scorecard, and have no facts of their own: those are the scorecard's of the day.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from sqlalchemy import or_, select, update

from hub.store.bulk import write_rows
from hub.store.daily import batches
from hub.store.scorecards import Read
from hub.store.store import Connection
from hub.store.tables import customer, extra_scorecard


@dataclass(frozen=True, slots=True, kw_only=True)
class ExtraScorecard:
    """What the extra definition `name` says of a customer on a day; health None with the reason."""

    customer_id: str
    as_of: date
    name: str
    health: float | None
    band: str | None
    coverage: float
    reason: str | None
    readings: Sequence[Mapping[str, Any]] = field(repr=False)
    definition_hash: str
    computed_at: datetime
    latest: bool


async def put_extras(connection: Connection, cards: Sequence[Mapping[str, Any]], *, as_of: date, replace: bool) -> None:
    """Write the extra scorecards of a day, those of any names; see hub.store.scorecards.put."""
    newest = dict.fromkeys(card["customer_id"] for card in cards if card["latest"])
    for ids in batches(newest):
        await connection.execute(
            update(extra_scorecard)
            .where(extra_scorecard.c.customer_id.in_(ids), extra_scorecard.c.latest, extra_scorecard.c.as_of < as_of)
            .values(latest=False)
        )
    rows = [{"id": f"{card['customer_id']}:{as_of}:{card['name']}", **card} for card in cards]
    await write_rows(connection, extra_scorecard, rows, replace=replace)


async def retire_extras(connection: Connection, *, as_of: date, names: Sequence[str]) -> None:
    """After everybody was scored as of a day: the newest are those of the day, by the names there are."""
    row = extra_scorecard.c
    gone = or_(row.as_of < as_of, row.name.not_in(list(names)))
    await connection.execute(update(extra_scorecard).where(row.latest, gone).values(latest=False))


async def find_extra(
    connection: Connection, customer_id: str, name: str, *, until: date | None = None
) -> ExtraScorecard | None:
    """The customer's newest of this name, or the newest of those up to a day."""
    columns = [extra_scorecard.c[each] for each in ExtraScorecard.__dataclass_fields__]
    statement = (
        select(*columns)
        .where(extra_scorecard.c.customer_id == customer_id, extra_scorecard.c.name == name)
        .order_by(extra_scorecard.c.as_of.desc())
        .limit(1)
    )
    if until is not None:
        statement = statement.where(extra_scorecard.c.as_of <= until)
    row = (await connection.execute(statement)).mappings().one_or_none()
    return None if row is None else ExtraScorecard(**row)


async def find_extra_names(connection: Connection, customer_id: str) -> list[str]:
    """The names a customer has extra scorecards of, sorted."""
    statement = select(extra_scorecard.c.name).where(extra_scorecard.c.customer_id == customer_id).distinct()
    return sorted((await connection.execute(statement)).scalars())


async def find_extra_readings_before(
    connection: Connection, name: str, customer_ids: Iterable[str], *, as_of: date
) -> dict[str, Read]:
    """{customer id: day and readings of the newest extra scorecard of this name before the day}."""
    found: dict[str, Read] = {}
    for ids in batches(customer_ids):
        newest_id = (
            select(extra_scorecard.c.id)
            .where(
                extra_scorecard.c.customer_id == customer.c.id,
                extra_scorecard.c.name == name,
                extra_scorecard.c.as_of < as_of,
            )
            .order_by(extra_scorecard.c.as_of.desc())
            .limit(1)
            .correlate(customer)
            .scalar_subquery()
        )
        newest = select(newest_id.label("id")).where(customer.c.id.in_(ids)).subquery()
        columns = extra_scorecard.c.customer_id, extra_scorecard.c.as_of, extra_scorecard.c.readings
        statement = select(*columns).join(newest, newest.c.id == extra_scorecard.c.id)
        found.update((row.customer_id, (row.as_of, row.readings)) for row in await connection.execute(statement))
    return found
