"""Levels: a number that wavers made into a state that does not, such as clear, warning and critical.

A limit has two sides. Beyond it a level is entered, but only once the number has been there for as long as the level's `hold`;
it is left only where the number is back by a `margin`, and has been for as long as `recovery`. So a number that flaps around a
limit changes the level once. What it was beyond before counts: each limit is a switch of its own, and the level is that of
the worst one that is on.

    state = State.empty(n)
    state = step(scale, state, at, values)        for all at once, one scoring after another
    levels([(day, value), …], scale)              the same for one series, start to end: its changes

A missing value changes nothing, neither for the better nor for the worse, until it has been missing for `memory`; then the
level is taken away, and the next value begins anew. The same observation twice is the same as once.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Literal

import numpy as np
import numpy.typing as npt

Times = npt.NDArray[np.datetime64]
"""datetime64[us], UTC; NaT where there is none."""
Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]
UNKNOWN = -1
NONE = np.datetime64("NaT", "us")
ROUNDED = 9
"""Decimals of a limit with its margin: 0.7 less 0.05 is 0.65."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scale:
    """What counts as which level.

    names     of the levels, the harmless one first, then worse and worse
    limits    of each but the first; worse: on which side of them a value is worse ("below" 0.3, "above" 0.7)
    holds     of each but the first: how long a value must have been beyond the limit; nothing: it counts at once
    margin    by how much a value must be back behind a limit, at least; recovery: and for how long
    memory    how long a level outlives its last value
    ValueError where limits are not in order, or the numbers of things differ.
    """

    names: tuple[str, ...]
    limits: tuple[float, ...]
    worse: Literal["below", "above"]
    holds: tuple[timedelta, ...]
    margin: float
    recovery: timedelta
    memory: timedelta

    def __post_init__(self) -> None:
        if not len(self.names) - 1 == len(self.limits) == len(self.holds) > 0:
            raise ValueError("each level but the first has a limit and a hold")
        if sorted(set(self.beyond)) != list(self.beyond):
            raise ValueError(
                f"the limits {self.limits} are not in order: each level's must lie beyond the one before it"
            )
        if self.margin < 0:
            raise ValueError("the margin must not be negative")

    @property
    def sign(self) -> int:
        """Times this, a greater value is worse."""
        return -1 if self.worse == "below" else 1

    @property
    def beyond(self) -> tuple[float, ...]:
        return tuple(self.sign * limit for limit in self.limits)

    @property
    def back(self) -> tuple[float, ...]:
        return tuple(round(limit - self.margin, ROUNDED) for limit in self.beyond)

    def name(self, level: int) -> str | None:
        return None if level == UNKNOWN else self.names[level]

    def number(self, name: str | None) -> int:
        return UNKNOWN if name is None else self.names.index(name)


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """Where n series stand.

    level    int8[n]: place in the scale's names, or UNKNOWN
    since    when that level came to count
    turning  [n, limits]: since when the value has been on the other side of the limit than the level, without a break
    missing  since when there has been no value
    """

    level: npt.NDArray[np.int8]
    since: Times
    turning: Times
    missing: Times

    @classmethod
    def empty(cls, n: int, limits: int = 2) -> "State":
        return cls(
            level=np.full(n, UNKNOWN, dtype=np.int8),
            since=np.full(n, NONE),
            turning=np.full((n, limits), NONE),
            missing=np.full(n, NONE),
        )

    def differs(self, other: "State") -> Bools:
        """bool[n]: where the two are not the same."""
        changed: Bools = self.level != other.level
        pairs = [(self.since, other.since), (self.missing, other.missing)]
        pairs += list(zip(self.turning.T, other.turning.T, strict=True))
        for mine, theirs in pairs:
            changed = changed | ((mine != theirs) & ~(np.isnat(mine) & np.isnat(theirs)))
        return changed


def step(scale: Scale, state: State, at: Times, values: Floats, *, void: Bools | None = None) -> State:
    """The state after each series had `values[n]` (NaN: missing) at `at[n]`, no earlier than what it had before.

    void  of whom there is nothing to say from now on: their level is taken away at once
    """
    known = ~np.isnan(values)
    worse = scale.sign * values
    missing = np.where(known, NONE, np.where(np.isnat(state.missing), at, state.missing))
    lost = ~known & (at - missing >= np.timedelta64(scale.memory))
    if void is not None:
        known, lost = known & ~void, lost | void
        missing = np.where(void, NONE, missing)
    before = np.where(known & (state.level == UNKNOWN), 0, np.where(lost, UNKNOWN, state.level))
    level = np.where(before == UNKNOWN, UNKNOWN, 0)
    turning = state.turning.copy()
    turning[lost] = NONE
    for place, (beyond, back, hold) in enumerate(zip(scale.beyond, scale.back, scale.holds, strict=True)):
        on = before > place
        other_side = known & np.where(on, worse <= back, worse > beyond)
        began = np.where(other_side, np.where(np.isnat(turning[:, place]), at, turning[:, place]), NONE)
        turning[:, place] = np.where(known, began, turning[:, place])
        needed = np.where(on, np.timedelta64(scale.recovery), np.timedelta64(hold))
        turns = other_side & (at - began >= needed)
        level = np.where(on ^ turns, place + 1, level)
    for place in range(
        len(scale.limits)
    ):  # a switch that turned waits for nothing yet, also one that a worse one turned
        turning[(before > place) != (level > place), place] = NONE
    changed = level != state.level
    since = np.where(level == UNKNOWN, NONE, np.where(changed, at, state.since))
    return State(level=level.astype(np.int8), since=since, turning=turning, missing=missing)


@dataclass(frozen=True, slots=True)
class LevelChange:
    """old, new: names of levels; None where there is none."""

    at: datetime
    old: str | None
    new: str | None


def levels(history: Iterable[tuple[date | datetime, float | None]], scale: Scale) -> Sequence[LevelChange]:
    """The changes of level over one series, oldest first; a day is its first moment in UTC."""
    state, changes = State.empty(1, len(scale.limits)), []
    for when, value in history:
        at = moment(when)
        number = np.array([np.nan if value is None else value])
        new = step(scale, state, times([at]), number)
        if new.level[0] != state.level[0]:
            changes.append(LevelChange(at, scale.name(int(state.level[0])), scale.name(int(new.level[0]))))
        state = new
    return changes


def moment(when: date | datetime) -> datetime:
    """A day's first moment in UTC; a datetime is one already."""
    return when if isinstance(when, datetime) else datetime.combine(when, time(), UTC)


def times(values: Iterable[datetime]) -> Times:
    """Aware datetimes as an array."""
    return np.array([each.astimezone(UTC).replace(tzinfo=None) for each in values], dtype="datetime64[us]")


def from_microseconds(values: Sequence[int | None]) -> Times:
    """Microseconds since 1970 as an array; exact up to the year 2255."""
    numbers = np.array(values, dtype=np.float64)
    known = ~np.isnan(numbers)
    return np.where(known, np.where(known, numbers, 0.0).astype(np.int64).astype("datetime64[us]"), NONE)


def microseconds(values: Times) -> list[int | None]:
    """An array as microseconds since 1970."""
    gone = np.isnat(values)
    numbers = values.astype(np.int64).tolist()
    return [None if missing else number for missing, number in zip(gone.tolist(), numbers, strict=True)]
