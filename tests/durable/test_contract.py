"""What every durable engine promises, held by the real one (on both databases) and by the fake."""

import asyncio
from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Callable
from datetime import datetime, timedelta

import pytest

from hub.clock import utc_now
from hub.durable import Argument, Durable, Inspection
from hub.durable.engine import DbosDurable
from hub.errors import ConfigError, NotFoundError, RefusedError, TransientError
from hub.store import Store
from tests.fakes.durable import FakeDurable


class Bench:
    """An engine with a job `note` that writes down its argument's `id`, and ways to wait for what it does."""

    def __init__(self, durable: DbosDurable | FakeDurable) -> None:
        self.durable: Durable = durable
        self.noted: Counter[object] = Counter()
        self._fake = durable if isinstance(durable, FakeDurable) else None
        durable.register("note", self._note)

    async def _note(self, argument: Argument) -> None:
        self.noted[argument["id"]] += 1

    async def until(self, condition: Callable[[Inspection], object]) -> Inspection:
        async with asyncio.timeout(60):
            while True:
                if self._fake is not None:
                    await self._fake.run()
                if condition(found := await self.durable.inspect()):
                    return found
                await asyncio.sleep(0.02)

    async def until_idle(self) -> Inspection:
        return await self.until(lambda found: found.waiting + found.queued + found.running == 0)


class Contract:
    async def test_jobs_run_once_each_with_their_argument(self, bench: Bench) -> None:
        argument = {
            "none": None,
            "true": True,
            "float": 0.5,
            "text": "Zoë and 猫",
            "list": [1, [2]],
            "map": {"a": {}},
        }
        got: list[Argument] = []

        async def keep(argument: Argument) -> None:
            got.append(argument)

        bench.durable.register("keep", keep)
        await bench.durable.start()
        await bench.durable.enqueue("keep", argument)
        for id_ in range(20):
            await bench.durable.enqueue("note", {"id": id_})
        found = await bench.until_idle()
        assert got == [argument]
        assert bench.noted == Counter(range(20))
        assert found == Inspection(done=21)

    async def test_what_nobody_does_is_refused_and_not_kept(self, bench: Bench) -> None:
        with pytest.raises(RuntimeError, match="not started"):
            await bench.durable.enqueue("note", {"id": 1})
        await bench.durable.start()
        with pytest.raises(NotFoundError, match="nobody does the job 'nope'; there are: note"):
            await bench.durable.enqueue("nope", {})
        with pytest.raises(NotFoundError, match="nobody does the job 'nope'"):
            await bench.durable.wake("nope", {}, at=utc_now(), key="k")
        with pytest.raises(TypeError):
            await bench.durable.enqueue("note", {"at": utc_now()})  # type: ignore[dict-item]  # on purpose
        with pytest.raises(TypeError):
            await bench.durable.enqueue("note", ["id"])  # type: ignore[arg-type]  # on purpose
        with pytest.raises(RuntimeError, match="registered before"):
            bench.durable.register("late", bench._note)
        with pytest.raises(RuntimeError, match="registered before"):
            bench.durable.every("late", "* * * * *", "note", {})
        assert await bench.durable.inspect() == Inspection()

    async def test_one_key_is_one_job_while_it_is_queued_or_running(self, bench: Bench) -> None:
        runs: list[object] = []

        async def hold(argument: Argument) -> None:
            runs.append(argument["n"])
            if argument["n"] == 0:
                await bench.durable.enqueue("hold", {"n": 1}, key="same")
                await bench.durable.enqueue("hold", {"n": 2}, key="other")
                await bench.durable.enqueue("note", {"id": "another job's"}, key="same")

        bench.durable.register("hold", hold)
        await bench.durable.start()
        await bench.durable.enqueue("hold", {"n": 0}, key="same")
        await bench.durable.enqueue("hold", {"n": 3}, key="same")
        await bench.until_idle()
        assert runs == [0, 2]
        await bench.durable.enqueue("hold", {"n": 4}, key="same")
        found = await bench.until_idle()
        assert runs == [0, 2, 4]
        assert bench.noted == Counter(["another job's"])
        assert found.done == 4

    async def test_a_wake_waits_for_its_time_and_comes_once(self, bench: Bench) -> None:
        woken: dict[object, list[datetime]] = defaultdict(list)

        async def wake(argument: Argument) -> None:
            step = argument["step"]
            woken[step].append(utc_now())
            if step == 1:
                await bench.durable.wake("wake", {"step": 2}, at=utc_now(), key="run:2")

        bench.durable.register("wake", wake)
        await bench.durable.start()
        at = utc_now() + timedelta(seconds=0.5)
        for _ in range(2):
            await bench.durable.wake("wake", {"step": 1}, at=at, key="run:1")
        await bench.durable.wake("wake", {"step": 3}, at=at + timedelta(days=3), key="run:3")
        found = await bench.until(lambda found: found.done == 2)
        assert {step: len(times) for step, times in woken.items()} == {1: 1, 2: 1}
        assert woken[1][0] >= at
        assert found == Inspection(waiting=1, done=2)
        await bench.durable.wake("wake", {"step": 1}, at=at, key="run:1")
        await bench.durable.wake("wake", {"step": 4}, at=at, key="run:1:again")
        await bench.until(lambda found: found.done == 3)
        assert {step: len(times) for step, times in woken.items()} == {1: 1, 2: 1, 4: 1}

    async def test_what_is_transient_is_tried_again_and_then_given_up(self, bench: Bench) -> None:
        tries: Counter[object] = Counter()

        async def flaky(argument: Argument) -> None:
            tries[argument["id"]] += 1
            if tries[argument["id"]] < argument["works_at"]:  # type: ignore[operator]  # a number
                raise TransientError("the channel is busy")

        bench.durable.register("flaky", flaky)
        await bench.durable.start()
        await bench.durable.enqueue("flaky", {"id": "second", "works_at": 2})
        await bench.durable.enqueue("flaky", {"id": "keyed", "works_at": 3}, key="k")
        await bench.durable.enqueue("flaky", {"id": "never", "works_at": 9})
        await bench.until(lambda found: found.failed and tries["keyed"] == 3)
        found = await bench.until_idle()
        assert tries == {"second": 2, "keyed": 3, "never": 3}
        assert [(each.job, each.error) for each in found.failures] == [
            ("flaky", "after 3 attempts: the channel is busy")
        ]

    async def test_a_failure_is_given_up_and_seen_without_what_its_message_may_hold(self, bench: Bench) -> None:
        async def broken(argument: Argument) -> None:
            bench.noted["tried"] += 1
            raise RefusedError("no such channel") if argument["ours"] else ValueError("token=s3cret")

        bench.durable.register("broken", broken)
        await bench.durable.start()
        before = utc_now() - timedelta(seconds=1)
        await bench.durable.enqueue("broken", {"ours": True})
        await bench.until(lambda found: found.failed == 1)
        await bench.durable.enqueue("broken", {"ours": False})
        found = await bench.until(lambda found: found.failed == 2)
        assert [(each.job, each.error) for each in found.failures] == [
            ("broken", "ValueError, see the log"),
            ("broken", "no such channel"),
        ]
        assert all(before <= each.at <= utc_now() for each in found.failures)
        assert bench.noted["tried"] == 2
        assert (found.done, found.queued, found.waiting) == (0, 0, 0)

    async def test_a_schedule_fires(self, bench: Bench) -> None:
        with pytest.raises(ConfigError) as refused:
            bench.durable.every("Every Day", "61 * * * *", "note", {}, timezone="Europe/Bern")
        assert [fault.key for fault in refused.value.faults] == ["name", "timezone", "cron"]
        bench.durable.every("second", "* * * * * *", "note", {"id": "tick"})
        await bench.durable.start()
        await bench.until(lambda _: bench.noted["tick"] >= 2)

    async def test_a_schedule_of_a_job_nobody_does_stops_the_start(self, bench: Bench) -> None:
        bench.durable.every("daily", "0 6 * * *", "nope", {})
        with pytest.raises(NotFoundError, match="nobody does the job 'nope'"):
            await bench.durable.start()


class TestFake(Contract):
    @pytest.fixture
    def bench(self) -> Bench:
        return Bench(FakeDurable(retry_seconds=(0.1, 0.1)))


class TestReal(Contract):
    @pytest.fixture
    async def bench(self, store: Store) -> AsyncIterator[Bench]:
        durable = DbosDurable(store, poll_seconds=0.05, retry_seconds=(0.1, 0.1))
        yield Bench(durable)
        await durable.stop()
