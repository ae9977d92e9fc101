"""All that is said to DBOS, and how: one workflow, pinned names, plain JSON, no connection to anywhere but the database.

The library exists once a process: `launch` and `destroy` come in pairs.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from dbos import DBOS, DBOSConfig, DBOSPortableJSONSerializer, EnqueueOptions, WorkflowStatus

# private: see hand_over
from dbos._recovery import recover_pending_workflows

from hub.durable.order import Order
from hub.durable.port import Failure
from hub.store.engine_database import SCHEMA, EngineDatabase

APPLICATION = "cshub"
# Pinned by hand: left to the library it is a hash of our code and of the library, and any change of it strands the work
# that waits. It stays "1" for as long as `run_job` can read the orders that older releases wrote.
VERSION = "1"
WORKFLOW = "cshub.run_job"
# a job that was running in this many processes as they died is taken for the cause
MOST_TAKEOVERS = 10
KEEP_DONE = timedelta(days=7)
KEEP_FAILED = timedelta(days=30)
TIDY_AT_ONCE = 500

Performer = Callable[[str, Order], Awaitable[None]]


class JobFailedError(Exception):
    """A job was given up. Its traceback has been logged; the message is kept with the job and fit to show."""


class _Launched:
    """The library as launched in this process, and who performs its jobs."""

    dbos: DBOS | None = None
    perform: Performer | None = None


@DBOS.workflow(name=WORKFLOW, max_recovery_attempts=MOST_TAKEOVERS)
async def run_job(order: dict[str, Any]) -> None:
    perform, workflow_id = _Launched.perform, DBOS.workflow_id
    assert perform is not None, "workflows run between launch and destroy"
    assert workflow_id is not None, "the library knows what it runs"
    await perform(workflow_id, Order.read(order))


def launch(database: EngineDatabase, *, executor: str, perform: Performer, listen: bool) -> None:
    """Launch the library in this process; its workflows will run on the running event loop.

    Blocks the loop for some tenths of a second. That is on purpose: the library takes the loop it is launched on for its
    workflows' own, and our database connections belong to ours.
    """
    if _Launched.dbos is not None:
        raise RuntimeError("the durable engine is started already: it exists once a process")
    _quiet()
    config: DBOSConfig = {
        "name": APPLICATION,
        "application_version": VERSION,
        "executor_id": executor,
        "system_database_engine": database.engine,
        "dbos_system_schema": SCHEMA,
        "serializer": DBOSPortableJSONSerializer(),
        "log_level": "WARNING",
        "enable_otlp": False,
        # its pool becomes the event loop's default executor, and is without bound unless told otherwise
        "max_executor_threads": 32,
        # we neither send nor await the library's messages: no connection kept for listening, and a quick end
        "use_listen_notify": False,
        "notification_listener_polling_interval_sec": 0.25,
    }
    _Launched.perform = perform
    _Launched.dbos = DBOS(config=config)
    try:
        if not listen:
            DBOS.listen_queues([])
        DBOS.launch()
    except BaseException:  # a cancelled start, too: the library has one instance a process
        destroy()
        raise


def destroy() -> None:
    """End what `launch` began; blocks for up to a second."""
    DBOS.destroy()
    _Launched.dbos = _Launched.perform = None


def take_no_more() -> None:
    """Stop taking jobs from the queues; what runs goes on, and jobs can still be asked for."""
    assert _Launched.dbos is not None, "launched"
    for event in _Launched.dbos.background_thread_stop_events:
        event.set()


async def register_queue(name: str, *, at_once: int, poll_seconds: float) -> None:
    """A queue, of which one process runs `at_once` jobs and looks for more every `poll_seconds`."""
    await DBOS.register_queue_async(
        name, worker_concurrency=at_once, polling_interval_sec=poll_seconds, on_conflict="always_update"
    )


async def put(order: Order, *, workflow_id: str | None = None, delay_seconds: float | None = None) -> None:
    """Write a row for `order`, unless its id is taken or its key is."""
    options: EnqueueOptions = {"workflow_name": WORKFLOW, "queue_name": order.queue, "app_version": VERSION}
    if workflow_id is not None:
        options["workflow_id"] = workflow_id
    if delay_seconds is not None:
        options["delay_seconds"] = delay_seconds
    if order.deduplication_id is not None:
        options["deduplication_id"] = order.deduplication_id
        options["duplication_policy"] = "return-existing"
    await DBOS.enqueue_workflow_with_options_async(options, order.written())


async def find_running(executor: str | None = None) -> list[WorkflowStatus]:
    """What runs now, in all processes or in one."""
    return await DBOS.list_workflows_async(status="PENDING", executor_id=executor, load_input=False, load_output=False)


def hand_over(executors: list[str]) -> int:
    """Give what runs under `executors` back to the queues; return how much.

    This is the library's private call, the one its own control plane uses. The public `resume_workflows` does not do:
    it forgets the job's key, so that a second one of the same key gets in; it sets the count of takeovers back
    to 0, so that a job that kills its process does so for ever; and it takes a job also from a process that lives, where two
    leaders hand over at once.
    """
    assert _Launched.dbos is not None, "launched"
    return len(recover_pending_workflows(_Launched.dbos, executors))


async def find_newest_id(prefix: str) -> str | None:
    """The id of the newest row whose id begins with `prefix`."""
    rows = await DBOS.list_workflows_async(
        workflow_id_prefix=prefix, sort_desc=True, limit=1, load_input=False, load_output=False
    )
    return rows[0].workflow_id if rows else None


async def find_failures(limit: int) -> tuple[Failure, ...]:
    """The newest jobs that were given up."""
    rows = await DBOS.list_workflows_async(
        status=["ERROR", "MAX_RECOVERY_ATTEMPTS_EXCEEDED"], sort_desc=True, limit=limit
    )
    return tuple(
        Failure(
            job=Order.read(row.input["args"][0]).job if row.input else "",
            error=str(row.error) if row.error else f"given up after {MOST_TAKEOVERS} processes died running it",
            at=datetime.fromtimestamp((row.updated_at or 0) / 1000, UTC),
        )
        for row in rows
    )


async def tidy(*, now: datetime, keep: set[str]) -> int:
    """Delete what finished long ago, but for the ids in `keep`; return how much."""
    deleted = 0
    lots: Sequence[tuple[list[str], timedelta]] = (
        (["SUCCESS", "CANCELLED"], KEEP_DONE),
        (["ERROR", "MAX_RECOVERY_ATTEMPTS_EXCEEDED"], KEEP_FAILED),
    )
    for states, age in lots:
        while True:
            rows = await DBOS.list_workflows_async(
                status=states,
                completed_before=(now - age).isoformat(),
                limit=TIDY_AT_ONCE + len(keep),
                load_input=False,
                load_output=False,
            )
            ids = [row.workflow_id for row in rows if row.workflow_id not in keep]
            if not ids:
                break
            await DBOS.delete_workflows_async(ids)
            deleted += len(ids)
            await asyncio.sleep(0)
    return deleted


def _quiet() -> None:
    """Let the library's warnings go the way of all log records, once each, and nothing below them."""
    logger = logging.getLogger("dbos")
    if not logger.handlers:
        logger.addHandler(logging.NullHandler())  # else it adds one of its own, on standard error
    if _told_already not in logger.filters:
        logger.addFilter(_told_already)


def _told_already(record: logging.LogRecord) -> bool:
    """Drop the library's note of a job that was given up: we have logged it, with the traceback that matters."""
    return not (record.exc_info and isinstance(record.exc_info[1], JobFailedError))
