"""Plays the days: the company lives on, the hub syncs and scores, people act; in between everything that is due happens."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from connectors.kit import tempo
from hub.compose import Hub
from hub.compose.jobs import SCORE, SYNC, TRAIN
from hub.compose.sourcing import RECONCILE
from hub.demo.month.calls import Caller
from hub.demo.month.cast import Cast
from hub.demo.month.clock import MovedClock
from hub.demo.month.diary import Diary
from hub.demo.month.stepping import SteppedDurable
from hub.durable.schedule import schedule
from hub.errors import CshubError
from hub.model.actions import SyncState
from hub.playbooks.jobs import SEND
from hub.store.happenings import Happened, find_happened

FASTER = 3600.0
"""How much faster the seconds of the vendors' rate limits pass."""
OWN = (SYNC, SCORE, TRAIN, RECONCILE)
"""Jobs whose work the days do themselves, once each: a score that an answer asks for is the next morning's. Nothing is held
against the vendors in between, for their process has lived on to the next pull by then."""
PULLED_ON = (0, 2, 4)
"""Weekdays on which sources are pulled: daily would be half of the whole minute."""
CHECKED_ON = 0
"""The weekday on which models are held against what has become of customers since: a day of use of 28 moves little."""
ACTING = (time(10), time(13, 30), time(16, 30))
"""When people do what they have come to do; UTC."""
END = time(23, 59)
SATURDAY = 5
SET_UP = timedelta(minutes=1)
"""What the first day begins with is no news of it."""
Work = Callable[[], Awaitable[None]]


class PlayError(CshubError):
    """A day could not be played; the message says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Day:
    """One day that was played. `acted`: how many things people did."""

    on: date
    happened: Happened
    acted: int

    def __str__(self) -> str:
        told = self.happened
        counts = (
            (told.customers, "new customer", "new customers"),
            (told.opened, "alert opened", "alerts opened"),
            (told.closed, "closed", "closed"),
            (told.tasks, "task", "tasks"),
            (told.messages, "message", "messages"),
            (self.acted, "answer", "answers"),
        )
        words = [f"{many} {one if many == 1 else several}" for many, one, several in counts if many]
        return f"{self.on:%a %d %b}: {', '.join(words) or 'quiet'}"


class Month:
    """See the module; `hub` works on `durable` and by `clock`."""

    def __init__(
        self, hub: Hub, durable: SteppedDurable, clock: MovedClock, diary: Diary, *, sandbox: Caller, cast: Cast
    ) -> None:
        self.hub, self.durable, self.clock, self.cast = hub, durable, clock, cast
        self.diary = diary
        self.failed: list[str] = []
        self._acted = 0
        self._sandbox = sandbox
        self._living: asyncio.Task[None] | None = None

    async def play(self) -> AsyncIterator[Day]:
        """The days that are still to be lived, each after it is over."""
        diary = self.diary
        first, done = diary.first, diary.steps
        steps = [
            (datetime.combine(first + timedelta(days=day), at, UTC), work)
            for day in range(diary.days)
            for at, work in self._programme()
        ]
        # what a killed process had begun after its last step is asked for again: all of it may be done twice
        self.durable.watch_from(steps[done - 1][0] if done else first, but=lambda name: name.startswith(OWN))
        self.clock.move(max(first, self.clock.moved_to or first))
        async with self.hub.working(), self._faster():
            await self._find_what_was_left()
            for number, (at, work) in enumerate(steps[done:], start=done):
                await self.durable.live_until(at)
                await work()
                await self.durable.idle()
                self.diary = self.diary.noted(steps=number + 1)
                if at.time() == END:
                    yield await self._day(at.date())
                    self._acted = 0
        self.failed += [f"{each.job}: {each.error}" for each in self.durable.failures] + self.cast.refused

    def _programme(self) -> Sequence[tuple[time, Work]]:
        """A day's own steps."""
        return (
            (time(2), self._pull),
            (time(5, 15), self._score),
            *((at, self._act) for at in ACTING),
            (END, self._end),
        )

    async def _pull(self) -> None:
        """What the company did until midnight."""
        now = self.clock()
        if now.weekday() not in PULLED_ON:
            return
        midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
        if self._living is None:
            await live_on(self._sandbox, until=midnight, faster=FASTER)
        else:
            await self._living
        for report in await self.hub.sync_all(list(self.hub.settings.sources)):
            if report.state is not SyncState.SUCCEEDED:
                self.failed.append(f"{self.clock():%Y-%m-%d}, {report.source}: {report.error}")
        ahead = next(midnight + timedelta(days=n) for n in range(1, 8) if (midnight.weekday() + n) % 7 in PULLED_ON)
        self._living = None
        if ahead < self.diary.first + timedelta(days=self.diary.days):
            # nobody looks at the vendors before: their process lives on until then while ours scores and sends
            self._living = asyncio.create_task(live_on(self._sandbox, until=ahead, faster=FASTER))

    async def _score(self) -> None:
        now = self.clock()
        trains = schedule(
            TRAIN, self.hub.settings.hub.schedules.train, TRAIN, {}, timezone=self.hub.settings.hub.timezone
        )
        if trains.newest_tick(now) > now - timedelta(days=1):
            await self.hub.train()
            await self.hub.models.settle()
        await self.hub.score()
        if now.weekday() == CHECKED_ON:
            await self.hub.models.check_drift()

    async def _act(self) -> None:
        """Nobody of ours works at weekends: what came then is seen on Monday."""
        now = self.clock()
        if now.weekday() >= SATURDAY:
            return
        earlier = [at for at in ACTING if at < now.time()]
        since = datetime.combine(now.date(), earlier[-1] if earlier else ACTING[-1], UTC)
        if not earlier:
            since -= timedelta(days=3 if now.weekday() == 0 else 1)
        self._acted += await self.cast.act(since=since, until=now)

    async def _end(self) -> None:
        """Nothing of its own: the day is over when all before it has happened."""

    async def _day(self, day: date) -> Day:
        begin = datetime.combine(day, time.min, UTC)
        async with self.hub.store.reading() as connection:
            happened = await find_happened(connection, since=begin + SET_UP, until=begin + timedelta(days=1))
        return Day(on=day, happened=happened, acted=self._acted)

    async def _find_what_was_left(self) -> None:
        """What a process before this one had asked for and not done."""
        if self.hub.slack is not None:
            await self.hub.slack.inbox.watch()
        await self.durable.enqueue(SEND, {})
        await self.durable.idle()

    @asynccontextmanager
    async def _faster(self) -> AsyncIterator[None]:
        """Nothing waits for the seconds of rate limits, and nothing else wants the event loop while the store answers."""
        tempo.run_at(FASTER)
        # the vendors' seconds, too, and from the first day on, whenever sources are pulled
        midnight = self.clock().replace(hour=0, minute=0, second=0, microsecond=0)
        await live_on(self._sandbox, until=midnight, faster=FASTER)
        try:
            with self.hub.store.by_itself(), self.hub.playbooks.ledger.without_pace():
                yield
        finally:
            tempo.run_at(1.0)
            if self._living is not None:
                await asyncio.wait([self._living])


async def live_on(sandbox: Caller, *, until: datetime | None, faster: float = 1.0) -> None:
    """Let the company have lived until then (None: by itself from now on); PlayError where the sandboxes refuse."""
    body = {"until": None if until is None else until.isoformat(), "tempo": faster}
    status, answer = await sandbox.post("/_world", body)
    if status != 200:
        raise PlayError(f"the sandboxes did not live on: {status} {answer[:200].decode(errors='replace')}")
