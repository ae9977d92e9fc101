"""Time that is played: everything at its own moment, in one order, and nothing of it twice."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from hub.clock import utc_now
from hub.demo.month.clock import MovedClock
from hub.demo.month.diary import Diary
from hub.demo.month.stepping import SteppedDurable
from hub.durable import Argument
from hub.errors import NotFoundError, TransientError

MORNING = datetime(2026, 11, 2, 8, 0, tzinfo=UTC)


@pytest.fixture
def clock(tmp_path: Path) -> Iterator[MovedClock]:
    made = MovedClock(tmp_path / "clock")
    made.move(MORNING)
    yield made
    made.close()


class Log:
    """Notes what was done, and when by the clock."""

    def __init__(self, clock: MovedClock) -> None:
        self.clock = clock
        self.done: list[tuple[str, str]] = []

    async def __call__(self, argument: Argument) -> None:
        self.done.append((str(argument.get("name", "")), f"{self.clock():%d %H:%M:%S}"))


async def engine(clock: MovedClock, log: Log) -> SteppedDurable:
    made = SteppedDurable(clock, left=["score"], hours=range(9, 12))
    made.register("note", log)
    made.register("score", log)
    made.every("minutely", "* * * * *", "note", {"name": "net"})
    made.every("monday", "30 9 * * 1", "note", {"name": "weekly"})
    made.every("sync.crm", "0 * * * *", "note", {"name": "sync"})
    await made.start()
    return made


async def test_what_waits_for_its_turn_is_done_together(clock: MovedClock) -> None:
    moves: list[Argument] = []

    async def move(argument: Argument) -> None:
        moves.append(argument)
        if len(moves) == 1:
            await durable.enqueue("move", argument)  # it has begun: this is another one

    durable = SteppedDurable(clock, together={"move": "runs"})
    durable.register("move", move)
    await durable.start()
    for runs in ([["a", 0]], [["b", 0], ["c", 1]], [["a", 0]], [["b", 1]]):
        await durable.enqueue("move", {"runs": runs})
    await durable.idle()
    first, other = {"runs": [["a", 0], ["b", 0], ["c", 1]]}, {"runs": [["b", 1]]}
    assert moves == [first, other, first], "of one run two moves are no one, and what has begun takes no more"


async def test_wakes_and_ticks_come_at_their_moments(clock: MovedClock) -> None:
    log = Log(clock)
    durable = await engine(clock, log)
    durable.watch_from(MORNING, but=lambda name: name.startswith("sync."))
    await durable.wake("note", {"name": "late"}, at=MORNING + timedelta(hours=2, minutes=5), key="a")
    await durable.wake("note", {"name": "late"}, at=MORNING + timedelta(hours=2, minutes=5), key="a")
    await durable.wake("note", {"name": "early"}, at=MORNING + timedelta(minutes=7), key="b")
    await durable.enqueue("note", {"name": "now"})
    await durable.live_until(MORNING + timedelta(days=1, hours=1, minutes=30))
    assert log.done == [
        ("now", "02 08:00:00"),
        ("early", "02 08:07:00"),
        ("net", "02 09:00:00"),
        ("weekly", "02 09:30:00"),
        ("net", "02 10:00:00"),
        ("late", "02 10:05:00"),
        ("net", "02 11:00:00"),
        ("net", "03 09:00:00"),
    ]
    assert clock() == MORNING + timedelta(days=1, hours=1, minutes=30)


async def test_a_key_is_one_job_while_it_waits_or_runs(clock: MovedClock) -> None:
    log = Log(clock)
    durable = SteppedDurable(clock)

    async def again(_: Argument) -> None:
        await durable.enqueue("note", {"name": "same"}, key="k")
        await durable.enqueue("again", {}, key="self")

    durable.register("note", log)
    durable.register("again", again)
    await durable.start()
    await durable.enqueue("again", {}, key="self")
    await durable.enqueue("note", {"name": "same"}, key="k")
    await durable.idle()
    assert log.done == [("same", "02 08:00:00")]
    await durable.enqueue("note", {"name": "same"}, key="k")
    await durable.idle()
    assert len(log.done) == 2


async def test_what_may_work_later_is_tried_again_and_what_is_wrong_is_told(clock: MovedClock) -> None:
    tries: list[str] = []

    async def shaky(_: Argument) -> None:
        tries.append(f"{clock():%H:%M:%S}")
        raise TransientError("not now")

    async def broken(_: Argument) -> None:
        raise ValueError("a secret")

    durable = SteppedDurable(clock)
    durable.register("shaky", shaky)
    durable.register("broken", broken)
    await durable.start()
    await durable.enqueue("shaky", {})
    await durable.enqueue("broken", {})
    await durable.live_until(MORNING + timedelta(hours=1))
    assert tries == ["08:00:00", "08:00:10", "08:01:10", "08:06:10"]
    assert [(each.job, each.error) for each in durable.failures] == [
        ("broken", "ValueError, see the log"),
        ("shaky", "after 4 attempts: not now"),
    ]
    with pytest.raises(NotFoundError, match="nobody does the job 'unknown'; there are: broken, shaky"):
        await durable.enqueue("unknown", {})


async def test_jobs_that_the_days_do_themselves_are_left(clock: MovedClock) -> None:
    log = Log(clock)
    durable = await engine(clock, log)
    await durable.enqueue("score", {})
    await durable.wake("score", {}, at=MORNING + timedelta(hours=1), key="x")
    await durable.live_until(MORNING + timedelta(hours=2))
    assert log.done == []


def test_the_clock_is_seen_by_all_who_have_its_file(clock: MovedClock, tmp_path: Path) -> None:
    other = MovedClock(tmp_path / "clock")
    assert other() == other.moved_to == MORNING
    clock.move(MORNING + timedelta(days=3))
    assert other() == MORNING + timedelta(days=3)
    other.release()
    assert clock.moved_to is None
    assert abs(clock() - utc_now()) < timedelta(minutes=1)
    other.close()


def test_a_diary_is_kept_and_an_older_demo_has_none(tmp_path: Path) -> None:
    first = Diary.of(tmp_path, days=4, today=MORNING.date(), new=True)
    assert (first.begins.isoformat(), first.over, first.first) == (
        "2026-10-29",
        False,
        datetime(2026, 10, 29, tzinfo=UTC),
    )
    first.noted(steps=7)
    again = Diary.of(tmp_path, days=30, today=MORNING.date() + timedelta(days=9), new=False)
    assert (again.days, again.begins, again.prepared, again.steps) == (4, first.begins, True, 7)
    (tmp_path / "older").mkdir()
    assert Diary.of(tmp_path / "older", days=30, today=MORNING.date(), new=False).over
    (tmp_path / "none").mkdir()
    assert Diary.of(tmp_path / "none", days=0, today=MORNING.date(), new=True).over
