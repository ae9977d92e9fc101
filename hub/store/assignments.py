"""Whose customers are by our own word: one assignment in force at most, written set-wise, and kept after it has ended.

While one is in force, `customer.csm_email` and `csm_name` are what it says, whatever the sources say; the table itself is the
history of it. Given back, the customer is again whose the source that made it says.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, bindparam, func, select, update

from hub.model.actions import AlertState
from hub.store.among import among
from hub.store.events import note_alerts
from hub.store.store import Connection
from hub.store.tables import alert, csm_assignment, customer, external_id
from hub.store.tables.base import UtcDateTime


@dataclass(frozen=True, slots=True)
class Owned:
    """Whose a customer is, whose it would be by the source that made it, and whether our own word is in force."""

    customer_id: str
    name: str
    csm_email: str | None
    csm_name: str | None
    said_email: str | None
    said_name: str | None
    assigned: bool


def is_assigned() -> ColumnElement[bool]:
    """Of a row of `customer` in the statement around: whether an assignment is in force."""
    row = csm_assignment.c
    return select(row.id).where(row.customer_id == customer.c.id, row.ended_at.is_(None)).correlate(customer).exists()


async def find_owned(connection: Connection, customer_ids: Collection[str]) -> list[Owned]:
    """Those of the customers that there are, in order of id; nobody else changes them until the transaction ends."""
    said = external_id.alias("said")
    statement = (
        select(
            customer.c.id,
            customer.c.name,
            customer.c.csm_email,
            customer.c.csm_name,
            func.lower(said.c.csm_email),
            said.c.csm_name,
            is_assigned().label("assigned"),
        )
        .outerjoin(said, (said.c.customer_id == customer.c.id) & (said.c.method == "created"))
        .where(among(connection, customer.c.id, list(customer_ids)), customer.c.merged_into_id.is_(None))
        .order_by(customer.c.id)
        .with_for_update(of=customer)
    )
    found = {row.id: Owned(*row) for row in await connection.execute(statement)}
    return list(found.values())


async def find_name(connection: Connection, csm_email: str) -> str | None:
    """What the sources call the CSM of this address."""
    row = customer.c
    statement = select(func.max(row.csm_name)).where(row.csm_email == csm_email, row.csm_name.is_not(None))
    name: str | None = (await connection.execute(statement)).scalar()
    return name


async def end_assignments(connection: Connection, customer_ids: Collection[str], *, by: str, now: datetime) -> None:
    row = csm_assignment.c
    which = among(connection, row.customer_id, list(customer_ids))
    await connection.execute(
        update(csm_assignment).where(which, row.ended_at.is_(None)).values(ended_at=now, ended_by=by)
    )


async def add_assignments(connection: Connection, rows: Sequence[Mapping[str, Any]]) -> None:
    """Rows of id, customer_id, csm_email, csm_name, reason, by and at."""
    if rows:
        await connection.execute(csm_assignment.insert(), list(rows))


async def hand_over(connection: Connection, rows: Sequence[Mapping[str, Any]], *, now: datetime) -> None:
    """Give customers to others: {customer, before, email, name} each.

    What is open and was the former CSM's becomes the new one's: it would be in nobody's sight, where a CSM sees no more than
    the customers that are its own.
    """
    at = bindparam("now", type_=UtcDateTime)
    email = bindparam("new_email", type_=customer.c.csm_email.type)
    name = bindparam("new_name", type_=customer.c.csm_name.type)
    await connection.execute(
        update(customer)
        .where(customer.c.id == bindparam("customer"))
        .values(csm_email=email, csm_name=name, updated_at=at),
        [{"customer": row["customer"], "new_email": row["email"], "new_name": row["name"], "now": now} for row in rows],
    )
    ids = [row["customer"] for row in rows if row["before"] is not None]
    open_ = (among(connection, alert.c.customer_id, ids), alert.c.state != AlertState.CLOSED.value)
    former = {row["customer"]: row["before"] for row in rows}
    statement = select(alert.c.id, alert.c.customer_id, alert.c.owner_email).where(*open_)
    found = await connection.execute(statement) if ids else ()
    news = {row["customer"]: row["email"] for row in rows}
    moved = [
        {"alert": row.id, "new_email": news[row.customer_id], "now": now}
        for row in found
        if row.owner_email is not None and row.owner_email.lower() == former[row.customer_id]
    ]
    if moved:
        await connection.execute(
            update(alert).where(alert.c.id == bindparam("alert")).values(owner_email=email, updated_at=at), moved
        )
        which = among(connection, alert.c.id, [row["alert"] for row in moved])
        await note_alerts(connection, which, change="changed", at=now)
