"""What only the real engine must do: start and stop well, survive the dead, tidy up, keep quiet."""

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import text

from hub.clock import utc_now
from hub.durable import Argument, Handler, Inspection, library, process
from hub.durable import engine as engine_module
from hub.durable.engine import DbosDurable
from hub.durable.heartbeat import Heartbeat
from hub.errors import NotFoundError
from hub.store import Store, executors
from hub.store.engine_database import SCHEMA, EngineDatabase

NOW = datetime(2026, 11, 22, 10, 0, tzinfo=UTC)


async def nothing(argument: Argument) -> None:
    pass


@asynccontextmanager
async def running(
    store: Store,
    handler: Handler = nothing,
    *,
    work: bool = True,
    minutely: bool = False,
    drain_seconds: float = 5.0,
    clock: Callable[[], datetime] | None = None,
) -> AsyncIterator[DbosDurable]:
    """An engine whose one job is `job`."""
    durable = DbosDurable(
        store,
        work=work,
        poll_seconds=0.05,
        beat_seconds=0.1,
        dead_seconds=1.0,
        drain_seconds=drain_seconds,
        **({} if clock is None else {"clock": clock}),  # type: ignore[arg-type]  # a clock
    )
    durable.register("job", handler)
    if minutely:
        durable.every("minutely", "* * * * *", "job", {})
    await durable.start()
    try:
        yield durable
    finally:
        await durable.stop()


async def until(durable: DbosDurable, condition: Callable[[Inspection], object]) -> Inspection:
    async with asyncio.timeout(60):
        while not condition(found := await durable.inspect()):  # noqa: ASYNC110  the engine's threads set no event
            await asyncio.sleep(0.02)
    return found


async def rewrite(store: Store, assignments: str) -> None:
    """Change the rows of the engine behind its back."""
    database = EngineDatabase.beside(store.url)
    table = "workflow_status" if store.dialect == "sqlite" else f"{SCHEMA}.workflow_status"
    with database.engine.begin() as connection:
        connection.execute(text(f"UPDATE {table} SET {assignments}"))
    database.close()


async def test_stop_lets_what_runs_finish_and_leaves_the_rest_in_the_queue(sqlite_store: Store) -> None:
    began, done = asyncio.Event(), 0

    async def handler(argument: Argument) -> None:
        nonlocal done
        began.set()
        await asyncio.sleep(0.3)
        done += 1

    async with running(sqlite_store, handler) as durable:
        for n in range(20):
            await durable.enqueue("job", {"n": n})
        await began.wait()
    assert 0 < done < 20
    async with running(sqlite_store, handler, work=False) as durable:
        assert await durable.inspect() == Inspection(done=done, queued=20 - done)
        await asyncio.sleep(0.2)
        assert (await durable.inspect()).queued == 20 - done, "who doesn't work takes nothing"
    async with sqlite_store.reading() as connection:
        assert await executors.find_beats(connection) == {}
    # the library took the event loop's pool with it; it has another
    assert await asyncio.to_thread(lambda: 1) == 1


async def test_what_does_not_finish_is_cut_off_and_starts_again_elsewhere(
    sqlite_store: Store, caplog: pytest.LogCaptureFixture
) -> None:
    began, cut = asyncio.Event(), False

    async def endless(argument: Argument) -> None:
        nonlocal cut
        began.set()
        try:
            await asyncio.sleep(3600)
        except asyncio.CancelledError:
            cut = True
            raise

    async with running(sqlite_store, endless, drain_seconds=0.2) as durable:
        await durable.enqueue("job", {}, key="k")
        await began.wait()
    assert cut
    assert "1 jobs are still running and are left to other processes" in caplog.messages
    async with running(sqlite_store) as durable:
        await until(durable, lambda found: found == Inspection(done=1))


async def test_a_job_taken_over_keeps_its_key_and_the_count_of_its_deaths(store: Store) -> None:
    async with running(store, work=False) as durable:
        await durable.enqueue("job", {"n": 1}, key="k")
    await rewrite(store, "status = 'PENDING', executor_id = 'somebody-who-died', recovery_attempts = 4")
    got: list[object] = []
    attempts: list[int | None] = []

    async def handler(argument: Argument) -> None:
        got.append(argument["n"])
        await durable.enqueue("job", {"n": 2}, key="k")
        attempts.extend(each.recovery_attempts for each in await library.find_running())

    async with running(store, handler) as durable:
        await until(durable, lambda found: found.done == 1)
        assert await durable.inspect() == Inspection(done=1)
    assert got == [1]
    assert attempts == [5]


async def test_a_job_that_kills_too_many_processes_is_abandoned_and_seen(store: Store) -> None:
    async with running(store, work=False) as durable:
        await durable.enqueue("job", {"n": 1}, key="k")
    await rewrite(
        store, f"status = 'PENDING', executor_id = 'its-victim', recovery_attempts = {library.MOST_TAKEOVERS + 1}"
    )
    got: list[Argument] = []

    async def handler(argument: Argument) -> None:
        got.append(argument)

    async with running(store, handler) as durable:
        found = await until(durable, lambda found: found.abandoned)
    assert got == []
    assert [(each.job, each.error) for each in found.failures] == [
        ("job", "given up after 10 processes died running it")
    ]


async def test_work_of_a_process_that_beats_is_left_alone(store: Store) -> None:
    async with running(store, work=False) as durable:
        await durable.enqueue("job", {})
    await rewrite(store, "status = 'PENDING', executor_id = 'alive'")

    async with running(store, clock=lambda: NOW) as durable:
        async with store.transaction() as connection:
            await executors.beat(connection, id="alive", started_at=NOW, now=NOW)
        await rewrite(store, "status = 'PENDING', executor_id = 'alive'")
        await asyncio.sleep(0.5)
        assert (await durable.inspect()).running == 1
        async with store.transaction() as connection:
            await executors.remove(connection, ["alive"])
        await until(durable, lambda found: found.done == 1)


async def test_ticks_missed_over_days_are_one_job_after_the_restart(store: Store) -> None:
    now, ran = NOW, 0

    async def handler(argument: Argument) -> None:
        nonlocal ran
        ran += 1

    async with running(store, handler, minutely=True, clock=lambda: now) as durable:
        assert durable._ticker is not None
        now += timedelta(minutes=1)
        await durable._ticker.tick()
        await until(durable, lambda found: found.done == 1)
    now += timedelta(days=3)
    async with running(store, handler, minutely=True, clock=lambda: now) as durable:
        found = await until(durable, lambda found: found.done == 2)
        assert durable._ticker is not None
        await durable._ticker.tick()
        # the same tick from another process, also after its job is done, is the same job
        await durable._fire(durable._schedules["minutely"], now)
        assert await durable.inspect() == found
    assert ran == 2


async def test_what_is_done_long_since_is_forgotten_but_for_the_newest_tick(store: Store) -> None:
    now = NOW
    async with running(store, minutely=True, clock=lambda: now) as durable:
        assert durable._ticker is not None
        for _ in range(2):
            now += timedelta(minutes=1)
            await durable._ticker.tick()
            await until(durable, lambda found: found.queued + found.running == 0)
        await durable.enqueue("job", {})
        await durable.wake("job", {}, at=now + timedelta(days=30), key="later")
        found = await until(durable, lambda found: found.done == 3)
        keep = durable._ticker.newest_ids
        real = datetime.now(UTC)  # the rows carry the database's time
        assert await library.tidy(now=real + library.KEEP_DONE - timedelta(hours=1), keep=keep) == 0
        assert await durable.inspect() == found
        assert await library.tidy(now=real + library.KEEP_DONE + timedelta(hours=1), keep=keep) == 2
        assert await durable.inspect() == Inspection(done=1, waiting=1)
        assert await library.find_newest_id("every:minutely:") == keep.pop()


async def test_one_engine_a_process(sqlite_store: Store) -> None:
    async with running(sqlite_store) as durable:
        with pytest.raises(RuntimeError, match="exists once a process"):
            async with running(sqlite_store, work=False):
                pass
        with pytest.raises(NotFoundError, match="there is no queue 'fast'; there are: default"):
            await durable.enqueue("job", {}, queue="fast")
        await durable.enqueue("job", {})
        await until(durable, lambda found: found.done == 1)


async def test_a_failure_is_logged_once_with_its_traceback_and_the_library_is_quiet(
    sqlite_store: Store, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(logging.DEBUG)

    async def broken(argument: Argument) -> None:
        raise ValueError("on purpose")

    async with running(sqlite_store, broken) as durable:
        await durable.enqueue("job", {})
        await until(durable, lambda found: found.failed)
    told = [record for record in caplog.records if record.levelno >= logging.WARNING]
    assert [(record.name, record.getMessage()) for record in told] == [
        (engine_module.__name__, "job job failed, it is given up")
    ]
    assert "on purpose" in (caplog.text)
    assert not [record for record in caplog.records if record.name == "dbos"]
    assert capfd.readouterr().err == ""


async def test_a_process_beats_while_a_handler_keeps_its_event_loop_busy(sqlite_store: Store) -> None:
    silent: list[timedelta] = []

    async def busy(argument: Argument) -> None:
        time.sleep(0.6)  # noqa: ASYNC251  as a training would
        async with sqlite_store.reading() as connection:
            beats = await executors.find_beats(connection)
        silent.append(utc_now() - beats[durable.executor])

    async with running(sqlite_store, busy) as durable:
        await durable.enqueue("job", {})
        await until(durable, lambda found: found.done == 1)
    assert silent[0] < timedelta(seconds=0.5)


async def test_handlers_run_on_the_loop_of_the_start(sqlite_store: Store) -> None:
    loops: list[asyncio.AbstractEventLoop] = []

    async def handler(argument: Argument) -> None:
        loops.append(asyncio.get_running_loop())
        async with sqlite_store.transaction() as connection:
            await connection.execute(text("SELECT 1"))

    async with running(sqlite_store, handler) as durable:
        await durable.enqueue("job", {})
        await until(durable, lambda found: found.done == 1)
    assert loops == [asyncio.get_running_loop()]


async def test_many_processes_beat_at_once_and_one_of_them_leads(store: Store) -> None:
    async def none() -> set[str]:
        return set()

    async def tidy() -> None:
        pass

    async with store.transaction() as connection:
        await executors.beat(connection, id=process.new_id(), started_at=NOW, now=NOW)  # of before, surely gone
    beats = [
        Heartbeat(
            store,
            executor=f"elsewhere-{n}",
            clock=lambda: NOW,
            beat_seconds=1,
            dead_seconds=15,
            running=none,
            hand_over=len,
            tidy=tidy,
        )
        for n in range(6)
    ]
    for _ in range(8):
        assert sum(await asyncio.gather(*(each.beat(store) for each in beats))) == 1
    async with store.reading() as connection:
        assert set(await executors.find_beats(connection)) == {f"elsewhere-{n}" for n in range(6)}
