"""Roll-ups of parent customers: who is below whom, the scorecards they are made of, and what was made of them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import func, or_, select, update

from hub.model.conditions import Field
from hub.store.bulk import write_rows
from hub.store.conditions import column_of
from hub.store.daily import batches
from hub.store.store import Connection
from hub.store.tables import customer, rollup_scorecard, scorecard


@dataclass(frozen=True, slots=True, kw_only=True)
class RolledUp:
    """A parent's roll-up of a day; parts: [{customer_id, name, score, weight, contribution}] that add up to health."""

    customer_id: str
    as_of: date
    method: str
    health: float | None
    band: str | None
    customers: int
    note: str | None
    parts: Sequence[Mapping[str, Any]]
    computed_at: datetime


async def find_links(connection: Connection) -> dict[str, str]:
    """{child: parent}; who was merged is the one it was merged into, as a parent, and nobody as a child."""
    above = customer.alias("above")
    parent = func.coalesce(above.c.merged_into_id, above.c.id).label("parent_id")
    statement = (
        select(customer.c.id, parent)
        .join(above, above.c.id == customer.c.parent_id)
        .where(customer.c.merged_into_id.is_(None))
        .order_by(customer.c.id)
    )
    return {row.id: row.parent_id for row in await connection.execute(statement)}


async def find_family_cards(connection: Connection, *, as_of: date, newest: bool) -> dict[str, list[Any]]:
    """The scorecards of the day of everybody who has a parent or is one; `newest`: each one's newest, which may be older.

    Returns columns customer_id, name, health (in force) and value (recurring revenue a month), None where there is none.
    """
    parents = select(func.coalesce(customer.c.merged_into_id, customer.c.id)).where(
        customer.c.id.in_(select(customer.c.parent_id).where(customer.c.parent_id.is_not(None)))
    )
    statement = (
        select(
            scorecard.c.customer_id,
            customer.c.name,
            scorecard.c.health,
            column_of(Field("mrr", "number")).label("value"),
        )
        .join(customer, customer.c.id == scorecard.c.customer_id)
        .where(or_(customer.c.parent_id.is_not(None), customer.c.id.in_(parents)))
        .where(scorecard.c.latest if newest else scorecard.c.as_of == as_of)
        .order_by(scorecard.c.customer_id)
    )
    rows = (await connection.execute(statement)).all()
    return {name: [getattr(row, name) for row in rows] for name in ("customer_id", "name", "health", "value")}


async def put_rollups(connection: Connection, rows: Sequence[Mapping[str, Any]], *, as_of: date, replace: bool) -> None:
    """Write the roll-ups of a day; the newest of each parent is marked."""
    row = rollup_scorecard.c
    later: set[str] = set()
    for ids in batches(each["customer_id"] for each in rows):
        found = await connection.execute(select(row.customer_id).where(row.customer_id.in_(ids), row.as_of > as_of))
        later |= set(found.scalars())
    for ids in batches(each["customer_id"] for each in rows if each["customer_id"] not in later):
        older = row.customer_id.in_(ids), row.latest, row.as_of < as_of
        await connection.execute(update(rollup_scorecard).where(*older).values(latest=False))
    made = [
        {"id": f"{each['customer_id']}:{as_of}", **each, "latest": each["customer_id"] not in later} for each in rows
    ]
    await write_rows(connection, rollup_scorecard, made, replace=replace)


async def retire_rollups(connection: Connection, *, as_of: date) -> None:
    """After everybody was rolled up as of a day: who has no roll-up of it is a parent no more, and has no latest one."""
    row = rollup_scorecard.c
    await connection.execute(update(rollup_scorecard).where(row.latest, row.as_of < as_of).values(latest=False))


async def find_rollup(connection: Connection, customer_id: str, *, until: date | None = None) -> RolledUp | None:
    """The parent's newest roll-up, or the newest of those up to a day."""
    columns = [rollup_scorecard.c[each] for each in RolledUp.__dataclass_fields__]
    row = rollup_scorecard.c
    statement = select(*columns).where(row.customer_id == customer_id).order_by(row.as_of.desc()).limit(1)
    if until is not None:
        statement = statement.where(row.as_of <= until)
    found = (await connection.execute(statement)).mappings().one_or_none()
    return None if found is None else RolledUp(**found)
