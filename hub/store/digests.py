"""Messages that wait for their CSM's digest, and what becomes of them when it is made."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Select, bindparam, select, update

from hub.model.actions import DeliveryState
from hub.store.books import of_book
from hub.store.inbox import ARR, LATEST
from hub.store.stops import sendable
from hub.store.store import Connection
from hub.store.tables import customer, delivery, scorecard


async def put_into_digest(connection: Connection, due: Mapping[str, datetime], *, detail: str) -> None:
    """{id of a message that waits: when its digest is due}: it gives its place away and waits for that."""
    if not due:
        return
    statement = (
        update(delivery)
        .where(
            delivery.c.id == bindparam("delivery"),
            delivery.c.state == DeliveryState.RESERVED.value,
            delivery.c.attempts == 0,
        )
        .values(
            state=DeliveryState.HELD.value,
            held="digest",
            not_before=bindparam("at", type_=delivery.c.not_before.type),
            counts_on=None,
            turn_at=delivery.c.reserved_at,
            error=detail,
        )
    )
    await connection.execute(statement, [{"delivery": id_, "at": at} for id_, at in due.items()])


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """A message that waits for a digest, with what is known of its customer now. arr: a year's revenue."""

    id: str
    owner_email: str
    channel: str
    subject: str | None
    payload: Mapping[str, Any]
    severity: str
    reason_key: str | None
    not_before: datetime
    reserved_at: datetime
    run_id: str | None
    customer_id: str
    customer_name: str | None
    churn_risk: float | None
    arr: float | None


async def find_waiting(
    connection: Connection,
    *,
    book: str | None,
    due_by: datetime | None = None,
    owner: str | None = None,
    lock: bool = False,
) -> list[Waiting]:
    """Messages that wait for a digest, of no stopped playbook; `due_by`: only those whose digest is due by then."""
    statement = _waiting().where(await sendable(connection), *of_book(delivery.c.customer_id, book))
    if due_by is not None:
        statement = statement.where(delivery.c.not_before <= due_by)
    if owner is not None:
        statement = statement.where(delivery.c.owner_email == owner.lower())
    if lock:
        statement = statement.with_for_update(of=delivery)
    rows = (await connection.execute(statement.order_by(delivery.c.reserved_at, delivery.c.id))).mappings()
    return [Waiting(**row) for row in rows]


def _waiting() -> Select[Any]:
    known = {"customer_name", "churn_risk", "arr"}
    names = [delivery.c[name] for name in Waiting.__dataclass_fields__ if name not in known]
    return (
        select(*names, customer.c.name.label("customer_name"), scorecard.c.churn_risk, ARR.label("arr"))
        .join(customer, customer.c.id == delivery.c.customer_id)
        .join(scorecard, LATEST, isouter=True)
        .where(delivery.c.state == DeliveryState.HELD.value)
    )


async def tell_in(connection: Connection, ids: Iterable[str], *, digest_id: str, detail: str) -> None:
    """These messages are told in a digest, and by themselves no more."""
    statement = (
        update(delivery)
        .where(delivery.c.id == bindparam("delivery"), delivery.c.state == DeliveryState.HELD.value)
        .values(state=DeliveryState.SUPPRESSED.value, held_by=digest_id, error=detail, not_before=None)
    )
    rows = [{"delivery": id_} for id_ in ids]
    if rows:
        await connection.execute(statement, rows)


async def put_off(connection: Connection, due: Mapping[str, datetime]) -> None:
    """{id of a message that waits for a digest: when the next one is due}."""
    if due:
        at = bindparam("at", type_=delivery.c.not_before.type)
        statement = update(delivery).where(delivery.c.id == bindparam("delivery")).values(not_before=at)
        await connection.execute(statement, [{"delivery": id_, "at": at} for id_, at in due.items()])
