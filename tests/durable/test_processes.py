"""Several real processes: killed in the middle, restarted with other code, working side by side."""

import asyncio
import json
import signal
import sys
from collections import Counter
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from dbos import DBOS
from sqlalchemy import text

from hub.clock import utc_now
from hub.durable import Argument
from hub.durable.engine import DbosDurable
from hub.store import Store

pytestmark = pytest.mark.long

WORKER = Path(__file__).with_name("worker.py")
PATIENCE = 60  # seconds, on a machine that is busy with other things


class Workers:
    """Starts worker processes, and ends those that are left."""

    def __init__(self, store: Store, url: str) -> None:
        self._store = store
        self._url = url
        self._processes: list[asyncio.subprocess.Process] = []

    async def start(self, name: str, **settings: object) -> asyncio.subprocess.Process:
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-W",
            "error",
            str(WORKER),
            json.dumps({"name": name, "url": self._url, **settings}),
            stdout=asyncio.subprocess.PIPE,
        )
        self._processes.append(process)
        await self.said(process, "ready")
        return process

    async def said(self, process: asyncio.subprocess.Process, word: str) -> None:
        assert process.stdout is not None
        async with asyncio.timeout(PATIENCE):
            async for line in process.stdout:
                if line.decode().strip() == word:
                    return
        raise AssertionError(f"the worker ended before it said {word!r}")

    async def kill(self, process: asyncio.subprocess.Process) -> None:
        process.kill()
        assert await process.wait() == -signal.SIGKILL

    async def stop(self, process: asyncio.subprocess.Process) -> dict[str, Any]:
        process.terminate()
        assert process.stdout is not None
        async with asyncio.timeout(PATIENCE):
            said = (await process.stdout.read()).decode().splitlines()
            assert await process.wait() == 0
        last: dict[str, Any] = json.loads(said[-1])
        return last

    async def stop_all(self) -> None:
        for process in self._processes:
            if process.returncode is None:
                await self.kill(process)

    async def trace(self) -> list[tuple[str, str, float]]:
        async with self._store.reading() as connection:
            rows = await connection.execute(text("SELECT worker, what, at FROM trace ORDER BY at"))
            return [(row.worker, row.what, row.at) for row in rows]

    async def until(self, what: str, times: int = 1) -> list[tuple[str, str]]:
        async with asyncio.timeout(PATIENCE):
            while True:
                found = [(worker, did) for worker, did, _ in await self.trace()]
                if sum(did == what for _, did in found) >= times:
                    return found
                await asyncio.sleep(0.05)


@pytest.fixture
async def workers(store: Store, store_url: str) -> AsyncIterator[Workers]:
    async with store.transaction() as connection:
        await connection.execute(text("CREATE TABLE trace (worker VARCHAR(9), what VARCHAR(60), at DOUBLE PRECISION)"))
    made = Workers(store, store_url)
    yield made
    await made.stop_all()


@pytest.fixture
async def asker(store: Store, workers: Workers) -> AsyncIterator[DbosDurable]:
    """Asks for jobs, and does none."""

    async def refuse(argument: Argument) -> None:
        raise AssertionError("a process that doesn't work was given a job")

    durable = DbosDurable(store, work=False)
    for job in ("mark", "slow"):
        durable.register(job, refuse)
    await durable.start()
    yield durable
    await durable.stop()


async def test_a_killed_process_leaves_its_jobs_and_waits_to_another_release(
    store: Store, workers: Workers, asker: DbosDurable
) -> None:
    hidden = store.dialect == "postgresql"  # there the dead one is only silent, on SQLite it is seen to be gone
    first = await workers.start("first", slow=3600, hidden=hidden, dead=1)
    await asker.enqueue("slow", {})
    await workers.said(first, "began")
    async with asyncio.timeout(PATIENCE):
        while (await asker.inspect()).done < 1:  # noqa: ASYNC110  another process
            await asyncio.sleep(0.05)
    await asker.wake("mark", {"id": "in 3 days"}, at=utc_now() + timedelta(days=3), key="in 3 days")
    await asker.wake("mark", {"id": "in 3 seconds"}, at=utc_now() + timedelta(seconds=3), key="in 3 seconds")
    await workers.kill(first)
    inspected = await asker.inspect()
    assert (inspected.waiting, inspected.running, inspected.done) == (2, 1, 1)
    second = await workers.start("second", hidden=hidden, release=2, dead=1)
    await workers.until("ended")
    await workers.until("mark of second")
    found = await workers.until("mark in 3 seconds")
    # at least once: begun twice, ended once; and what the second run asks for is done, not the record of the first
    assert sorted(found) == [
        ("first", "began"),
        ("first", "mark of first"),
        ("second", "began"),
        ("second", "ended"),
        ("second", "mark in 3 seconds"),
        ("second", "mark of second"),
    ]
    await workers.stop(second)
    inspected = await asker.inspect()
    assert (inspected.waiting, inspected.queued, inspected.running, inspected.done) == (1, 0, 0, 4)


async def test_two_processes_share_the_queue_each_tick_is_one_and_nobody_is_phoned(
    store: Store, workers: Workers, asker: DbosDurable
) -> None:
    pair = await asyncio.gather(*(workers.start(name, ticks=True, meet=True) for name in ("left", "right")))
    marks = {f"mark {n}" for n in range(40)}
    for id_ in range(40):
        await asker.enqueue("mark", {"id": id_})
    slow = 0
    async with asyncio.timeout(PATIENCE):
        # each slow job keeps its place, of which a process has two, until the other process has begun one
        while len({worker for worker, what, _ in await workers.trace() if what == "began"}) < 2:
            await asker.enqueue("slow", {})
            slow += 1
            await asyncio.sleep(0.1)
    await workers.until("mark tick", 2)
    await workers.until("ended", slow)
    async with asyncio.timeout(PATIENCE):
        while sum(what in marks for _, what, _ in await workers.trace()) < 40:  # noqa: ASYNC110  other processes
            await asyncio.sleep(0.05)
    for each in pair:
        hosts = (await workers.stop(each))["hosts"]
        # the library phones nobody: there is no connection but the database's own
        assert set(hosts) <= ({"", "127.0.0.1", "localhost"} if store.dialect == "postgresql" else set())
        assert hosts or store.dialect == "sqlite", "the hook sees the store's connections"
    trace = await workers.trace()
    did = Counter(what for _, what, _ in trace)
    assert {what: times for what, times in did.items() if what in marks} == dict.fromkeys(marks, 1)
    assert (did["began"], did["ended"]) == (slow, slow)
    inspected = await asker.inspect()
    assert (inspected.done, inspected.running, inspected.failed) == (len(trace) - slow, 0, 0)
    # both processes asked for each tick, and each tick is one job
    rows = await DBOS.list_workflows_async(workflow_id_prefix="every:second:", status="SUCCESS")
    ticks = Counter(datetime.fromisoformat(row.workflow_id.removeprefix("every:second:")) for row in rows)
    assert set(ticks.values()) == {1}
    assert did["mark tick"] == len(ticks) >= 2
