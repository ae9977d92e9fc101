"""The durable engine in memory: runs jobs when told, in the order they were asked for, on the test's own clock.

    durable = FakeDurable(clock=lambda: now)
    durable.register("greet", handler)
    await durable.start()
    await durable.enqueue("greet", {"name": "Ann"})
    await durable.run()                      # everything that is due, and what that asks for in turn

Keeps the contract of the real one (tests/durable/test_contract.py runs on both), but survives nothing.
"""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from hub.clock import utc_now
from hub.durable import DEFAULT_QUEUE, Argument, Failure, Handler, Inspection, Json, plain
from hub.durable.schedule import Schedule, schedule
from hub.durable.ticker import Ticker
from hub.errors import CshubError, NotFoundError, TransientError

log = logging.getLogger(__name__)


@dataclass
class FakeJob:
    """A job that waits to run, as tests may look at it in `FakeDurable.waiting`."""

    job: str
    argument: dict[str, Json]
    due_at: datetime
    queue: str = DEFAULT_QUEUE
    key: str | None = None
    attempt: int = 1


class FakeDurable:
    def __init__(
        self, *, clock: Callable[[], datetime] = utc_now, retry_seconds: Sequence[float] = (10.0, 60.0, 300.0)
    ) -> None:
        self.waiting: list[FakeJob] = []
        self._clock = clock
        self._retry_seconds = tuple(retry_seconds)
        self._handlers: dict[str, Handler] = {}
        self._schedules: list[Schedule] = []
        self._ticker: Ticker | None = None
        self._ids: set[str] = set()
        self._running: list[FakeJob] = []
        self._done = 0
        self._failures: list[Failure] = []
        self._started = False

    def register(self, job: str, handler: Handler) -> None:
        self._refuse_when_started()
        if job in self._handlers:
            raise ValueError(f"the job {job!r} is registered twice")
        self._handlers[job] = handler

    def every(self, name: str, cron: str, job: str, argument: Argument, *, timezone: str = "UTC") -> None:
        self._refuse_when_started()
        self._schedules.append(schedule(name, cron, job, argument, timezone=timezone))

    async def enqueue(
        self, job: str, argument: Argument, *, key: str | None = None, queue: str = DEFAULT_QUEUE
    ) -> None:
        self._put(FakeJob(job, self._checked(job, argument), self._clock(), queue, key))

    async def wake(self, job: str, argument: Argument, *, at: datetime, key: str, queue: str = DEFAULT_QUEUE) -> None:
        self._put(FakeJob(job, self._checked(job, argument), at, queue), id_=f"wake:{job}:{key}")

    async def start(self) -> None:
        self._refuse_when_started()
        for each in self._schedules:
            self._check_job(each.job)
        self._started = True
        self._ticker = Ticker(self._schedules, seen={}, fire=self._fire, clock=self._clock)

    async def stop(self) -> None:
        self._started = False

    async def inspect(self) -> Inspection:
        now = self._clock()
        due = sum(each.due_at <= now for each in self.waiting)
        return Inspection(
            waiting=len(self.waiting) - due,
            queued=due,
            running=len(self._running),
            done=self._done,
            failed=len(self._failures),
            failures=tuple(reversed(self._failures)),
        )

    async def run(self) -> int:
        """Run what is due until nothing is; return how many jobs ran."""
        assert self._ticker is not None, "start it first"
        await self._ticker.tick()
        count = 0
        while due := [each for each in self.waiting if each.due_at <= self._clock()]:
            self.waiting.remove(due[0])
            await self._perform(due[0])
            count += 1
        return count

    async def _perform(self, job: FakeJob) -> None:
        self._running.append(job)
        try:
            await self._handlers[job.job](job.argument)
        except TransientError as error:
            if job.attempt > len(self._retry_seconds):
                self._failures.append(Failure(job.job, f"after {job.attempt} attempts: {error}", self._clock()))
                return
            later = self._clock() + timedelta(seconds=self._retry_seconds[job.attempt - 1])
            self.waiting.append(FakeJob(job.job, job.argument, later, job.queue, job.key, job.attempt + 1))
            self._done += 1
        except Exception as error:  # the loop of a worker
            log.exception("job %s failed, it is given up", job.job)
            told = str(error) if isinstance(error, CshubError) else f"{type(error).__name__}, see the log"
            self._failures.append(Failure(job.job, told, self._clock()))
        else:
            self._done += 1
        finally:
            self._running.remove(job)

    async def _fire(self, due: Schedule, tick: datetime) -> None:
        argument = self._checked(due.job, due.argument)
        self._put(FakeJob(due.job, argument, self._clock(), key=due.key), id_=due.tick_id(tick))

    def _put(self, job: FakeJob, *, id_: str | None = None) -> None:
        ahead = [*self.waiting, *self._running]
        if id_ in self._ids or (job.key is not None and any((e.job, e.key) == (job.job, job.key) for e in ahead)):
            return
        if id_ is not None:
            self._ids.add(id_)
        self.waiting.append(job)

    def _checked(self, job: str, argument: Argument) -> dict[str, Json]:
        if not self._started:
            raise RuntimeError("the durable engine is not started")
        self._check_job(job)
        return plain(argument)

    def _check_job(self, job: str) -> None:
        if job not in self._handlers:
            raise NotFoundError(
                f"nobody does the job {job!r}; there are: {', '.join(sorted(self._handlers)) or 'none'}"
            )

    def _refuse_when_started(self) -> None:
        if self._started:
            raise RuntimeError("the durable engine is started: jobs and schedules are registered before")
