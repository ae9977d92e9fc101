"""What every durable engine promises, held by the real one (on both databases) and by the fake."""

import asyncio
import logging
from collections import Counter
from collections.abc import AsyncIterator, Callable
from datetime import timedelta

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
        async with asyncio.timeout(15):
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
        await bench.durable.start()
        for id_ in range(20):
            await bench.durable.enqueue("note", {"id": id_})
        found = await bench.until_idle()
        assert bench.noted == Counter(range(20))
        assert found == Inspection(done=20)

    async def test_an_argument_comes_back_as_it_was(self, bench: Bench) -> None:
        argument = {"none": None, "true": True, "float": 0.5, "text": "Zoë’s „mail“", "list": [1, [2]], "map": {"a": {}}}
        got: list[Argument] = []

        async def keep(argument: Argument) -> None:
            got.append(argument)

        bench.durable.register("keep", keep)
        await bench.durable.start()
        await bench.durable.enqueue("keep", argument)
        await bench.until_idle()
        assert got == [argument]

    async def test_one_key_is_one_job_while_it_is_queued_or_running(self, bench: Bench) -> None:
        entered, leave = asyncio.Event(), asyncio.Event()
        runs: list[object] = []

        async def hold(argument: Argument) -> None:
            runs.append(argument["n"])
            entered.set()
            if argument["n"] == 0:
                await bench.durable.enqueue("hold", {"n": 1}, key="same")
                await bench.durable.enqueue("hold", {"n": 2}, key="other")
                leave.set()

        bench.durable.register("hold", hold)
        await bench.durable.start()
        await bench.durable.enqueue("hold", {"n": 0}, key="same")
        await bench.durable.enqueue("hold", {"n": 3}, key="same")
        await bench.until(lambda _: leave.is_set())
        await bench.until_idle()
        assert runs == [0, 2]
        await bench.durable.enqueue("hold", {"n": 4}, key="same")
        found = await bench.until_idle()
        assert runs == [0, 2, 4]
        assert found.done == 3

    async def test_a_key_is_a_jobs_own(self, bench: Bench) -> None:
        async def other(argument: Argument) -> None:
            bench.noted["other"] += 1

        bench.durable.register("other", other)
        await bench.durable.start()
        await bench.durable.enqueue("note", {"id": "note"}, key="k")
        await bench.durable.enqueue("other", {}, key="k")
        await bench.until_idle()
        assert bench.noted == Counter(["note", "other"])

    async def test_a_wake_waits_for_its_time(self, bench: Bench) -> None:
        at = utc_now() + timedelta(seconds=1)
        woken_at = []

        async def wake(argument: Argument) -> None:
            woken_at.append(utc_now())

        bench.durable.register("wake", wake)
        await bench.durable.start()
        await bench.durable.wake("wake", {}, at=at, key="run:1")
        await bench.durable.wake("wake", {}, at=at + timedelta(days=3), key="run:2")
        found = await bench.until(lambda found: found.done == 1)
        assert len(woken_at) == 1
        assert woken_at[0] >= at
        assert found == Inspection(waiting=1, done=1)

    async def test_the_same_wake_twice_is_one_also_after_it_ran(self, bench: Bench) -> None:
        past = utc_now() - timedelta(hours=1)
        await bench.durable.start()
        for _ in range(2):
            await bench.durable.wake("note", {"id": 1}, at=past, key="run:1:0")
        await bench.until_idle()
        await bench.durable.wake("note", {"id": 2}, at=past, key="run:1:0")
        await bench.durable.wake("note", {"id": 3}, at=past, key="run:1:1")
        await bench.until_idle()
        assert bench.noted == Counter([1, 3])

    async def test_a_handler_may_ask_for_the_next_segment(self, bench: Bench) -> None:
        async def step(argument: Argument) -> None:
            n = argument["n"]
            assert isinstance(n, int)
            bench.noted[n] += 1
            if n < 3:
                await bench.durable.wake("step", {"n": n + 1}, at=utc_now(), key=f"run:{n + 1}")

        bench.durable.register("step", step)
        await bench.durable.start()
        await bench.durable.enqueue("step", {"n": 0})
        await bench.until(lambda _: bench.noted[3])
        assert bench.noted == Counter(range(4))

    @pytest.mark.parametrize("key", [None, "k"])
    async def test_what_is_transient_is_tried_again(self, bench: Bench, key: str | None) -> None:
        async def flaky(argument: Argument) -> None:
            bench.noted["tried"] += 1
            if bench.noted["tried"] < 3:
                raise TransientError("the channel is busy")

        bench.durable.register("flaky", flaky)
        await bench.durable.start()
        await bench.durable.enqueue("flaky", {"id": 1}, key=key)
        found = await bench.until(lambda found: bench.noted["tried"] == 3 and not found.running)
        assert found.failed == 0
        assert found.waiting == 0

    async def test_what_stays_transient_is_given_up(self, bench: Bench) -> None:
        async def flaky(argument: Argument) -> None:
            bench.noted["tried"] += 1
            raise TransientError("the channel is busy")

        bench.durable.register("flaky", flaky)
        await bench.durable.start()
        await bench.durable.enqueue("flaky", {})
        found = await bench.until(lambda found: found.failed)
        assert bench.noted["tried"] == 3
        assert [(each.job, each.error) for each in found.failures] == [
            ("flaky", "after 3 attempts: the channel is busy")
        ]
        await bench.until_idle()
        assert bench.noted["tried"] == 3

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

    async def test_what_nobody_does_is_refused_and_not_kept(self, bench: Bench) -> None:
        await bench.durable.start()
        with pytest.raises(NotFoundError, match="nobody does the job 'nope'; there are: note"):
            await bench.durable.enqueue("nope", {})
        with pytest.raises(NotFoundError, match="nobody does the job 'nope'"):
            await bench.durable.wake("nope", {}, at=utc_now(), key="k")
        with pytest.raises(TypeError):
            await bench.durable.enqueue("note", {"at": utc_now()})  # type: ignore[dict-item]  # on purpose
        with pytest.raises(TypeError):
            await bench.durable.enqueue("note", ["id"])  # type: ignore[arg-type]  # on purpose
        assert await bench.durable.inspect() == Inspection()

    async def test_a_schedule_fires(self, bench: Bench) -> None:
        bench.durable.every("second", "* * * * * *", "note", {"id": "tick"})
        await bench.durable.start()
        await bench.until(lambda _: bench.noted["tick"] >= 2)

    async def test_before_and_after_the_start(self, bench: Bench) -> None:
        with pytest.raises(RuntimeError, match="not started"):
            await bench.durable.enqueue("note", {"id": 1})
        with pytest.raises(ConfigError) as refused:
            bench.durable.every("Every Day", "61 * * * *", "note", {}, timezone="Europe/Bern")
        assert [fault.key for fault in refused.value.faults] == ["name", "timezone", "cron"]
        await bench.durable.start()
        with pytest.raises(RuntimeError, match="registered before"):
            bench.durable.register("late", bench._note)
        with pytest.raises(RuntimeError, match="registered before"):
            bench.durable.every("late", "* * * * *", "note", {})

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
    async def bench(self, store: Store, caplog: pytest.LogCaptureFixture) -> AsyncIterator[Bench]:
        caplog.set_level(logging.INFO)
        durable = DbosDurable(store, poll_seconds=0.05, retry_seconds=(0.1, 0.1))
        yield Bench(durable)
        await durable.stop()
