"""Ticks: which is due, which is next, and that many missed ones are one."""

from datetime import UTC, datetime, timedelta

import pytest

from hub.durable.schedule import Schedule, schedule
from hub.durable.ticker import Ticker
from hub.errors import ConfigError

NOW = datetime(2026, 11, 22, 10, 0, tzinfo=UTC)


def daily(timezone: str = "UTC") -> Schedule:
    return schedule("daily", "30 6 * * *", "digest", {"to": "all"}, timezone=timezone)


@pytest.mark.parametrize(
    ("now", "newest", "following"),
    [
        (datetime(2026, 11, 22, 6, 29, 59, tzinfo=UTC), 21, 22),
        (datetime(2026, 11, 22, 6, 30, tzinfo=UTC), 22, 23),
        (datetime(2026, 11, 22, 6, 30, 0, 1, tzinfo=UTC), 22, 23),
    ],
)
def test_a_tick_is_due_from_its_very_moment(now: datetime, newest: int, following: int) -> None:
    assert daily().newest_tick(now) == datetime(2026, 11, newest, 6, 30, tzinfo=UTC)
    assert daily().next_tick(now) == datetime(2026, 11, following, 6, 30, tzinfo=UTC)


def test_ticks_follow_the_time_zone_through_the_summer() -> None:
    berlin = daily("Europe/Berlin")
    assert berlin.newest_tick(NOW) == datetime(2026, 11, 22, 5, 30, tzinfo=UTC)
    assert berlin.next_tick(datetime(2026, 3, 28, 12, tzinfo=UTC)) == datetime(2026, 3, 29, 4, 30, tzinfo=UTC)


def test_a_tick_has_one_id_in_every_time_zone() -> None:
    tick = datetime(2026, 11, 22, 5, 30, tzinfo=UTC)
    assert daily().tick_id(tick) == "every:daily:2026-11-22T05:30:00+00:00"
    assert daily().tick_of("every:daily:2026-11-22T05:30:00+00:00") == tick
    assert daily().tick_of("every:daily-too:2026-11-22T05:30:00+00:00") is None


def test_everything_wrong_with_a_schedule_is_told_at_once() -> None:
    with pytest.raises(ConfigError) as refused:
        schedule("Daily:1", "30 25 * * *", "digest", {}, timezone="Mars/Olympus")
    assert [fault.key for fault in refused.value.faults] == ["name", "timezone", "cron"]


class Clockwork:
    def __init__(self, *schedules: Schedule, seen: dict[str, datetime]) -> None:
        self.now = NOW
        self.fired: list[tuple[str, datetime]] = []
        self.broken = False
        self.ticker = Ticker(schedules, seen=seen, fire=self._fire, clock=lambda: self.now)

    async def _fire(self, due: Schedule, tick: datetime) -> None:
        if self.broken:
            raise OSError("the database is away")
        self.fired.append((due.name, tick))


async def test_a_new_schedule_owes_nothing_for_the_past() -> None:
    clockwork = Clockwork(daily(), seen={})
    await clockwork.ticker.tick()
    assert clockwork.fired == []
    clockwork.now += timedelta(days=1)
    await clockwork.ticker.tick()
    await clockwork.ticker.tick()
    assert clockwork.fired == [("daily", datetime(2026, 11, 23, 6, 30, tzinfo=UTC))]


async def test_missed_ticks_are_one_at_the_start_and_after_a_sleep() -> None:
    minutely = schedule("minutely", "* * * * *", "sweep", {}, timezone="UTC")
    clockwork = Clockwork(daily(), minutely, seen={"minutely": NOW - timedelta(days=3), "daily": NOW})
    await clockwork.ticker.tick()
    assert clockwork.fired == [("minutely", NOW)]
    clockwork.now += timedelta(hours=5, seconds=20)
    await clockwork.ticker.tick()
    assert clockwork.fired == [("minutely", NOW), ("minutely", NOW + timedelta(hours=5))]
    assert clockwork.ticker.newest_ids == {
        minutely.tick_id(NOW + timedelta(hours=5)),
        daily().tick_id(NOW),
    }


async def test_a_tick_that_could_not_be_asked_for_is_still_due() -> None:
    clockwork = Clockwork(daily(), seen={"daily": NOW - timedelta(days=1)})
    clockwork.broken = True
    with pytest.raises(OSError, match="away"):
        await clockwork.ticker.tick()
    clockwork.broken = False
    await clockwork.ticker.tick()
    assert clockwork.fired == [("daily", datetime(2026, 11, 22, 6, 30, tzinfo=UTC))]


async def test_a_clock_set_back_fires_nothing_again() -> None:
    clockwork = Clockwork(daily(), seen={"daily": NOW - timedelta(days=1)})
    await clockwork.ticker.tick()
    clockwork.now -= timedelta(days=2)
    await clockwork.ticker.tick()
    assert len(clockwork.fired) == 1
