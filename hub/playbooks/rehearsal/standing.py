"""Where customers stood in the lifecycle on a past day: from the log of changes, and levels from scores for the days before it.

    standing = Standing(needs, changes, scales, roster)
    standing.watch(table, codes)            a day's scores, oldest first, for levels of days that the hub did not keep
    standing.put_on(table, codes)           the table with what customers were at the end of its day

The hub began to keep a state on the day of its first change in the log; before that nothing is known, but for the levels of
the health watch, which are a function of past scores (scoring.levels). What the log begins with is no change: it says where
customers stood already.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time, timedelta

import numpy as np

from hub.playbooks.rehearsal.needs import COUNTED, LEVELS, Needs
from hub.playbooks.rehearsal.scene import Integers, Roster
from hub.playbooks.triggers import ANYTHING
from hub.store.lifecycle import NUMBERS
from hub.store.rehearsal import Change
from scoring.facts import FactTable
from scoring.levels import Scale, State, step

ENDED = ("completed", "failed", "cancelled")
ONBOARDING, RENEWAL = "onboarding_state", "renewal_on"
DAY = timedelta(days=1)


def end_of(day: date) -> datetime:
    """The first moment that is no longer the day."""
    return datetime.combine(day + DAY, time(), UTC)


@dataclass(slots=True)
class _State:
    """What a field is of each customer, since when, and when it last was another, which is `was`.

    begun  since when an onboarding ran
    """

    value: dict[str, str | None] = field(default_factory=dict)
    since: dict[str, datetime] = field(default_factory=dict)
    turned: dict[str, datetime] = field(default_factory=dict)
    was: dict[str, str | None] = field(default_factory=dict)
    begun: dict[str, datetime] = field(default_factory=dict)


class Standing:
    """See the module. `scales`: {watch_level, churn_level: how its scores are made into it}."""

    def __init__(self, needs: Needs, changes: Sequence[Change], *, scales: Mapping[str, Scale], roster: Roster) -> None:
        self._needs = needs
        self._changes = changes
        self._next = 0
        self._scales = {name: scale for name, scale in scales.items() if name in needs.states}
        self._levels = {name: State.empty(0, len(scale.limits)) for name, scale in self._scales.items()}
        self._roster = roster
        self._states = {name: _State() for name in needs.states}
        self.kept_since: dict[str, datetime] = {}
        for each in changes:
            self.kept_since.setdefault(each.field, each.at)

    @property
    def rebuilt(self) -> bool:
        """Whether scores are made into levels."""
        return bool(self._scales)

    def unknown_before(self) -> Mapping[str, date | None]:
        """{state: the first whole day it is known of; None: none}, of those that no score tells."""
        names = self._needs.states - self._scales.keys()
        return {name: self.kept_since[name].date() if name in self.kept_since else None for name in sorted(names)}

    def watch(self, table: FactTable, codes: Integers) -> None:
        """Make a day's scores into levels; days in order, and before `put_on` of the same day."""
        at = np.full(len(codes), np.datetime64(table.as_of, "us") + np.timedelta64(12, "h"))
        left = np.array(
            [band == "noticed" for band in table.texts.get("churn_band", [None] * len(codes))], dtype=np.bool_
        )
        for name, scale in self._scales.items():
            if name in self.kept_since and self.kept_since[name] < end_of(table.as_of):
                continue
            state = _grown(self._levels[name], len(self._roster), len(scale.limits))
            scores = table.numbers.get(LEVELS[name], np.full(len(codes), np.nan))
            mine = State(
                level=state.level[codes],
                since=state.since[codes],
                turning=state.turning[codes],
                missing=state.missing[codes],
            )
            after = step(scale, mine, at, scores, void=left if name == "churn_level" else None)
            state.level[codes], state.since[codes] = after.level, after.since
            state.turning[codes], state.missing[codes] = after.turning, after.missing
            self._levels[name] = state
            self._tell(name, scale, after, table, codes)

    def _tell(self, name: str, scale: Scale, after: State, table: FactTable, codes: Integers) -> None:
        known, moment = self._states[name], end_of(table.as_of) - timedelta(seconds=1)
        names = (*scale.names, None)
        for id_, level, since in zip(table.customers, after.level.tolist(), after.since.tolist(), strict=True):
            value = names[level]
            was = known.value.get(id_)
            if value != was:
                known.value[id_] = value
                if was is not None or value != scale.names[0]:  # to be clear from the start is no change
                    known.turned[id_], known.was[id_] = moment, was
            if since is not None:
                known.since[id_] = since.replace(tzinfo=UTC)

    def put_on(self, table: FactTable) -> FactTable:
        """The table with the states, and their days, as of the end of its day."""
        if not self._states:
            return table
        end = end_of(table.as_of)
        self._read_until(end)
        texts = {**table.texts}
        numbers = {**table.numbers}
        for name, state in self._states.items():
            found = [state.value.get(id_) for id_ in table.customers]
            if name == RENEWAL:
                continue
            if name in NUMBERS:
                numbers[name] = np.array([np.nan if each is None else float(each) for each in found], dtype=np.float64)
            else:
                texts[name] = found
        for name in self._needs.days:
            numbers[name] = np.array(list(self._days(name, table.customers, end)), dtype=np.float64)
        return replace(table, numbers=numbers, texts=texts)

    def turned(self, name: str, customers: Iterable[str], *, was: Sequence[str] = ()) -> list[float]:
        """When a state became what it is, of each customer; NaN where it was never seen to become it.

        was  only where it was one of these before (hub.playbooks.triggers.Trigger.was)
        """
        known, before = self._states[name].turned, self._states[name].was
        return [
            known[id_].timestamp() if id_ in known and _is_one_of(before.get(id_), was) else float("nan")
            for id_ in customers
        ]

    def _days(self, name: str, customers: Iterable[str], end: datetime) -> Iterable[float]:
        state = self._states[COUNTED[name]]
        for id_ in customers:
            since = state.since.get(id_)
            if name == "renewal_days":
                on = state.value.get(id_)
                yield np.nan if on is None else float((date.fromisoformat(on) - (end - DAY).date()).days)
            elif since is None or state.value.get(id_) is None:
                yield np.nan
            elif name == "onboarding_days":
                until = since if state.value[id_] in ENDED else end
                yield (until - state.begun.get(id_, since)) / DAY
            else:
                yield (end - since) / DAY

    def _read_until(self, end: datetime) -> None:
        while self._next < len(self._changes) and self._changes[self._next].at < end:
            change = self._changes[self._next]
            self._next += 1
            state = self._states[change.field]
            id_, same = change.customer_id, state.value.get(change.customer_id) == change.new
            state.value[id_] = change.new
            first = change.at - self.kept_since[change.field] < timedelta(hours=1) and change.old is None
            if same and first:  # as its scores said already: since when, they know
                continue
            state.since[id_] = change.at
            if not first:
                state.turned[id_], state.was[id_] = change.at, change.old
            if change.field == ONBOARDING and change.new == "active":
                state.begun[id_] = change.at


def _is_one_of(before: str | None, was: Sequence[str]) -> bool:
    return not was or (before is not None if was == (ANYTHING,) else before in was)


def _grown(state: State, size: int, limits: int) -> State:
    more = size - len(state.level)
    if more <= 0:
        return state
    blank = State.empty(more, limits)
    return State(
        level=np.concatenate([state.level, blank.level]),
        since=np.concatenate([state.since, blank.since]),
        turning=np.concatenate([state.turning, blank.turning]),
        missing=np.concatenate([state.missing, blank.missing]),
    )


__all__ = ["Standing", "end_of"]
