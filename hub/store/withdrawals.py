"""Messages taken back before they are sent: of a stopped playbook, of a cancelled run, and what is no news any more."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import ColumnElement, and_, or_, select, update

from hub.model.actions import DeliveryState
from hub.store.among import among
from hub.store.store import Connection
from hub.store.tables import delivery, playbook_run

_WAITING = delivery.c.state.in_([DeliveryState.RESERVED.value, DeliveryState.HELD.value])


async def withdraw(connection: Connection, *, playbook: str | None, reason: str) -> int:
    """Messages of a playbook (None: of all) that wait to be sent never are; return how many."""
    of = select(playbook_run.c.id).where(playbook_run.c.id == delivery.c.run_id)
    if playbook is not None:
        of = of.where(playbook_run.c.playbook == playbook)
    return await _take_back(connection, _WAITING, of.correlate(delivery).exists(), reason=reason)


async def withdraw_of_runs(connection: Connection, run_ids: Sequence[str], *, reason: str) -> int:
    """Messages of these runs that wait to be sent never are; return how many."""
    return await _take_back(connection, _WAITING, among(connection, delivery.c.run_id, run_ids), reason=reason)


async def withdraw_late(connection: Connection, run_ids: Sequence[str], *, reason: str, now: datetime) -> int:
    """Messages of these runs to CSMs that wait for their hours or for a digest never are sent; return how many."""
    later = and_(
        delivery.c.state == DeliveryState.RESERVED.value, delivery.c.attempts == 0, delivery.c.not_before > now
    )
    return await _take_back(
        connection,
        among(connection, delivery.c.run_id, run_ids),
        delivery.c.audience == "csm",
        or_(delivery.c.state == DeliveryState.HELD.value, later),
        reason=reason,
        held=None,
    )


async def _take_back(connection: Connection, *which: ColumnElement[bool], reason: str, **also: None) -> int:
    statement = (
        update(delivery)
        .where(*which)
        .values(state=DeliveryState.SUPPRESSED.value, error=reason, not_before=None, **also)
        .returning(delivery.c.id)
    )
    return len((await connection.execute(statement)).scalars().all())
