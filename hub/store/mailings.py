"""What the rules of mail to customers ask the store: how much a contact got lately, and where its company is."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import func, select

from hub.model.actions import DeliveryState
from hub.store.store import Connection
from hub.store.tables import customer, delivery

COUNTED = (
    DeliveryState.HELD,
    DeliveryState.RESERVED,
    DeliveryState.SENT,
    DeliveryState.CONFIRMED,
    DeliveryState.UNKNOWN,
)

PACING = 7_281_530_116
"""The advisory lock of those who pace mail: any number, the same in every process."""


async def find_recent(
    connection: Connection, addresses: Sequence[str], customer_ids: Sequence[str], *, since: datetime
) -> dict[str, list[datetime]]:
    """{address in small letters: when it was or will be sent mail to customers, since then}, without what never is.

    Others who ask wait until this transaction ends, so that two workers never both find room for the last mail of a week.
    """
    if connection.dialect.name == "postgresql":  # SQLite has one writer anyway
        await connection.execute(select(func.pg_advisory_xact_lock(PACING)))
    row = delivery.c
    at = func.coalesce(row.sent_at, row.not_before, row.reserved_at).label("at")
    statement = select(func.lower(row.address), at).where(
        row.customer_id.in_(sorted(set(customer_ids))),
        row.reserved_at > since,
        row.channel == "email",
        row.audience == "customer",
        func.lower(row.address).in_(sorted({address.lower() for address in addresses})),
        row.state.in_([state.value for state in COUNTED]),
    )
    found: dict[str, list[datetime]] = {}
    for address, moment in await connection.execute(statement):
        found.setdefault(address, []).append(moment)
    return found


async def find_countries(connection: Connection, customer_ids: Sequence[str]) -> dict[str, str]:
    """{customer: its country}, of those that have one."""
    row = customer.c
    statement = select(row.id, row.country).where(row.id.in_(sorted(set(customer_ids))), row.country.is_not(None))
    return {each.id: each.country for each in await connection.execute(statement)}
