"""What the attention budget reads and writes: what was said already, which calls are open, whose day is full."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import and_, bindparam, case, func, or_, select, text, update

from hub.model.actions import AlertState, DeliveryState
from hub.store.among import among
from hub.store.events import note_alerts
from hub.store.runs import insert_missing
from hub.store.store import Connection
from hub.store.tables import alert, delivery, playbook_run, withheld_call

BATCH = 5_000
_LOCK = 7_281_530_115  # any number, the same in every process


async def begin(connection: Connection) -> None:
    """Let others who want to plan wait until this transaction ends: each is to see what the ones before it let through.

    SQLite has one writing transaction at a time anyway.
    """
    if connection.dialect.name == "postgresql":
        await connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """A message that was sent, or is to be, or stands in a digest."""

    id: str
    customer_id: str
    reason_key: str
    channel: str
    address: str
    severity: str
    run_id: str
    playbook: str
    reserved_at: datetime


async def find_said(
    connection: Connection, *, customer_ids: Iterable[str], reason_keys: Collection[str], since: datetime
) -> list[Said]:
    """Messages to our own people about these customers for these reasons, oldest first."""
    names = [delivery.c[name] for name in Said.__dataclass_fields__ if name != "playbook"]
    found: list[Said] = []
    for ids in _batches(customer_ids):
        statement = (
            select(*names, playbook_run.c.playbook)
            .join(playbook_run, playbook_run.c.id == delivery.c.run_id)
            .where(
                delivery.c.customer_id.in_(ids),
                delivery.c.reason_key.in_(sorted(reason_keys)),
                delivery.c.audience.in_(["csm", "team"]),
                delivery.c.reserved_at > since,
                delivery.c.state != DeliveryState.FAILED.value,
                or_(delivery.c.state != DeliveryState.SUPPRESSED.value, delivery.c.held == "digest"),
            )
            .order_by(delivery.c.reserved_at, delivery.c.id)
        )
        found += [Said(**row) for row in (await connection.execute(statement)).mappings()]
    return found


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenCall:
    """An alert or task that a playbook opened and nobody closed."""

    id: str
    customer_id: str
    reason_key: str
    kind: str
    severity: str
    playbook: str
    title: str


async def find_open_calls(
    connection: Connection, *, customer_ids: Iterable[str], reason_keys: Collection[str]
) -> list[OpenCall]:
    """Oldest first."""
    names = [alert.c[name] for name in OpenCall.__dataclass_fields__ if name != "playbook"]
    found: list[OpenCall] = []
    for ids in _batches(customer_ids):
        statement = (
            select(*names, playbook_run.c.playbook)
            .join(playbook_run, playbook_run.c.id == alert.c.run_id)
            .where(
                alert.c.customer_id.in_(ids),
                alert.c.reason_key.in_(sorted(reason_keys)),
                alert.c.state != AlertState.CLOSED.value,
            )
            .order_by(alert.c.opened_at, alert.c.id)
        )
        found += [OpenCall(**row) for row in (await connection.execute(statement)).mappings()]
    return found


async def raise_severity(connection: Connection, severities: Mapping[str, str], *, now: datetime) -> None:
    """{alert's id: its new severity}."""
    if severities:
        statement = update(alert).where(alert.c.id == bindparam("alert")).values(severity=bindparam("new"))
        rows = [{"alert": id_, "new": severity} for id_, severity in severities.items()]
        await connection.execute(statement.values(updated_at=now), rows)
        await note_alerts(connection, among(connection, alert.c.id, severities), change="changed", at=now)


async def keep_withheld(connection: Connection, rows: Sequence[Mapping[str, Any]]) -> None:
    """Calls that were not opened, with why; the same one twice is one."""
    if rows:
        await connection.execute(insert_missing(connection, withheld_call), list(rows))


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A message that takes one of the places of its CSM's day. free: it has not gone yet, and may give its place away."""

    id: str
    owner_email: str
    counts_on: date
    rank: float
    free: bool


async def find_places(
    connection: Connection, *, owners: Collection[str], days: Collection[date], now: datetime
) -> list[Place]:
    """Those of these CSMs' days, first come first."""
    waits = and_(
        delivery.c.state == DeliveryState.RESERVED.value,
        delivery.c.held == "hours",
        delivery.c.attempts == 0,
        delivery.c.not_before > now,
    )
    counted = delivery.c.state.not_in([DeliveryState.SUPPRESSED.value, DeliveryState.FAILED.value])
    statement = (
        select(
            delivery.c.id,
            delivery.c.owner_email,
            delivery.c.counts_on,
            func.coalesce(delivery.c.rank, 0.0).label("rank"),
            case((waits, 1), else_=0).label("free"),
        )
        .where(delivery.c.owner_email.in_(sorted(owners)), delivery.c.counts_on.in_(sorted(days)), counted)
        .order_by(delivery.c.reserved_at, delivery.c.id)
    )
    return [Place(**{**row, "free": bool(row["free"])}) for row in (await connection.execute(statement)).mappings()]


def _batches(values: Iterable[str]) -> Iterator[list[str]]:
    wanted = sorted(set(values))
    for start in range(0, len(wanted), BATCH):
        yield wanted[start : start + BATCH]
