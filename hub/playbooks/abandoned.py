"""Messages whose sender died in the act: nobody can say whether they arrived."""

import logging
from collections.abc import Collection
from datetime import datetime, timedelta

from hub.durable.process import is_gone
from hub.store import Store, deliveries, executors

log = logging.getLogger(__name__)

SILENCE = timedelta(seconds=60)
"""A process that has not beaten for so long is dead, and what it was sending is unknown; one surely gone is dead at once."""


async def doubt_abandoned(
    store: Store, *, executor: str, under_way: Collection[str], recognised: Collection[str], now: datetime
) -> list[str]:
    """Messages left `sent` by dead processes become unknown, or, in channels that know a message again, are sent once more.

    executor, under_way   this process, and what it is sending just now
    Returns the ids of those that are unknown now.
    """
    async with store.transaction() as connection:
        beats = await executors.find_beats(connection)
        alive = {id_ for id_, at in beats.items() if at > now - SILENCE} | {executor}
        senders = await deliveries.find_senders(connection)
        lost = await deliveries.doubt_abandoned(
            connection,
            alive=alive,
            gone={each for each in senders if is_gone(each, own=executor)},
            own=executor,
            under_way=under_way,
            claimed_by=now - SILENCE,
            reason="its sender died, or lost the store, before it noted the answer",
            now=now,
            recognised=recognised,
        )
    if lost:
        log.warning("%d messages may or may not have been sent; see deliveries in state unknown", len(lost))
    return lost
