"""Messages taken back before they are sent: of a stopped playbook, of a cancelled run, and what is no news any more."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import and_, or_, select, update

from hub.model.actions import DeliveryState
from hub.store.among import among
from hub.store.store import Connection
from hub.store.tables import delivery, playbook_run


async def withdraw(connection: Connection, *, playbook: str | None, reason: str) -> int:
    """Messages of a playbook (None: of all) that wait to be sent never are; return how many."""
    of = select(playbook_run.c.id).where(playbook_run.c.id == delivery.c.run_id)
    if playbook is not None:
        of = of.where(playbook_run.c.playbook == playbook)
    statement = (
        update(delivery)
        .where(
            delivery.c.state.in_([DeliveryState.RESERVED.value, DeliveryState.HELD.value]),
            of.correlate(delivery).exists(),
        )
        .values(state=DeliveryState.SUPPRESSED.value, error=reason, not_before=None)
    )
    return len((await connection.execute(statement.returning(delivery.c.id))).scalars().all())


async def withdraw_of_runs(connection: Connection, run_ids: Sequence[str], *, reason: str) -> int:
    """Messages of these runs that wait to be sent never are; return how many."""
    waiting = delivery.c.state.in_([DeliveryState.RESERVED.value, DeliveryState.HELD.value])
    statement = (
        update(delivery)
        .where(waiting, among(connection, delivery.c.run_id, run_ids))
        .values(state=DeliveryState.SUPPRESSED.value, error=reason, not_before=None)
    )
    return len((await connection.execute(statement.returning(delivery.c.id))).scalars().all())


async def withdraw_late(connection: Connection, run_ids: Sequence[str], *, reason: str, now: datetime) -> int:
    """Messages of these runs to CSMs that wait for their hours or for a digest never are sent; return how many."""
    later = and_(
        delivery.c.state == DeliveryState.RESERVED.value, delivery.c.attempts == 0, delivery.c.not_before > now
    )
    statement = (
        update(delivery)
        .where(
            among(connection, delivery.c.run_id, run_ids),
            delivery.c.audience == "csm",
            or_(delivery.c.state == DeliveryState.HELD.value, later),
        )
        .values(state=DeliveryState.SUPPRESSED.value, error=reason, not_before=None, held=None)
    )
    return len((await connection.execute(statement.returning(delivery.c.id))).scalars().all())
