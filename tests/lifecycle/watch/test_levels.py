"""Levels of a wavering number: what enters them, what leaves them, and that a series gives the same bit by bit as at once."""

import random
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta

import numpy as np
import pytest

from scoring.levels import LevelChange, Scale, State, levels, step, times

DAY = date(2026, 3, 1)
HEALTH = Scale(
    names=("clear", "warning", "critical"),
    limits=(0.5, 0.3),
    worse="below",
    holds=(timedelta(hours=20), timedelta(0)),
    margin=0.05,
    recovery=timedelta(hours=20),
    memory=timedelta(days=14),
)
CHURN = Scale(
    names=("clear", "medium", "high"),
    limits=(0.4, 0.7),
    worse="above",
    holds=(timedelta(days=2), timedelta(days=1)),
    margin=0.05,
    recovery=timedelta(days=1),
    memory=timedelta(days=3),
)


def at(day: int) -> datetime:
    return datetime(2026, 3, 1, tzinfo=UTC) + timedelta(days=day)


def daily(scale: Scale, *values: float | None) -> list[tuple[int, str | None]]:
    """(number of the day, new level) of each change."""
    history = [(DAY + timedelta(days=i), value) for i, value in enumerate(values)]
    return [((each.at - at(0)).days, each.new) for each in levels(history, scale)]


def test_what_begins_well_is_clear() -> None:
    assert levels([(DAY, 0.8), (DAY + timedelta(days=1), 0.5)], HEALTH) == [LevelChange(at(0), None, "clear")]


def test_critical_counts_at_once_and_warning_when_it_has_held() -> None:
    assert daily(HEALTH, 0.8, 0.29) == [(0, "clear"), (1, "critical")]
    assert daily(HEALTH, 0.8, 0.49, 0.49) == [(0, "clear"), (2, "warning")]
    assert daily(HEALTH, 0.8, 0.49, 0.5, 0.49, 0.5, 0.49) == [(0, "clear")], "it never held"
    assert daily(HEALTH, 0.2) == [(0, "critical")]


def test_a_limit_is_not_beyond_itself() -> None:
    assert daily(HEALTH, 0.3, 0.3, 0.3) == [(0, "clear"), (1, "warning")]
    assert daily(CHURN, 0.7, 0.7, 0.7, 0.7) == [(0, "clear"), (2, "medium")]


def test_a_level_is_left_only_behind_the_margin_and_after_a_while() -> None:
    assert daily(HEALTH, 0.2, 0.34, 0.34, 0.34) == [(0, "critical")]
    assert daily(HEALTH, 0.2, 0.35, 0.35) == [(0, "critical"), (2, "warning")]
    assert daily(HEALTH, 0.2, 0.54, 0.54, 0.54) == [(0, "critical"), (2, "warning")], (
        "not back behind 0.5 with its margin"
    )
    assert daily(HEALTH, 0.2, 0.55, 0.55) == [(0, "critical"), (2, "clear")]
    assert daily(HEALTH, 0.2, 0.9, 0.2, 0.9, 0.2) == [(0, "critical")]
    assert daily(CHURN, 0.1, 0.8, 0.8, 0.65, 0.65, 0.3, 0.3) == [
        (0, "clear"),
        (2, "high"),
        (4, "medium"),
        (6, "clear"),
    ], "0.7 less 0.05 is 0.65, whatever floating point makes of it"


def test_what_was_beyond_both_limits_counts_for_both() -> None:
    assert daily(CHURN, 0.5, 0.8, 0.5) == [(0, "clear"), (2, "medium")], "above 0.4 for two days, above 0.7 for none"


def test_a_missing_value_changes_nothing_until_it_has_been_missing_for_long() -> None:
    gone = [None] * 2
    assert daily(CHURN, 0.8, 0.8, *gone, 0.8) == [(0, "clear"), (1, "high")]
    assert daily(CHURN, None, None, 0.8, 0.8) == [(2, "clear"), (3, "high")]
    assert daily(CHURN, 0.8, 0.8, None, None, None, None, 0.8, 0.8) == [
        (0, "clear"),
        (1, "high"),
        (5, None),
        (6, "clear"),
        (7, "high"),
    ]
    assert daily(HEALTH, 0.8, 0.4, None, 0.4) == [(0, "clear"), (3, "warning")], "it held as far as anybody knows"


def test_whose_level_is_void_has_none_and_begins_anew() -> None:
    state = step(HEALTH, State.empty(2), times([at(0)] * 2), np.array([0.2, 0.2]))
    state = step(HEALTH, state, times([at(1)] * 2), np.array([0.2, 0.2]), void=np.array([True, False]))
    assert [HEALTH.name(int(each)) for each in state.level] == [None, "critical"]
    assert np.isnat(state.since[0])
    assert np.isnat(state.turning[0]).all()
    state = step(HEALTH, state, times([at(2)] * 2), np.array([0.4, 0.2]))
    assert [HEALTH.name(int(each)) for each in state.level] == ["clear", "critical"]
    assert state.since.tolist() == [at(2).replace(tzinfo=None), at(0).replace(tzinfo=None)]


@pytest.mark.parametrize("scale", [HEALTH, CHURN])
def test_the_same_observation_twice_is_one(scale: Scale) -> None:
    for seed in range(20):
        series = flapping(seed)
        once = twice = State.empty(1)
        for when, value in series:
            moment, number = times([when]), np.array([np.nan if value is None else value])
            once = step(scale, once, moment, number)
            twice = step(scale, step(scale, twice, moment, number), moment, number)
            assert not once.differs(twice).any()


@pytest.mark.parametrize("scale", [HEALTH, CHURN])
def test_many_at_once_are_as_each_by_itself(scale: Scale) -> None:
    series = [flapping(seed, steps=60, regular=True) for seed in range(40)]
    state = State.empty(len(series))
    seen: list[list[LevelChange]] = [[] for _ in series]
    for moments in zip(*series, strict=True):
        values = np.array([np.nan if value is None else value for _, value in moments])
        new = step(scale, state, times([when for when, _ in moments]), values)
        for place in np.flatnonzero(new.level != state.level):
            old, to = (scale.name(int(each.level[place])) for each in (state, new))
            seen[place].append(LevelChange(moments[place][0], old, to))
        state = new
    assert seen == [levels(each, scale) for each in series]
    assert sum(map(len, seen)) > len(series), "something happened"


def test_levels_by_hand_of_a_slow_reading_of_the_rules() -> None:
    """Against the rules written down for one series and no arrays."""
    for scale in (HEALTH, CHURN):
        for seed in range(200):
            series = flapping(seed)
            assert [(each.at, each.new) for each in levels(series, scale)] == slow(series, scale)


def slow(series: Sequence[tuple[datetime, float | None]], scale: Scale) -> list[tuple[datetime, str | None]]:
    """A switch for each limit: on after `hold` beyond it, off after `recovery` behind it with its margin."""
    changes: list[tuple[datetime, str | None]] = []
    level: str | None = None
    on = [False] * len(scale.limits)
    since: list[datetime | None] = [None] * len(scale.limits)
    missing: datetime | None = None
    for when, value in series:
        before = level
        if value is None:
            missing = missing or when
            if when - missing >= scale.memory:
                level, on, since = None, [False] * len(on), [None] * len(on)
        else:
            missing = None
            was = list(on)
            for i, limit in enumerate(scale.limits):
                margin = scale.margin if scale.worse == "below" else -scale.margin
                back = round(limit + margin, 9)
                if on[i]:
                    other = value >= back if scale.worse == "below" else value <= back
                else:
                    other = value < limit if scale.worse == "below" else value > limit
                since[i] = (since[i] or when) if other else None
                needed = scale.recovery if was[i] else scale.holds[i]
                if since[i] is not None and when - since[i] >= needed:
                    on[i] = not on[i]
            for i in range(len(on)):
                on[i] = any(on[i:])
                if on[i] is not was[i]:
                    since[i] = None
            level = scale.names[sum(on)]
        if level != before:
            changes.append((when, level))
    return changes


def flapping(seed: int, *, steps: int = 80, regular: bool = False) -> list[tuple[datetime, float | None]]:
    """A value that wanders, jumps, flaps around a limit and goes missing, at irregular times unless `regular`."""
    chance = random.Random(seed)
    value, when = chance.random(), at(0)
    series: list[tuple[datetime, float | None]] = []
    for _ in range(steps):
        kind = chance.random()
        if kind < 0.1:
            value = chance.random()
        elif kind < 0.5:
            value = chance.choice((0.3, 0.5, 0.4, 0.7)) + chance.choice((-0.06, -0.05, -0.01, 0.0, 0.01, 0.05, 0.06))
        else:
            value = min(max(value + chance.gauss(0, 0.06), 0.0), 1.0)
        series.append((when, None if chance.random() < 0.15 else round(value, 3)))
        when += timedelta(days=1) if regular else timedelta(minutes=chance.choice((10, 300, 600, 1440, 4000)))
    return series


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"limits": (0.3, 0.5)}, "not in order"),
        ({"limits": (0.3, 0.3)}, "not in order"),
        ({"limits": (0.3,)}, "each level but the first"),
        ({"margin": -0.1}, "must not be negative"),
    ],
)
def test_a_scale_that_makes_no_sense(changed: dict[str, object], message: str) -> None:
    given = {name: getattr(HEALTH, name) for name in HEALTH.__dataclass_fields__}
    with pytest.raises(ValueError, match=message):
        Scale(**{**given, **changed})  # type: ignore[arg-type]  # what is wrong is the point
