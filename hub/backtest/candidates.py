"""Candidates: what a book of definitions, or a playbook's rule, says of the customers of one day after another.

candidate = Definitions(book)            or  Firing(rule, live)
said = candidate.replay(day, codes)      days in order, for each leans on the one before
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

import numpy as np
import numpy.typing as npt

from hub.backtest.ask import Rule
from hub.backtest.carrying import Integers, Kept, Readings
from hub.backtest.history import CHURN, Day
from hub.model.actions import Band
from scoring.book import HealthBook, Part, score_book
from scoring.choosing import chosen
from scoring.facts import Floats

BANDS = tuple(band.value for band in Band)
ALARMS = (BANDS.index(Band.CRITICAL.value), BANDS.index(Band.WARNING.value))
HELD, NOT_HELD = "condition held", "condition did not hold"
CHANGE_DAYS = (30, 45)
"""`health_change_30d` is against the newest health so many days before."""
_PLACES: dict[Band | None, int] = {**{Band(name): index for index, name in enumerate(BANDS)}, None: -1}


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """Of a day: columns over its customers, as scoring.backtest.Replayed has them."""

    score: Floats
    band: Integers
    alarm: npt.NDArray[np.bool_]
    coverage: Floats
    fired: npt.NDArray[np.bool_]


class Definitions:
    """A book of definitions. An alert is an entry into warning or critical; who begins there on the first day has none."""

    bands = BANDS

    def __init__(self, book: HealthBook) -> None:
        self.book = book
        self._readings = Readings()
        self._level = Kept(-1.0)
        self._begun = False

    def replay(self, day: Day, codes: Integers) -> Said:
        table = day.table
        ordinal = table.as_of.toordinal()
        parts = score_book(table, self.book, before=self._readings.before(codes, ordinal))
        self._readings.keep(parts, codes, ordinal)
        score, band, coverage = _joined(parts, len(table))
        alarm = np.isin(band, ALARMS)
        fired = alarm & ~np.isin(self._level.of(codes), ALARMS) & self._begun
        self._level.put(codes, band.astype(np.float64))
        self._begun = True
        return Said(score=score, band=band, alarm=alarm, coverage=coverage, fired=fired)


def _joined(parts: Sequence[Part], count: int) -> tuple[Floats, Integers, Floats]:
    """Score, band and coverage of everybody, each by the definition that speaks of them."""
    score, coverage = np.full(count, np.nan), np.zeros(count)
    band = np.full(count, -1, dtype=np.int64)
    for part in parts:
        score[part.places] = part.health.score[part.places]
        coverage[part.places] = part.health.coverage[part.places]
        band[part.places] = [_PLACES[part.health.bands[place]] for place in part.places.tolist()]
    return score, band, coverage


class Firing:
    """A rule over what the live definitions make of the same days. An alert is a firing after the rest.

    What fires at once on the first day is a backlog and no alert; it begins the rest all the same.
    """

    bands = (HELD, NOT_HELD)

    def __init__(self, rule: Rule, live: HealthBook) -> None:
        self.rule = rule
        self._live = Definitions(live)
        self._band = Kept(-1.0)
        self._fired_on = Kept(-np.inf)
        self._past: list[tuple[int, Kept]] = []
        self._begun = False

    def replay(self, day: Day, codes: Integers) -> Said:
        ordinal = day.table.as_of.toordinal()
        health = self._live.replay(day, codes)
        holds = chosen(self.rule.when, self._extended(day, health, codes, ordinal))
        since = ordinal - self._fired_on.of(codes)
        fires = holds & (since >= self.rule.rest / timedelta(days=1)) & (since > self.rule.busy / timedelta(days=1))
        self._fired_on.put(codes[fires], np.full(int(fires.sum()), float(ordinal)))
        self._remember(health, codes, ordinal)
        fired, self._begun = fires & self._begun, True
        return Said(
            score=np.where(holds, 0.0, 1.0),
            band=np.where(holds, 0, 1).astype(np.int64),
            alarm=holds,
            coverage=health.coverage,
            fired=fired,
        )

    def _extended(self, day: Day, health: Said, codes: Integers, ordinal: int) -> Any:
        """The day's table with the fields of scorecard and customer beside the facts."""
        before = self._band.of(codes).astype(np.int64)
        numbers = {
            **day.table.numbers,
            "health": health.score,
            "coverage": health.coverage,
            "health_change_30d": self._change(health, codes, ordinal),
        }
        texts = {**day.table.texts, "band": _names(health.band), "previous_band": _names(before)}
        for name, values in day.columns.items():
            if name in CHURN - {"churn_band"} or name == "employees":
                numbers[name] = np.array(values, dtype=np.float64)
            else:
                texts[name] = values
        return replace(day.table, numbers=numbers, texts=texts)

    def _change(self, health: Said, codes: Integers, ordinal: int) -> Floats:
        change = np.full(len(codes), np.nan)
        for on, score in self._past:  # oldest first, so that the newest has the last word
            if CHANGE_DAYS[0] <= ordinal - on <= CHANGE_DAYS[1]:
                was = score.of(codes)
                change = np.where(np.isinf(was), change, health.score - was)
        return change

    def _remember(self, health: Said, codes: Integers, ordinal: int) -> None:
        self._band.put(codes, health.band.astype(np.float64))
        score = Kept(np.inf)  # of those who were no customers that day
        score.put(codes, health.score)
        recent = [(on, kept) for on, kept in self._past if ordinal - on < CHANGE_DAYS[1]]
        self._past = [*recent, (ordinal, score)]


def _names(bands: Integers) -> list[str | None]:
    names = (*BANDS, None)  # the last one is that of -1
    return [names[index] for index in bands.tolist()]


Candidate = Definitions | Firing
