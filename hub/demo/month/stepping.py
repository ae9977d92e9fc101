"""`SteppedDurable`: the port of the durable engine for time that is played: nothing waits, the clock is moved instead.

    await durable.idle()            do what was asked for, and what that asks for in turn
    await durable.live_until(at)    the same for every wake and tick on the way there, each at its own moment

Jobs run one after another while the clock stands still, so a month comes out the same every time. What is asked for twice
before it was begun is done once, and moves of runs that wait for their turn are made together. It keeps nothing: what a
killed process had in hand is found by the sweeps, as after any crash, because runs, messages and requests are rows.
"""

import heapq
import logging
from collections import deque
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from hub.demo.month.clock import MovedClock
from hub.durable import DEFAULT_QUEUE, Argument, Failure, Handler, Inspection, plain
from hub.durable.process import new_id
from hub.durable.schedule import Schedule, schedule
from hub.errors import CshubError, NotFoundError, TransientError

log = logging.getLogger(__name__)

RETRIES = (timedelta(seconds=10), timedelta(minutes=1), timedelta(minutes=5))
MOST_TOGETHER = 200
COARSE = timedelta(hours=1)
"""Schedules that tick more often tick so often here: they are nets for what the clock never lets fall."""


@dataclass(order=True)
class _Job:
    """Ordered by when it is due, and then as it was asked for."""

    due_at: datetime
    number: int
    job: str = field(compare=False)
    argument: Argument = field(compare=False)
    key: str | None = field(compare=False, default=None)
    attempt: int = field(compare=False, default=1)


def pairs(value: Any) -> list[tuple[Any, Any]]:
    return [(what, state) for what, state in value]


class SteppedDurable:
    """See the module.

    left      jobs that are not done here, whoever asks
    hours     of the day (UTC) at which schedules of minutes tick
    together  {job: the key of its argument that holds pairs (what, its state)}: those that wait for their turn become one
    """

    def __init__(
        self,
        clock: MovedClock,
        *,
        left: Collection[str] = (),
        hours: Collection[int] = (5, 12, 19),
        together: Mapping[str, str] | None = None,
    ) -> None:
        self.executor = new_id()
        self.failures: list[Failure] = []
        self._clock, self._left, self._hours = clock, frozenset(left), frozenset(hours)
        self._together = dict(together or {})
        self._handlers: dict[str, Handler] = {}
        self._schedules: dict[str, Schedule] = {}
        self._ticks: dict[str, datetime] = {}
        self._queue: deque[_Job] = deque()
        self._later: list[_Job] = []
        self._seen: set[str] = set()
        self._keys: set[tuple[str, str]] = set()
        self._number = self._done = 0
        self._started = False

    def register(self, job: str, handler: Handler) -> None:
        self._refuse_when_started()
        if job in self._handlers:
            raise ValueError(f"the job {job!r} is registered twice")
        self._handlers[job] = handler

    def every(self, name: str, cron: str, job: str, argument: Argument, *, timezone: str = "UTC") -> None:
        self._refuse_when_started()
        self._schedules[name] = schedule(name, cron, job, argument, timezone=timezone)

    async def enqueue(
        self, job: str, argument: Argument, *, key: str | None = None, queue: str = DEFAULT_QUEUE
    ) -> None:
        self._put(job, argument, at=self._clock(), key=key)

    async def wake(self, job: str, argument: Argument, *, at: datetime, key: str, queue: str = DEFAULT_QUEUE) -> None:
        name = f"{job}:{key}"
        if name not in self._seen:
            self._seen.add(name)
            self._put(job, argument, at=at)

    async def start(self) -> None:
        self._refuse_when_started()
        for each in self._schedules.values():
            self._check_job(each.job)
        self._started = True

    async def stop(self) -> None:
        self._started = False

    async def inspect(self) -> Inspection:
        return Inspection(
            waiting=len(self._later),
            queued=len(self._queue),
            done=self._done,
            failed=len(self.failures),
            failures=tuple(reversed(self.failures)),
        )

    def watch_from(self, at: datetime, *, but: Callable[[str], bool]) -> None:
        """Schedules tick from `at` on, those apart whose name is one of `but`: whoever plays does these himself."""
        self._ticks = {name: self._next(each, at) for name, each in self._schedules.items() if not but(name)}

    async def idle(self) -> None:
        """Do all that is due at this moment."""
        while self._queue:
            job = self._queue.popleft()
            try:
                await self._perform(job)
            finally:
                if job.key is not None:
                    self._keys.discard((job.job, job.key))

    async def live_until(self, moment: datetime) -> None:
        """Move on to `moment`, from one thing that is due to the next."""
        await self.idle()
        while (due := self._next_due()) is not None and due <= moment:
            if due > self._clock():
                self._clock.move(due)
            now = self._clock()
            while self._later and self._later[0].due_at <= now:
                self._queue_up(heapq.heappop(self._later))
            for name in [name for name, tick in self._ticks.items() if tick <= now]:
                each = self._schedules[name]
                self._ticks[name] = self._next(each, now)
                self._put(each.job, each.argument, at=now, key=each.key)
            await self.idle()
        if moment > self._clock():
            self._clock.move(moment)

    def _next_due(self) -> datetime | None:
        ahead = [*self._ticks.values(), *(job.due_at for job in self._later[:1])]
        return min(ahead, default=None)

    def _next(self, each: Schedule, now: datetime) -> datetime:
        tick = each.next_tick(now)
        if each.next_tick(tick) - tick >= COARSE:
            return tick
        tick = now.replace(minute=0, second=0, microsecond=0) + COARSE
        while tick.hour not in self._hours:
            tick += COARSE
        return tick

    async def _perform(self, job: _Job) -> None:
        try:
            await self._handlers[job.job](job.argument)
        except TransientError as error:
            if job.attempt > len(RETRIES):
                self._fail(job, f"after {job.attempt} attempts: {error}")
                return
            at = self._clock() + RETRIES[job.attempt - 1]
            self._put(job.job, job.argument, at=at, attempt=job.attempt + 1)
        except Exception as error:  # the worker's loop
            log.exception("job %s failed, it is given up", job.job)
            self._fail(job, str(error) if isinstance(error, CshubError) else f"{type(error).__name__}, see the log")
        else:
            self._done += 1

    def _fail(self, job: _Job, why: str) -> None:
        self.failures.append(Failure(job.job, why, self._clock()))

    def _put(self, job: str, argument: Argument, *, at: datetime, key: str | None = None, attempt: int = 1) -> None:
        if not self._started:
            raise RuntimeError("the durable engine is not started")
        self._check_job(job)
        if job in self._left:
            return
        if key is not None:
            if (job, key) in self._keys:
                return
            self._keys.add((job, key))
        self._number += 1
        made = _Job(at, self._number, job, plain(argument), key, attempt)
        if at > self._clock():
            heapq.heappush(self._later, made)
        else:
            self._queue_up(made)

    def _queue_up(self, made: _Job) -> None:
        if made.key is None and any(self._takes(each, made) for each in self._queue):
            return
        self._queue.append(made)

    def _takes(self, queued: _Job, made: _Job) -> bool:
        """Whether a job that has not begun does what another one asks for; pairs of it are added to its own."""
        if queued.job != made.job or (queued.key, queued.attempt) != (made.key, made.attempt):
            return False
        if queued.argument == made.argument:
            return True
        where = self._together.get(made.job)
        if where is None:
            return False
        known: Any = dict(pairs(queued.argument[where]))
        new: Any = dict(pairs(made.argument[where]))
        if len(known) + len(new) > MOST_TOGETHER or any(known.get(what, state) != state for what, state in new.items()):
            return False
        queued.argument = {**queued.argument, where: [list(pair) for pair in (known | new).items()]}
        return True

    def _check_job(self, job: str) -> None:
        if job not in self._handlers:
            there = ", ".join(sorted(self._handlers)) or "none"
            raise NotFoundError(f"nobody does the job {job!r}; there are: {there}")

    def _refuse_when_started(self) -> None:
        if self._started:
            raise RuntimeError("the durable engine is started: jobs and schedules are registered before")
