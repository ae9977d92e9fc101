"""Keeps the levels of all customers: after every scoring, by what was scored and by what stood there before.

    await keep(store, scales, look_back=…, now=now)      the changes of watch_level and churn_level
    await switch_off(store, now=now)                     no levels any more

Everything is columns: one statement reads scores, memory and levels of everybody, `scoring.levels.step` decides, and only rows
that changed are written. Who is watched for the first time gets the levels that the scorecards of the days before would have
led to, so that a hub that is set up today knows who has been in trouble for weeks. Who left has none.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import numpy as np
import numpy.typing as npt

from hub.store import Connection, Store
from hub.store import watch as rows
from hub.store.lifecycle import Change, clear_lifecycles, write_lifecycles
from hub.store.replay import find_stored_days
from hub.store.watch import Scored, Watched
from scoring.levels import UNKNOWN, Bools, Floats, Scale, State, from_microseconds, microseconds, moment, step, times

NOTICED = "noticed"
DAY = np.timedelta64(1, "D")


@dataclass(frozen=True, slots=True)
class Scales:
    """What counts as which level, of health and of the annualised churn risk."""

    health: Scale
    churn: Scale


@dataclass(frozen=True, slots=True)
class _Subject:
    """One of the two that are watched: its name in the table `watch`, its columns in `lifecycle`, its scale."""

    name: str
    level: str
    days: str
    scale: Scale


def _subjects(scales: Scales) -> tuple[_Subject, _Subject]:
    return (
        _Subject("health", "watch_level", "watch_days", scales.health),
        _Subject("churn", "churn_level", "churn_days", scales.churn),
    )


async def keep(store: Store, scales: Scales, *, look_back: timedelta, now: datetime) -> list[Change]:
    """Bring the levels of all customers up to date; again without a new score it changes nothing but the count of days."""
    async with store.transaction() as connection:
        watched = await rows.find_watched(connection)
        new = [place for place, known in enumerate(watched.known) if not known]
        remembered: dict[str, list[Any]] = {}
        columns: dict[str, npt.NDArray[Any]] = {}
        differs = np.array([not known for known in watched.known], dtype=np.bool_)
        moves, counts = np.zeros(len(differs), dtype=np.bool_), False
        at = times(watched.computed_at)
        for subject in _subjects(scales):
            before = _state(subject, watched)
            start = await _with_past(connection, subject, watched, before, new, look_back=look_back)
            after = step(subject.scale, start, at, _values(subject, watched), void=_void(subject, watched))
            differs = differs | after.differs(before)
            remembered |= _memory(subject, after)
            levels = _names(subject.scale, after)
            days = _days(after, now=now)
            moves = moves | (levels != np.array(watched.stands[subject.level], dtype=np.object_)).astype(np.bool_)
            counts = counts or _counts(subject, watched, days)
            columns |= {subject.level: levels, subject.days: days}
        await rows.remember(connection, _rows(watched, remembered, np.flatnonzero(differs)))
        standing = _standing(watched, columns, np.flatnonzero(moves))
        changes = await write_lifecycles(connection, standing, now=now)
        if counts:
            await rows.count_days(connection, now=now)
        if left := await rows.find_left(connection):
            nothing = {id_: dict.fromkeys(rows.FIELDS) for id_ in left}
            changes += await write_lifecycles(connection, nothing, now=now)
            await rows.forget(connection, left)
    return changes


async def switch_off(store: Store, *, now: datetime) -> None:
    """Take all levels away and forget what led to them; what waits for a level to end is then released."""
    async with store.transaction() as connection:
        if await rows.forget_all(connection):
            await clear_lifecycles(connection, rows.FIELDS, now=now)


async def _with_past(
    connection: Connection,
    subject: _Subject,
    watched: Watched,
    state: State,
    new: Sequence[int],
    *,
    look_back: timedelta,
) -> State:
    """The state, of those who are `new` as the days before their newest scorecard leave it."""
    if not new or not look_back:
        return state
    last = max(watched.as_of[place] for place in new)
    first = min(watched.as_of[place] for place in new) - look_back
    place_of = {watched.customers[place]: place for place in new}
    newest = np.array(watched.as_of, dtype="datetime64[D]")
    for day in await find_stored_days(connection, first=first, last=last - timedelta(days=1)):
        scored = await rows.find_scored_day(connection, day, customer_ids=list(place_of))
        pairs = [(i, place_of[id_]) for i, id_ in enumerate(scored.customers) if id_ in place_of]
        pairs = [(i, place) for i, place in pairs if newest[place] > np.datetime64(day)]
        if not pairs:
            continue
        theirs, places = (np.array(side) for side in zip(*pairs, strict=True))
        at = np.full(len(places), times([moment(day)])[0])
        values, void = _values(subject, scored)[theirs], _void(subject, scored)
        part = step(subject.scale, _taken(state, places), at, values, void=None if void is None else void[theirs])
        state = _put(state, places, part)
    return state


def _values(subject: _Subject, scored: Watched | Scored) -> Floats:
    return np.array(scored.health if subject.name == "health" else scored.churn, dtype=np.float64)


def _void(subject: _Subject, scored: Watched | Scored) -> Bools | None:
    """Who has given notice is leaving, and not at risk."""
    return (
        None if subject.name == "health" else np.array([band == NOTICED for band in scored.churn_band], dtype=np.bool_)
    )


def _state(subject: _Subject, watched: Watched) -> State:
    memory, name = watched.memory, subject.name
    number = {each: place for place, each in enumerate(subject.scale.names)}
    turning = [from_microseconds(memory[f"{name}_turning_{place}"]) for place in (1, 2)]
    return State(
        level=np.array([number.get(each, UNKNOWN) for each in memory[f"{name}_level"]], dtype=np.int8),
        since=from_microseconds(memory[f"{name}_since"]),
        turning=np.stack(turning, axis=1),
        missing=from_microseconds(memory[f"{name}_missing"]),
    )


def _memory(subject: _Subject, state: State) -> dict[str, list[Any]]:
    return {
        f"{subject.name}_level": _names(subject.scale, state).tolist(),
        f"{subject.name}_since": microseconds(state.since),
        f"{subject.name}_turning_1": microseconds(state.turning[:, 0]),
        f"{subject.name}_turning_2": microseconds(state.turning[:, 1]),
        f"{subject.name}_missing": microseconds(state.missing),
    }


def _names(scale: Scale, state: State) -> npt.NDArray[np.object_]:
    return np.array([*scale.names, None], dtype=np.object_)[state.level]  # UNKNOWN is the last one


def _days(state: State, *, now: datetime) -> Floats:
    """Whole days, so that they are written once a day."""
    days: Floats = np.floor((times([now])[0] - state.since) / DAY)
    return days


def _counts(subject: _Subject, watched: Watched, days: Floats) -> bool:
    """Whether `lifecycle` counts other days of anybody."""
    counted = np.array(watched.stands[subject.days], dtype=np.float64)
    return bool(((days != counted) & ~(np.isnan(days) & np.isnan(counted))).any())


def _rows(watched: Watched, columns: Mapping[str, list[Any]], places: npt.NDArray[np.intp]) -> list[dict[str, Any]]:
    names = ("customer_id", *columns)
    lists = (watched.customers, *columns.values())
    return [dict(zip(names, (column[place] for column in lists), strict=True)) for place in places.tolist()]


def _standing(
    watched: Watched, columns: Mapping[str, npt.NDArray[Any]], places: npt.NDArray[np.intp]
) -> dict[str, dict[str, Any]]:
    chosen = {
        name: [None if each != each else each for each in column[places].tolist()]  # NaN alone is not itself
        for name, column in columns.items()
    }
    made = zip(*chosen.values(), strict=True)
    return {
        watched.customers[place]: dict(zip(chosen, values, strict=True))
        for place, values in zip(places.tolist(), made, strict=True)
    }


def _taken(state: State, places: npt.NDArray[np.intp]) -> State:
    return State(
        level=state.level[places],
        since=state.since[places],
        turning=state.turning[places],
        missing=state.missing[places],
    )


def _put(state: State, places: npt.NDArray[np.intp], part: State) -> State:
    made = State(
        level=state.level.copy(),
        since=state.since.copy(),
        turning=state.turning.copy(),
        missing=state.missing.copy(),
    )
    made.level[places], made.since[places] = part.level, part.since
    made.turning[places], made.missing[places] = part.turning, part.missing
    return made
