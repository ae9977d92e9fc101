"""`Playbooks`: the use case as one object, and the durable jobs it does.

playbooks = Playbooks(store, folder, channels, durable, executor=…, clock=utc_now, hub_url=…)
playbooks.register()                            before durable.start()
await playbooks.fire_due(as_of=day, now=now)    after scoring
await playbooks.fire("churn_save", ids, by="ann@example.com", key="…", now=now)
"""

import logging
import math
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from hashlib import blake2b
from typing import Any

from hub.attention import Attention
from hub.delivery import Channel
from hub.durable import Argument, Durable
from hub.durable.schedule import schedule
from hub.errors import NotFoundError, RefusedError
from hub.model.actions import Run
from hub.model.team import Team
from hub.playbooks.advance import Advancer, Move
from hub.playbooks.approving import decide
from hub.playbooks.firing import Firing, begin_due, fire_by_hand
from hub.playbooks.following import Following
from hub.playbooks.hooking import fire_event, retry, take
from hub.playbooks.jobs import (
    ADVANCE,
    EVENT,
    FIRE,
    LOOK,
    SEND,
    SWEEP,
    FireReport,
    SweepReport,
    argument_of,
    moves_of,
    tick_name,
)
from hub.playbooks.ledger import Ledger
from hub.playbooks.loading import PlaybookFolder
from hub.playbooks.mailing import Mailing
from hub.playbooks.planning import Planner
from hub.playbooks.replacing import take_over
from hub.playbooks.spec import Playbook
from hub.playbooks.steered import STUCK, Steered
from hub.store import Store, hooks, runs, stops
from hub.store.hooks import ACCEPTED, HookEvent
from hub.store.stops import ALL

log = logging.getLogger(__name__)

BATCH = 200
"""Runs that one advance moves together."""
GRID_SECONDS = 0.25


class Playbooks(Steered):
    """See the module. `executor` is this process's id, the one whose beats are in the table executor."""

    def __init__(
        self,
        store: Store,
        folder: PlaybookFolder,
        channels: Mapping[str, Channel],
        durable: Durable,
        *,
        executor: str,
        clock: Callable[[], datetime],
        hub_url: str,
        mailing: Mailing | None = None,
        company: str = "",
        product_url: str = "",
        attention: Attention | None = None,
        team: Team | None = None,
    ) -> None:
        self.definitions = folder.playbooks
        self.planner = Planner(
            folder.renderer, hub_url=hub_url, channels=channels, company=company, product_url=product_url, team=team
        )
        mailing = mailing or Mailing()
        self.ledger = Ledger(store, channels, executor=executor, clock=clock, tried=self._on_tried, mailing=mailing)
        self._advancer = Advancer(
            store, self.planner, definitions=self.definitions, mailing=mailing, attention=attention
        )
        self._following = Following(store, channels)
        self._store = store
        self._durable = durable
        self._clock = clock
        self._timezone = "UTC"

    def register(self, *, timezone: str = "UTC") -> None:
        """Tell the durable engine who does the jobs, and when schedules tick. Before it starts."""
        self._timezone = timezone
        self._durable.register(FIRE, self._on_fire)
        self._durable.register(EVENT, self._on_event)
        for name, each in self.definitions.items():
            if each.trigger.cron is not None:
                self._durable.every(tick_name(name), each.trigger.cron, FIRE, {"playbook": name}, timezone=timezone)
        self._durable.register(ADVANCE, self._on_advance)
        self._durable.register(SEND, self._on_send)
        self._durable.register(LOOK, self._on_look)
        self._durable.register(SWEEP, self._on_sweep)

    def get(self, name: str) -> Playbook:
        if name not in self.definitions:
            there = ", ".join(sorted(self.definitions)) or "none"
            raise NotFoundError(f"there is no playbook {name!r}; there are: {there}")
        return self.definitions[name]

    async def fire_due(self, *, as_of: date, now: datetime) -> FireReport:
        """Fire every playbook for whom it concerns by the scorecards of `as_of`. Twice on one day is once."""
        fired = {playbook.name: await self._begin(playbook, as_of=as_of, now=now) for playbook in await self._going()}
        await self._hasten("condition", now=now)
        return FireReport({name: count for name, count in fired.items() if count})

    async def fire_changes(
        self, *, now: datetime, field: str | None = None, customer_id: str | None = None
    ) -> FireReport:
        """Only those that a change of the lifecycle sets off (of `field`): for who just wrote one and will not wait
        for the scoring. Runs (of this customer) that wait for a condition look, too."""
        going = [each for each in await self._going() if each.by == "change" and field in (None, each.trigger.field)]
        fired = {playbook.name: await self._begin(playbook, as_of=now.date(), now=now) for playbook in going}
        await self._hasten("condition", now=now, customer_id=customer_id)
        return FireReport({name: count for name, count in fired.items() if count})

    async def hear(self, hook: str, *, event_id: str, payload: Mapping[str, Any]) -> HookEvent:
        """An event that came in, and was signed: keep it, and fire what heeds it in a moment. See hub.playbooks.hooking."""
        event = await take(self._store, hook, event_id=event_id, payload=payload, now=self._clock())
        if event.state == ACCEPTED:
            await self._durable.enqueue(EVENT, {"event": event.id})
        return event

    async def hear_again(self, event_id: str) -> HookEvent:
        """Take a refused event after all, if its customer is known by now."""
        event = await retry(self._store, event_id, now=self._clock())
        if event.state == ACCEPTED:
            await self._durable.enqueue(EVENT, {"event": event.id})
        return event

    async def fire(
        self,
        playbook: str,
        customer_ids: Sequence[str],
        *,
        by: str,
        key: str,
        now: datetime,
        dry_run: bool = False,
        force: bool = False,
    ) -> list[Firing]:
        """Fire by hand: one Firing a customer, in order. The same `key` again returns the same runs.

        dry_run  say exactly what would go where; write and send nothing
        force    also for customers in their quiet period
        Raises NotFoundError for a playbook or customer that isn't there, RefusedError for a bad key, RenderError for a
        template that fails; nothing is written then.
        """
        chosen = self.get(playbook)
        async with self._store.reading() as connection:
            stopped = stops.stop_of(await stops.find_stops(connection), playbook)
        if stopped is not None and not dry_run:
            raise RefusedError(f"{playbook} is stopped by {stopped.stopped_by}: {stopped.reason}")
        firings = await fire_by_hand(
            self._store,
            chosen,
            customer_ids,
            planner=self.planner,
            by=by,
            key=key,
            dry_run=dry_run,
            force=force,
            now=now,
        )
        if not dry_run:
            await self._enqueue([(each.run_id, 0) for each in firings if each.state == "fired" and each.run_id])
        return firings

    async def approve(
        self, run_id: str, *, approved: bool, by: str, note: str | None = None, step: int | None = None
    ) -> Run:
        """Answer what a run asks, and let it go on; see hub.playbooks.approving."""
        run = await decide(self._store, run_id, approved=approved, by=by, note=note, step=step, now=self._clock())
        await self._enqueue([(run.id, run.fence)])
        return run

    async def advance(self, run_id: str, fence: int) -> bool:
        """Move one run, if its fence still is `fence`; return whether it moved."""
        return await self._advance([(run_id, fence)]) == 1

    async def sweep(self, *, now: datetime, stuck: timedelta = STUCK) -> SweepReport:
        """Wake runs that nobody woke, put messages of dead processes in doubt, and send what lies about.

        stuck  how long a run may stand before somebody else wakes it. A process that starts says 0: what the one before
               it left should not wait, and to wake a run twice is harmless.
        """
        unknown = await self.ledger.sweep(now=now)
        await take_over(self._store, self.definitions.values(), now=now)
        async with self._store.reading() as connection:
            stopped = await stops.find_stops(connection)
            overdue = (
                []
                if ALL in stopped
                else await runs.find_overdue(connection, woken_by=now, moved_by=now - stuck, but=stopped)
            )
            unheard = await hooks.find_events(connection, states=[ACCEPTED], received_by=now - stuck)
        await self._enqueue(overdue)
        for event in unheard:
            await self._durable.enqueue(EVENT, {"event": event.id})
        if await self.ledger.due():
            await self._durable.enqueue(SEND, {})
        if await self._following.due():
            await self._durable.enqueue(LOOK, {})
        return SweepReport(len(overdue), tuple(unknown))

    async def resend(self, delivery_ids: Iterable[str], *, by: str) -> list[str]:
        """Send failed or unknown messages after all, on a person's word; return which."""
        released = await self.ledger.resend(delivery_ids, by=by)
        if released:
            await self._durable.enqueue(SEND, {})
        return released

    async def _begin(self, playbook: Playbook, *, as_of: date, now: datetime, tick: datetime | None = None) -> int:
        """Begin and queue the runs of whom it concerns; return how many."""
        begun = 0
        async for ids in begin_due(self._store, playbook, as_of=as_of, now=now, tick=tick):
            await self._enqueue([(id_, 0) for id_ in ids])
            begun += len(ids)
        return begun

    async def _going(self) -> list[Playbook]:
        """The playbooks that are not stopped."""
        async with self._store.reading() as connection:
            stopped = await stops.find_stops(connection)
        return [each for each in self.definitions.values() if stops.stop_of(stopped, each.name) is None]

    async def _advance(self, moves: Sequence[Move]) -> int:
        advanced = await self._advancer.advance(moves, now=self._clock())
        for at, woken in advanced.wakes.items():
            await self._wake(at, woken)
        await self._enqueue([(run_id, 0) for run_id in advanced.begun])
        if advanced.reserved:
            await self._durable.enqueue(SEND, {})
        return advanced.moved

    async def _hasten(self, awaits: str, *, now: datetime, **among: Any) -> None:
        async with self._store.transaction() as connection:
            woken = await runs.hasten(connection, awaits=awaits, now=now, **among)
        await self._enqueue(woken)

    async def _enqueue(self, moves: Sequence[Move]) -> None:
        for first in range(0, len(moves), BATCH):
            await self._durable.enqueue(ADVANCE, argument_of(moves[first : first + BATCH]))

    async def _wake(self, at: datetime, moves: Sequence[Move]) -> None:
        key = blake2b(repr(sorted(moves)).encode(), digest_size=16).hexdigest()
        await self._durable.wake(ADVANCE, argument_of(moves), at=at, key=key)

    async def _on_advance(self, argument: Argument) -> None:
        await self._advance(moves_of(argument))

    async def _on_fire(self, argument: Argument) -> None:
        """A tick of a playbook's schedule, for all it concerns by now."""
        name, now = str(argument["playbook"]), self._clock()
        for playbook in await self._going():
            if playbook.name == name and playbook.trigger.cron is not None:
                ticks = schedule(tick_name(name), playbook.trigger.cron, FIRE, argument, timezone=self._timezone)
                await self._begin(playbook, as_of=now.date(), now=now, tick=ticks.newest_tick(now))

    async def _on_event(self, argument: Argument) -> None:
        begun = await fire_event(self._store, self.definitions.values(), str(argument["event"]), now=self._clock())
        await self._enqueue([(id_, 0) for id_ in begun])

    async def _on_send(self, argument: Argument) -> None:
        due = await self.ledger.drain()
        if due is not None:
            # on a grid, so that senders who wait for the same moment become one: whoever drains finds all that is due
            steps = math.ceil(due.timestamp() / GRID_SECONDS)
            at = datetime.fromtimestamp(steps * GRID_SECONDS, tz=UTC)
            await self._durable.wake(SEND, {}, at=at, key=at.isoformat())

    async def _on_tried(self, run_ids: Collection[str]) -> None:
        """Runs that await what becomes of their messages look at once."""
        async with self._store.reading() as connection:
            waiting = await runs.find_awaiting(connection, run_ids, awaits="delivery")
        if waiting:
            await self._hasten("delivery", now=self._clock(), ids=waiting)

    async def _on_look(self, argument: Argument) -> None:
        if ended := await self._following.look():
            await self._hasten("run", now=self._clock(), ids=ended)

    async def _on_sweep(self, argument: Argument) -> None:
        report = await self.sweep(now=self._clock())
        if report.woken or report.unknown:
            log.info("sweep woke %d runs and put %d messages in doubt", report.woken, len(report.unknown))
