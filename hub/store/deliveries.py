"""The delivery ledger's rows: reserved once per dedup key, and what became of them; hub.store.claims says whose turn it is."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Row, and_, bindparam, func, literal, or_, select, update

from hub.model.actions import Delivery, DeliveryState, RunState
from hub.store.asking import Asking, several
from hub.store.bulk import insert_new
from hub.store.store import Connection
from hub.store.tables import delivery, playbook_run
from hub.store.tables.base import UtcDateTime


async def reserve(connection: Connection, rows: Sequence[Mapping[str, Any]]) -> list[str]:
    """Write down messages to send; return the ids of those that are new. The same dedup key twice is one row.

    Their order is kept: of rows with one `reserved_at` each is a microsecond after the one before it.
    """
    if not rows:
        return []
    times = [row["reserved_at"] + timedelta(microseconds=n) for n, row in enumerate(rows)]
    in_order = [
        {**row, "reserved_at": at, "turn_at": row.get("turn_at") or at} for row, at in zip(rows, times, strict=True)
    ]
    return sorted(await insert_new(connection, delivery, in_order))


async def confirm(
    connection: Connection, taken: Sequence[tuple[Delivery, Mapping[str, Any]]], *, executor: str, now: datetime
) -> None:
    """These were taken, each with its receipt. Also where a sweep thought one lost: who sent it knows better."""
    statement = (
        update(delivery)
        .where(
            delivery.c.id == bindparam("sent"),
            delivery.c.claimed_by == executor,
            or_(delivery.c.state == DeliveryState.SENT.value, delivery.c.state == DeliveryState.UNKNOWN.value),
        )
        .values(
            state=DeliveryState.CONFIRMED.value,
            receipt=bindparam("told", type_=delivery.c.receipt.type),
            confirmed_at=now,
            error=None,
        )
    )
    await connection.execute(statement, [{"sent": sent.id, "told": dict(receipt)} for sent, receipt in taken])


async def put_back(
    connection: Connection,
    sent: Delivery,
    *,
    executor: str,
    reason: str,
    not_before: datetime,
    doubted_at: datetime | None = None,
) -> None:
    """Try again then: surely not sent, or `doubted_at` sent perhaps to somebody who knows it again."""
    await _settle(
        connection,
        sent.id,
        executor,
        {
            "state": DeliveryState.RESERVED.value,
            "error": reason,
            "not_before": not_before,
            "claimed_by": None,
            "doubted_at": sent.doubted_at or doubted_at,
        },
    )


async def unclaim(connection: Connection, sent: Delivery, *, executor: str) -> None:
    """It was claimed and not tried: as if it had never been."""
    await _settle(
        connection,
        sent.id,
        executor,
        {"state": DeliveryState.RESERVED.value, "attempts": sent.attempts - 1, "claimed_by": None, "sent_at": None},
    )


async def postpone(connection: Connection, sent: Delivery, *, executor: str, until: datetime, now: datetime) -> None:
    """It was claimed and not tried, for it may not go out before `until`; until then its expiry stands still."""
    expires_at = None if sent.expires_at is None else sent.expires_at + (until - now)
    values = {"state": DeliveryState.RESERVED.value, "attempts": sent.attempts - 1, "claimed_by": None, "sent_at": None}
    await _settle(connection, sent.id, executor, {**values, "not_before": until, "expires_at": expires_at})


async def suppress(connection: Connection, id_: str, *, executor: str, reason: str) -> None:
    """It was claimed and not tried, and never will be."""
    await _settle(
        connection, id_, executor, {"state": DeliveryState.SUPPRESSED.value, "error": reason, "sent_at": None}
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


async def doubt(connection: Connection, sent: Delivery, *, executor: str, reason: str, now: datetime) -> None:
    """It may have been sent; a person decides."""
    values = {"state": DeliveryState.UNKNOWN.value, "error": reason, "doubted_at": sent.doubted_at or now}
    await _settle(connection, sent.id, executor, values)


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
    known = delivery.c.state == DeliveryState.SENT.value, delivery.c.claimed_by.is_not(None)
    return set((await connection.execute(select(delivery.c.claimed_by).where(*known).distinct())).scalars())


async def doubt_abandoned(
    connection: Connection,
    *,
    alive: Collection[str],
    gone: Collection[str],
    own: str,
    under_way: Collection[str],
    claimed_by: datetime,
    reason: str,
    now: datetime,
    recognised: Collection[str] = (),
) -> list[str]:
    """Messages that nobody is sending any more become unknown; returns their ids.

    Those of channels that recognise a message (`recognised`) are reserved again instead.

    Those of a process that is surely `gone`; those claimed before `claimed_by` by one not `alive`, by nobody who is known, or
    by our `own` process that is not `under_way` with them (the store failed it when it wanted to note the answer).
    """
    nobody = or_(
        delivery.c.claimed_by.is_(None),
        delivery.c.claimed_by.not_in(list(alive)),
        and_(delivery.c.claimed_by == own, delivery.c.id.not_in(list(under_way))),
    )
    silent = and_(delivery.c.sent_at <= claimed_by, nobody)
    where = and_(
        delivery.c.state == DeliveryState.SENT.value,
        or_(delivery.c.claimed_by.in_(list(gone)), silent),
    )
    doubted_at = func.coalesce(delivery.c.doubted_at, literal(now, UtcDateTime()))
    again = update(delivery).where(where, delivery.c.channel.in_(list(recognised)))
    await connection.execute(
        again.values(state=DeliveryState.RESERVED.value, error=reason, doubted_at=doubted_at, claimed_by=None)
    )
    statement = update(delivery).where(where)
    lost = statement.values(state=DeliveryState.UNKNOWN.value, error=reason, doubted_at=doubted_at)
    return sorted((await connection.execute(lost.returning(delivery.c.id))).scalars())


async def release(connection: Connection, ids: Iterable[str], *, note: str) -> list[str]:
    """A person wants failed or unknown messages sent after all: reserve them anew; return which."""
    statement = (
        update(delivery)
        .where(
            delivery.c.id.in_(list(ids)),
            delivery.c.state.in_([DeliveryState.FAILED.value, DeliveryState.UNKNOWN.value]),
        )
        .values(
            state=DeliveryState.RESERVED.value,
            attempts=0,
            error=note,
            claimed_by=None,
            not_before=None,
            expires_at=None,
        )
        .returning(delivery.c.id)
    )
    return sorted((await connection.execute(statement)).scalars())


async def find_deliveries(
    connection: Connection,
    *,
    ids: Iterable[str] | None = None,
    run_ids: Iterable[str] | None = None,
    customer_ids: Iterable[str] | None = None,
    states: Iterable[DeliveryState] | None = None,
    channels: Iterable[str] | None = None,
    newest_first: bool = False,
    limit: int | None = None,
) -> list[Delivery]:
    """Deliveries that meet everything asked, oldest first."""
    asked = _DELIVERIES[newest_first].of(
        ids=ids,
        run_ids=run_ids,
        customer_ids=customer_ids,
        states=None if states is None else [state.value for state in states],
        channels=channels,
        limit=limit,
    )
    return [_delivery(row) for row in await connection.execute(*asked)]


_DELIVERIES = {
    newest_first: Asking(
        select(delivery).order_by(*order),
        ids=delivery.c.id.in_(several("ids")),
        run_ids=delivery.c.run_id.in_(several("run_ids")),
        customer_ids=delivery.c.customer_id.in_(several("customer_ids")),
        states=delivery.c.state.in_(several("states")),
        channels=delivery.c.channel.in_(several("channels")),
    )
    for newest_first, order in (
        (False, (delivery.c.reserved_at, delivery.c.id)),
        (True, (delivery.c.reserved_at.desc(), delivery.c.id.desc())),
    )
}


async def find_followed(connection: Connection, *, limit: int | None = None) -> list[Delivery]:
    """What was taken, and started something elsewhere that its run waits for."""
    statement = _FOLLOWED if limit is None else _FOLLOWED.limit(limit)
    return [_delivery(row) for row in await connection.execute(statement)]


_FOLLOWED = (
    select(delivery)
    .join(playbook_run, and_(playbook_run.c.id == delivery.c.run_id, playbook_run.c.step == delivery.c.step))
    .where(
        playbook_run.c.state == RunState.WAITING.value,
        playbook_run.c.awaits == "run",
        # not by its index: of all that was ever taken, few are of runs that wait
        func.coalesce(delivery.c.state, "") == DeliveryState.CONFIRMED.value,
    )
    .order_by(delivery.c.confirmed_at, delivery.c.id)
)


async def note_receipts(connection: Connection, receipts: Mapping[str, Mapping[str, Any]]) -> None:
    """What is known of these by now, {id: receipt}."""
    if not receipts:
        return
    told = bindparam("told", type_=delivery.c.receipt.type)
    statement = update(delivery).where(delivery.c.id == bindparam("which")).values(receipt=told)
    await connection.execute(statement, [{"which": id_, "told": dict(said)} for id_, said in receipts.items()])


def _delivery(row: Row[Any]) -> Delivery:
    known = row._mapping
    values = {name: known[name] for name in Delivery.__dataclass_fields__}
    return Delivery(**{**values, "state": DeliveryState(values["state"])})
