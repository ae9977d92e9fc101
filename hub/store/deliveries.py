"""The delivery ledger's rows: reserved once per dedup key, claimed by one process at a time, one a second an address."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Row, and_, exists, func, or_, select, text, update

from hub.model.actions import Delivery, DeliveryState
from hub.store.runs import insert_missing
from hub.store.store import Connection
from hub.store.tables import delivery

INTERVAL = timedelta(seconds=1)
"""Slack takes about one message a second a channel; the same bucket serves every address of every channel."""
_CLAIM_LOCK = 7_281_530_114  # any number, the same in every process


async def reserve(connection: Connection, rows: Sequence[Mapping[str, Any]]) -> list[str]:
    """Write down messages to send; return the ids of those that are new. The same dedup key twice is one row."""
    if not rows:
        return []
    statement = insert_missing(connection, delivery).returning(delivery.c.id)
    return sorted((await connection.execute(statement, list(rows))).scalars())


async def claim(connection: Connection, *, executor: str, now: datetime, limit: int) -> list[Delivery]:
    """Mark up to `limit` due messages as sent by `executor`, one an address, none to an address used within INTERVAL."""
    if connection.dialect.name == "postgresql":  # SQLite has one writer anyway
        await connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _CLAIM_LOCK})
    recent = delivery.alias("recent")
    place = (delivery.c.channel, delivery.c.address)
    due = (
        select(delivery.c.id, func.row_number().over(partition_by=place, order_by=_turn()).label("turn"))
        .where(
            delivery.c.state == DeliveryState.RESERVED.value,
            or_(delivery.c.not_before.is_(None), delivery.c.not_before <= now),
            ~exists().where(
                recent.c.sent_at > now - INTERVAL,
                recent.c.channel == delivery.c.channel,
                recent.c.address == delivery.c.address,
            ),
        )
        .subquery()
    )
    first = select(due.c.id).where(due.c.turn == 1).order_by(due.c.id).limit(limit)
    ids = list((await connection.execute(first)).scalars())
    if not ids:
        return []
    await connection.execute(
        update(delivery)
        .where(delivery.c.id.in_(ids))
        .values(
            state=DeliveryState.SENT.value,
            claimed_by=executor,
            sent_at=now,
            attempts=delivery.c.attempts + 1,
            error=None,
            not_before=None,
        )
    )
    return await find_deliveries(connection, ids=ids)


def _turn() -> tuple[Any, ...]:
    return (delivery.c.reserved_at, delivery.c.id)


async def confirm(
    connection: Connection, id_: str, *, executor: str, receipt: Mapping[str, Any], now: datetime
) -> None:
    """It was taken. Also where a sweep thought it lost in the meantime: who sent it knows better."""
    await _settle(
        connection,
        id_,
        executor,
        {
            "state": DeliveryState.CONFIRMED.value,
            "receipt": dict(receipt),
            "confirmed_at": now,
            "error": None,
        },
    )


async def put_back(connection: Connection, sent: Delivery, *, executor: str, reason: str, not_before: datetime) -> None:
    """Surely not sent: try again then, and hold everything else for the same address until then too."""
    await _settle(
        connection,
        sent.id,
        executor,
        {"state": DeliveryState.RESERVED.value, "error": reason, "not_before": not_before, "claimed_by": None},
    )


async def hold(connection: Connection, *, channel: str, address: str, until: datetime) -> None:
    """Send nothing to this address before `until`: the other side asked for it."""
    await connection.execute(
        update(delivery)
        .where(
            delivery.c.state == DeliveryState.RESERVED.value,
            delivery.c.channel == channel,
            delivery.c.address == address,
            or_(delivery.c.not_before.is_(None), delivery.c.not_before < until),
        )
        .values(not_before=until)
    )


async def fail(connection: Connection, id_: str, *, executor: str, reason: str) -> None:
    await _settle(connection, id_, executor, {"state": DeliveryState.FAILED.value, "error": reason})


async def doubt(connection: Connection, id_: str, *, executor: str, reason: str) -> None:
    """It may have been sent; a person decides."""
    await _settle(connection, id_, executor, {"state": DeliveryState.UNKNOWN.value, "error": reason})


async def _settle(connection: Connection, id_: str, executor: str, values: Mapping[str, Any]) -> None:
    await connection.execute(
        update(delivery)
        .where(
            delivery.c.id == id_,
            delivery.c.claimed_by == executor,
            delivery.c.state.in_([DeliveryState.SENT.value, DeliveryState.UNKNOWN.value]),
        )
        .values(**values)
    )


async def find_senders(connection: Connection) -> set[str]:
    """The processes whose messages are under way, as far as the ledger knows."""
    statement = select(delivery.c.claimed_by).where(delivery.c.state == DeliveryState.SENT.value).distinct()
    return set((await connection.execute(statement)).scalars())


async def doubt_abandoned(
    connection: Connection,
    *,
    alive: Collection[str],
    gone: Collection[str],
    own: str,
    under_way: Collection[str],
    claimed_by: datetime,
    reason: str,
) -> list[str]:
    """Messages that nobody is sending any more become unknown; returns their ids.

    Those of a process that is surely `gone`; those claimed before `claimed_by` by one not `alive`, or by our `own` process
    that is not `under_way` with them (the store failed it when it wanted to note the answer).
    """
    nobody = or_(
        delivery.c.claimed_by.not_in(list(alive)),
        and_(delivery.c.claimed_by == own, delivery.c.id.not_in(list(under_way))),
    )
    silent = and_(delivery.c.sent_at <= claimed_by, nobody)
    where = and_(
        delivery.c.state == DeliveryState.SENT.value,
        or_(delivery.c.claimed_by.in_(list(gone)), silent),
    )
    statement = update(delivery).where(where).values(state=DeliveryState.UNKNOWN.value, error=reason)
    return sorted((await connection.execute(statement.returning(delivery.c.id))).scalars())


async def release(connection: Connection, ids: Iterable[str], *, note: str) -> list[str]:
    """A person wants failed or unknown messages sent after all: reserve them anew; return which."""
    statement = (
        update(delivery)
        .where(
            delivery.c.id.in_(list(ids)),
            delivery.c.state.in_([DeliveryState.FAILED.value, DeliveryState.UNKNOWN.value]),
        )
        .values(state=DeliveryState.RESERVED.value, attempts=0, error=note, claimed_by=None, not_before=None)
        .returning(delivery.c.id)
    )
    return sorted((await connection.execute(statement)).scalars())


async def next_due(connection: Connection, *, now: datetime) -> datetime | None:
    """When the next reserved message may go out; None where there is none."""
    earliest = func.min(func.coalesce(delivery.c.not_before, delivery.c.reserved_at))
    statement = select(earliest.label("at")).where(delivery.c.state == DeliveryState.RESERVED.value)
    at: datetime | None = (await connection.execute(statement)).scalar()
    if at is None:
        return None
    return max(at, now + INTERVAL) if at <= now else at


async def find_deliveries(
    connection: Connection,
    *,
    ids: Iterable[str] | None = None,
    run_ids: Iterable[str] | None = None,
    customer_ids: Iterable[str] | None = None,
    states: Iterable[DeliveryState] | None = None,
    limit: int | None = None,
) -> list[Delivery]:
    """Deliveries that meet everything asked, oldest first."""
    statement = select(delivery).order_by(*_turn())
    if ids is not None:
        statement = statement.where(delivery.c.id.in_(list(ids)))
    if run_ids is not None:
        statement = statement.where(delivery.c.run_id.in_(list(run_ids)))
    if customer_ids is not None:
        statement = statement.where(delivery.c.customer_id.in_(list(customer_ids)))
    if states is not None:
        statement = statement.where(delivery.c.state.in_([state.value for state in states]))
    if limit is not None:
        statement = statement.limit(limit)
    return [_delivery(row) for row in await connection.execute(statement)]


def _delivery(row: Row[Any]) -> Delivery:
    values = {name: row._mapping[name] for name in Delivery.__dataclass_fields__}
    return Delivery(**{**values, "state": DeliveryState(values["state"])})
