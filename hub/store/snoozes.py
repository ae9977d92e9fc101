"""Snoozes: until when nothing new is to come up about a customer for a reason."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Row, and_, select, update

from hub.store.books import of_book
from hub.store.runs import insert_missing
from hub.store.store import Connection
from hub.store.tables import customer, snooze

ANY = "*"
BATCH = 5_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Snooze:
    """See the module. reason_key "*": any reason."""

    id: str
    customer_id: str
    reason_key: str
    until: datetime
    made_by: str
    made_at: datetime
    note: str | None = None
    lifted_by: str | None = None
    lifted_at: datetime | None = None
    customer_name: str | None = None


async def insert(connection: Connection, row: Mapping[str, Any]) -> None:
    """The same id twice is one snooze."""
    await connection.execute(insert_missing(connection, snooze), [dict(row)])


async def find_snoozes(
    connection: Connection,
    *,
    book: str | None,
    now: datetime | None = None,
    ids: Iterable[str] | None = None,
    customer_ids: Iterable[str] | None = None,
) -> list[Snooze]:
    """Newest first; `now`: only those in force then."""
    statement = (
        select(snooze, customer.c.name.label("customer_name"))
        .join(customer, customer.c.id == snooze.c.customer_id)
        .where(*of_book(snooze.c.customer_id, book))
        .order_by(snooze.c.made_at.desc(), snooze.c.id)
    )
    if now is not None:
        statement = statement.where(_in_force(now))
    if ids is not None:
        statement = statement.where(snooze.c.id.in_(list(ids)))
    if customer_ids is None:
        return [_snooze(row) for row in await connection.execute(statement)]
    wanted = sorted(set(customer_ids))
    found: list[Snooze] = []
    for start in range(0, len(wanted), BATCH):
        some = statement.where(snooze.c.customer_id.in_(wanted[start : start + BATCH]))
        found += [_snooze(row) for row in await connection.execute(some)]
    return found


async def lift(connection: Connection, id_: str, *, by: str, now: datetime) -> bool:
    """End one in force; return whether it was."""
    statement = update(snooze).where(snooze.c.id == id_, _in_force(now)).values(lifted_by=by, lifted_at=now)
    return bool((await connection.execute(statement.returning(snooze.c.id))).scalars().all())


async def find_asleep(connection: Connection, reason_key: str, *, now: datetime) -> set[str]:
    """The customers somebody snoozed for this reason, or for any."""
    statement = select(snooze.c.customer_id).where(snooze.c.reason_key.in_([reason_key, ANY]), _in_force(now))
    return set((await connection.execute(statement)).scalars())


async def knows_customer(connection: Connection, customer_id: str) -> bool:
    statement = select(customer.c.id).where(customer.c.id == customer_id, customer.c.merged_into_id.is_(None))
    return (await connection.execute(statement)).first() is not None


def _in_force(now: datetime) -> ColumnElement[bool]:
    return and_(snooze.c.until > now, snooze.c.made_at <= now, snooze.c.lifted_at.is_(None))


def _snooze(row: Row[Any]) -> Snooze:
    return Snooze(**{name: row._mapping[name] for name in Snooze.__dataclass_fields__})
