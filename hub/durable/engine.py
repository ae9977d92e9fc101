"""`DbosDurable`: the port on DBOS, a library that keeps its queues in our database; no server, no control plane.

What its users must know, and why it is built like this:

- One workflow runs all jobs and never changes its name or shape, and the application's version is pinned, so a new release
  finds what an old one left waiting.
- Nothing sleeps in a workflow: a wait is a delayed row, which costs no memory and outlives process and release.
- Each process has an executor id of its own; hub.durable.heartbeat moves the work of the dead.
- Handlers run outside the library's idea of a workflow. It would record what they ask for, by position, and on a second
  run, after a takeover, give them the recording back instead of doing it.
- Rate limits are not the queues' (they are wrong on SQLite); there is only a limit of jobs at once, per process and queue.
- The library exists once a process, so only one `DbosDurable` can be started at a time.
"""

import asyncio
import contextvars
import logging
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta

from hub.clock import utc_now
from hub.durable import library
from hub.durable.heartbeat import Heartbeat
from hub.durable.order import Order
from hub.durable.port import DEFAULT_QUEUE, Argument, Handler, Inspection, plain
from hub.durable.process import new_id
from hub.durable.schedule import Schedule, schedule
from hub.durable.ticker import Ticker
from hub.errors import CshubError, NotFoundError, TransientError
from hub.store import Store
from hub.store.engine_database import EngineDatabase

log = logging.getLogger(__name__)

RETRY_SECONDS = (10.0, 60.0, 300.0)
TIDY_EVERY = timedelta(hours=1)
FAILURES_SHOWN = 10


class DbosDurable:
    """The durable engine over `store`.

    work           False: only ask for jobs; they run in other processes
    queues         the queues there are: jobs that one process runs at once
    retry_seconds  how long a job that raised TransientError waits before its next attempt; as many attempts follow
    beat_seconds, dead_seconds   how often a process says that it lives; after which silence its work is handed over
    drain_seconds  how long `stop` lets running jobs go on
    """

    def __init__(
        self,
        store: Store,
        *,
        clock: Callable[[], datetime] = utc_now,
        work: bool = True,
        queues: Mapping[str, int] | None = None,
        retry_seconds: Sequence[float] = RETRY_SECONDS,
        poll_seconds: float = 0.2,
        beat_seconds: float = 3.0,
        dead_seconds: float = 15.0,
        drain_seconds: float = 10.0,
    ) -> None:
        self.executor = new_id()
        self._store = store
        self._clock = clock
        self._work = work
        self._queues = dict(queues or {DEFAULT_QUEUE: 8})
        self._retry_seconds = tuple(retry_seconds)
        self._poll_seconds = poll_seconds
        self._drain_seconds = drain_seconds
        self._handlers: dict[str, Handler] = {}
        self._schedules: dict[str, Schedule] = {}
        self._database = EngineDatabase.beside(store.url)
        self._context = contextvars.copy_context()
        self._started = False
        self._jobs: set[asyncio.Task[None]] = set()
        self._ticker: Ticker | None = None
        self._ticking: asyncio.Task[None] | None = None
        self._tidied_at = clock()
        self._beat_seconds = beat_seconds
        self._dead_seconds = dead_seconds
        self._heartbeat: Heartbeat | None = None

    def register(self, job: str, handler: Handler) -> None:
        self._refuse_when_started()
        if job in self._handlers:
            raise ValueError(f"the job {job!r} is registered twice")
        self._handlers[job] = handler

    def every(self, name: str, cron: str, job: str, argument: Argument, *, timezone: str = "UTC") -> None:
        self._refuse_when_started()
        if name in self._schedules:
            raise ValueError(f"the schedule {name!r} is registered twice")
        self._schedules[name] = schedule(name, cron, job, argument, timezone=timezone)

    async def enqueue(
        self, job: str, argument: Argument, *, key: str | None = None, queue: str = DEFAULT_QUEUE
    ) -> None:
        await library.put(self._order(job, argument, queue=queue, key=key))

    async def wake(self, job: str, argument: Argument, *, at: datetime, key: str, queue: str = DEFAULT_QUEUE) -> None:
        wait = (at - self._clock()).total_seconds()
        order = self._order(job, argument, queue=queue)
        await library.put(order, workflow_id=f"wake:{job}:{key}", delay_seconds=wait if wait > 0 else None)

    async def start(self) -> None:
        self._refuse_when_started()
        for each in self._schedules.values():
            self._check_job(each.job)
        self._context = contextvars.copy_context()
        if self._work:
            self._heartbeat = Heartbeat(
                self._store,
                executor=self.executor,
                clock=self._clock,
                beat_seconds=self._beat_seconds,
                dead_seconds=self._dead_seconds,
                running=_find_owners,
                hand_over=library.hand_over,
                tidy=self._tidy,
            )
            await self._heartbeat.beat(self._store)  # before any work is taken, see hub.durable.heartbeat
        library.launch(self._database, executor=self.executor, perform=self._perform_outside, listen=self._work)
        self._started = True
        try:
            for name, at_once in self._queues.items():
                await library.register_queue(name, at_once=at_once, poll_seconds=self._poll_seconds)
            if self._heartbeat is not None:
                self._ticker = Ticker(
                    tuple(self._schedules.values()), seen=await self._seen_ticks(), fire=self._fire, clock=self._clock
                )
                self._ticking = asyncio.create_task(self._ticker.run())
                self._heartbeat.start()
        except BaseException:  # a cancelled start, too: what was begun is stopped
            await self.stop()
            raise

    async def stop(self) -> None:
        if not self._started:
            return
        if self._ticking is not None:
            self._ticking.cancel()
            await asyncio.wait([self._ticking])
        library.take_no_more()
        try:
            async with asyncio.timeout(self._drain_seconds):
                while await library.find_running(self.executor):  # noqa: ASYNC110  the library has nothing to wait for
                    await asyncio.sleep(0.05)
        except TimeoutError:
            log.warning("%d jobs are still running and are left to other processes", len(self._jobs))
        for task in self._jobs:
            task.cancel()
        if self._jobs:
            await asyncio.wait(self._jobs)
        if self._heartbeat is not None:
            await self._heartbeat.stop()
        # the library made its own pool the loop's default, and is about to shut it down
        asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(thread_name_prefix="asyncio"))
        await asyncio.to_thread(library.destroy)
        self._database.close()
        self._started = False

    async def inspect(self) -> Inspection:
        counts = await asyncio.to_thread(self._database.count_by_status)
        return Inspection(
            waiting=counts.get("DELAYED", 0),
            queued=counts.get("ENQUEUED", 0),
            running=counts.get("PENDING", 0),
            done=counts.get("SUCCESS", 0),
            failed=counts.get("ERROR", 0),
            abandoned=counts.get("MAX_RECOVERY_ATTEMPTS_EXCEEDED", 0),
            failures=await library.find_failures(FAILURES_SHOWN),
        )

    async def _perform_outside(self, workflow_id: str, order: Order) -> None:
        task = asyncio.create_task(self._perform(workflow_id, order), context=self._context.copy())
        self._jobs.add(task)
        task.add_done_callback(self._jobs.discard)
        await task

    async def _perform(self, workflow_id: str, order: Order) -> None:
        if order.put_off:
            # back to the queue under its key, which a newer job may hold by now: then that one is enough
            await library.put(Order(order.job, order.argument, order.queue, order.key, order.attempt))
            return
        handler = self._handlers.get(order.job)
        if handler is None:
            log.error("nobody here does the job %r: it is given up", order.job)
            raise library.JobFailedError(f"nobody does the job {order.job!r}; there are: {self._job_names()}")
        try:
            await handler(order.argument)
        except TransientError as error:
            if order.attempt > len(self._retry_seconds):
                log.exception("job %s: attempt %d failed, it is given up", order.job, order.attempt)
                raise library.JobFailedError(f"after {order.attempt} attempts: {error}") from None
            wait = self._retry_seconds[order.attempt - 1]
            log.warning("job %s: attempt %d failed, next in %g s", order.job, order.attempt, wait, exc_info=True)
            later = Order(
                order.job, order.argument, order.queue, order.key, order.attempt + 1, put_off=order.key is not None
            )
            await library.put(later, workflow_id=f"{workflow_id}~{later.attempt}", delay_seconds=wait)
        except Exception as error:  # the worker's loop
            log.exception("job %s failed, it is given up", order.job)
            # only the messages of our own errors are known to hold no secret
            told = str(error) if isinstance(error, CshubError) else f"{type(error).__name__}, see the log"
            raise library.JobFailedError(told) from None

    async def _fire(self, due: Schedule, tick: datetime) -> None:
        order = self._order(due.job, due.argument, queue=DEFAULT_QUEUE, key=due.key)
        await library.put(order, workflow_id=due.tick_id(tick))

    async def _seen_ticks(self) -> dict[str, datetime]:
        seen = {}
        for each in self._schedules.values():
            newest = await library.find_newest_id(each.prefix)
            tick = None if newest is None else each.tick_of(newest)
            if tick is not None:
                seen[each.name] = tick
        return seen

    async def _tidy(self) -> None:
        now = self._clock()
        if now - self._tidied_at < TIDY_EVERY:
            return
        self._tidied_at = now
        await library.tidy(now=now, keep=self._ticker.newest_ids if self._ticker else set())

    def _order(self, job: str, argument: Argument, *, queue: str, key: str | None = None) -> Order:
        if not self._started:
            raise RuntimeError("the durable engine is not started")
        self._check_job(job)
        if queue not in self._queues:
            raise NotFoundError(f"there is no queue {queue!r}; there are: {', '.join(sorted(self._queues))}")
        return Order(job, plain(argument), queue, key)

    def _check_job(self, job: str) -> None:
        if job not in self._handlers:
            raise NotFoundError(f"nobody does the job {job!r}; there are: {self._job_names()}")

    def _job_names(self) -> str:
        return ", ".join(sorted(self._handlers)) or "none"

    def _refuse_when_started(self) -> None:
        if self._started:
            raise RuntimeError("the durable engine is started: jobs and schedules are registered before")


async def _find_owners() -> set[str]:
    return {row.executor_id for row in await library.find_running() if row.executor_id is not None}
