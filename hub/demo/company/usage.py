"""A day of product use: who comes, how often, which features, at what time of their working day."""

from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np

from hub.demo.company import words
from hub.demo.company.mood import Mood
from hub.demo.company.people import People
from hub.demo.company.roster import Roster
from hub.demo.company.streams import Flags, Ints, Purpose, expit, stream

FEATURE_NAMES = tuple(name for name, _, _ in words.FEATURES)
_SHARE = np.array([share for _, share, _ in words.FEATURES])
_DEPTH = np.array([depth for _, _, depth in words.FEATURES])
_WEEKEND = 0.05
_DAY_SECONDS = 86_400


@dataclass(frozen=True, slots=True)
class EventDay:
    """One day's events in order of time: seconds since midnight UTC, person and feature, both as indices from 0."""

    day: int
    second: Ints
    person: Ints
    feature: Ints


class Usage:
    """Draws each day's events; a customer's taste in features is its own and fixed."""

    def __init__(self, roster: Roster, people: People, *, seed: int, started_on: date) -> None:
        self._roster = roster
        self._people = people
        self._seed = seed
        self._started_on = started_on
        self._taste = stream(seed, Purpose.USAGE, 0).normal(0.0, 0.7, (len(roster), len(_SHARE)))
        self._scale = np.clip(np.exp(stream(seed, Purpose.USAGE, 1).normal(0.0, 0.25, len(roster))), 0.5, 2.0)

    def step(self, day: int, *, mood: Mood, running: Flags) -> EventDay:
        """The events of one day, whole."""
        random = stream(self._seed, Purpose.USAGE, 2, day)
        people, count = self._people, self._people.count
        account = people.account[:count]
        age = np.maximum(0, day - self._roster.signed)
        ramp = 1.0 - 0.95 * np.exp(-age / (28.0 * np.exp(-0.35 * self._roster.onboarding)))
        open_share = np.where(running, ramp * (1.0 - 0.6 * mood.outage), 0.0) * rhythm(
            self._started_on + timedelta(days=day)
        )
        chance = expit(people.eagerness[:count] - 0.15 + 1.35 * mood.engagement[account]) * open_share[account]
        active = np.flatnonzero(people.here(day) & (random.random(count) < chance))
        lively = self._scale * np.exp(0.30 * mood.engagement)
        events = 1 + random.poisson(1.5 * people.intensity[active] * lively[account[active]])
        person = np.repeat(active, events)
        second = self._seconds(random, active, events, account)
        feature = self._features(random, mood, age, account[person])
        order = np.argsort(second, kind="stable")
        return EventDay(day, second[order], person[order], feature[order])

    def _seconds(self, random: np.random.Generator, active: Ints, events: Ints, account: Ints) -> Ints:
        """Two possible sessions a person and day, one in the morning and one after lunch; gaps of minutes within one."""
        offset = self._roster.utc_offset[account[active]]
        start = np.stack([random.normal(9.7, 0.8, len(active)), random.normal(14.6, 1.1, len(active))]) - offset
        late = (random.random(int(events.sum())) < 0.42).astype(np.int64)
        within = np.minimum(random.exponential(14.0, len(late)), 100.0) / 60.0
        owner = np.repeat(np.arange(len(active)), events)
        hours = np.clip(start[late, owner] + within, 0.0, 23.99)
        return (hours * 3600).astype(np.int64).clip(0, _DAY_SECONDS - 1)

    def _features(self, random: np.random.Generator, mood: Mood, age: Ints, account: Ints) -> Ints:
        reach = 0.8 * mood.engagement + 0.5 * self._roster.onboarding + 1.2 * (1 - np.exp(-age / 90)) - 0.6
        weight = _SHARE * expit(3.0 * (reach[:, None] + self._taste - _DEPTH))
        upto = np.cumsum(weight, axis=1)
        upto /= upto[:, -1:]
        draw = random.random(len(account))
        chosen: Ints = np.minimum((draw[:, None] > upto[account]).sum(axis=1), len(_SHARE) - 1)
        return chosen


def rhythm(day: date) -> float:
    """How much of a usual working day's use a calendar day sees: weekends, year's end, August."""
    if (day.month, day.day) >= (12, 24) or (day.month, day.day) == (1, 1):
        return 0.03 if day.weekday() >= 5 else 0.3
    busy = (1.0, 1.05, 1.05, 1.0, 0.9, _WEEKEND, _WEEKEND)[day.weekday()]
    return busy * (0.88 if day.month == 8 else 1.0) * 0.95
