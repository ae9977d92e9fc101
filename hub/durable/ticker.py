"""The clockwork of schedules: at each tick, ask for its job once.

Every process that works has one; they all come to the same ticks and ask under the same ids, so a tick is one job. A tick
that was missed, because nobody was alive or the machine slept, is made up for once, by the newest one.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime

from hub.durable.schedule import Schedule

log = logging.getLogger(__name__)

# a machine that slept, or a clock that was set, is noticed after this at the latest
LONGEST_NAP_SECONDS = 20.0
SHORTEST_NAP_SECONDS = 0.02
AFTER_ERROR_SECONDS = 2.0


class Ticker:
    """Watches `schedules`; `fire` asks for the job of a tick, and may be called again for a tick it has had.

    `seen` holds the newest tick of each schedule that was ever asked for, by any process; a schedule that isn't in it is
    new, and owes nothing for the time before it was thought of.
    """

    def __init__(
        self,
        schedules: Sequence[Schedule],
        *,
        seen: Mapping[str, datetime],
        fire: Callable[[Schedule, datetime], Awaitable[None]],
        clock: Callable[[], datetime],
    ) -> None:
        self._schedules = tuple(schedules)
        self._fire = fire
        self._clock = clock
        now = clock()
        self._newest = {each.name: seen.get(each.name, each.newest_tick(now)) for each in schedules}

    @property
    def newest_ids(self) -> set[str]:
        """The id of each schedule's newest tick: what a later start must find to know what was missed."""
        return {each.tick_id(self._newest[each.name]) for each in self._schedules}

    async def tick(self) -> None:
        """Ask for whatever is due now."""
        now = self._clock()
        for each in self._schedules:
            newest = each.newest_tick(now)
            if newest > self._newest[each.name]:
                await self._fire(each, newest)
                self._newest[each.name] = newest

    async def run(self) -> None:
        """Tick for ever; cancel it to end."""
        while True:
            nap = LONGEST_NAP_SECONDS
            try:
                await self.tick()
                now = self._clock()
                waits = [(each.next_tick(now) - now).total_seconds() for each in self._schedules]
                nap = max(SHORTEST_NAP_SECONDS, min([nap, *waits]))
            except Exception:  # the worker's loop: schedules go on when the database is back
                log.exception("schedules could not be looked after; trying again in %g s", AFTER_ERROR_SECONDS)
                nap = AFTER_ERROR_SECONDS
            await asyncio.sleep(nap)
