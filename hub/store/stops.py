"""The kill switch: which playbooks are stopped, and what that keeps from moving and from being sent."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Row, and_, delete, or_, select, true

from hub.store.runs import insert_missing
from hub.store.store import Connection
from hub.store.tables import delivery, playbook_run, playbook_stop

ALL = "*"
NOTHING_STOPPED = true()
_STOPS = select(playbook_stop).order_by(playbook_stop.c.playbook)
_NAMES = select(playbook_stop.c.playbook)


@dataclass(frozen=True, slots=True, kw_only=True)
class Stopped:
    """A playbook that is stopped (`*`: all of them), by whom, since when and why."""

    playbook: str
    reason: str
    stopped_by: str
    stopped_at: datetime


async def find_stops(connection: Connection) -> dict[str, Stopped]:
    """{playbook, or *: its stop}."""
    rows = await connection.execute(_STOPS)
    return {row.playbook: _stopped(row) for row in rows}


def stop_of(stops: Mapping[str, Stopped], playbook: str) -> Stopped | None:
    return stops.get(ALL) or stops.get(playbook)


async def insert(connection: Connection, stopped: Stopped) -> bool:
    """Stop; return whether it was not stopped before."""
    row = {
        "playbook": stopped.playbook,
        "reason": stopped.reason,
        "stopped_by": stopped.stopped_by,
        "stopped_at": stopped.stopped_at,
    }
    statement = insert_missing(connection, playbook_stop).returning(playbook_stop.c.playbook)
    return bool((await connection.execute(statement, [row])).scalars().all())


async def remove(connection: Connection, playbook: str) -> bool:
    """Start again; return whether it was stopped."""
    statement = delete(playbook_stop).where(playbook_stop.c.playbook == playbook)
    return bool((await connection.execute(statement.returning(playbook_stop.c.playbook))).scalars().all())


async def sendable(connection: Connection) -> ColumnElement[bool]:
    """Which messages no stop holds back. Without a stop, nothing is asked of the runs."""
    stopped = list((await connection.execute(_NAMES)).scalars())
    if not stopped:
        return NOTHING_STOPPED
    free = delivery.c.run_id.is_(None)  # no playbook's
    if ALL in stopped:  # the hub's own words to our people go on
        return and_(free, delivery.c.audience.is_distinct_from("customer"))
    held = select(playbook_run.c.id).where(playbook_run.c.id == delivery.c.run_id, playbook_run.c.playbook.in_(stopped))
    return or_(free, ~held.correlate(delivery).exists())


async def find_held(connection: Connection, delivery_ids: Collection[str]) -> set[str]:
    """Which of these very messages a stop holds back, asked just before they are sent."""
    if (await connection.execute(_NAMES)).first() is None:
        return set()
    statement = select(delivery.c.id).where(delivery.c.id.in_(delivery_ids), await sendable(connection))
    return set(delivery_ids) - set((await connection.execute(statement)).scalars())


def _stopped(row: Row[Any]) -> Stopped:
    return Stopped(**{name: row._mapping[name] for name in Stopped.__dataclass_fields__})
