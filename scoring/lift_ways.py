"""What if: one customer's facts after pieces of work, and what the scores would be, all other customers left as they are.

A *way* is a row of steps, one number for each lever of the measures that its definition weighs.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from hub.model.actions import Band
from hub.model.conditions import fields_of
from scoring.beside import beside_the_others
from scoring.book import HealthBook
from scoring.curves import TENURE
from scoring.definition import HealthDefinition
from scoring.facts import FactTable, Floats
from scoring.health import Health, score
from scoring.last_known import LastKnown
from scoring.measure import Lever

Ways = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Scored:
    """Ways scored, each by the definition that speaks of such facts. levels: how high each band is, -1 without a score."""

    score: Floats
    levels: Ways
    bands: Sequence[Band | None]
    notes: Sequence[str | None]


class WhatIf:
    """One customer of a table. levers: (measure, lever) that move something; most: steps of each; facts: as they are now."""

    def __init__(self, table: FactTable, index: int, book: HealthBook, before: Mapping[str, LastKnown]) -> None:
        self.table, self.index, self.book, self.before = table, index, book, before
        self.facts = {name: float(column[index]) for name, column in table.numbers.items()}
        self.levers: list[tuple[str, Lever]] = []
        self._still: dict[int, HealthDefinition] = {}
        definition = book.definitions[int(book.assign(table)[index])]
        self.order = [band for band, _ in definition.bands]
        most: list[int] = []
        for place in definition.places:
            lever = place.leaf.measure.lever
            if lever is None or place.share == 0 or TENURE in _moves(lever):
                continue  # nobody makes a customer older
            if steps := _most(lever, self.facts):
                self.levers.append((place.leaf.name, lever))
                most.append(steps)
        self.most: Ways = np.array(most, dtype=np.int64)
        self.none: Ways = np.zeros((1, len(most)), dtype=np.int64)

    @property
    def may_change_definition(self) -> bool:
        """Whether moving facts may bring the customer under another definition."""
        moved = {fact for _, lever in self.levers for fact in _moves(lever)}
        return any(fields_of(variant.when) & moved for variant in self.book.variants)

    def scored(self, ways: Ways) -> Scored:
        """Every way scored, the other customers left as they are."""
        many = len(ways)
        table = FactTable(
            self.table.as_of,
            [self.table.customers[self.index]] * many,
            self.columns(ways),
            {name: [texts[self.index]] * many for name, texts in self.table.texts.items()},
        )
        before = {
            name: LastKnown(np.repeat(known.reading, many), np.repeat(known.age_days, many))
            for name, known in self.before.items()
        }
        which = self.book.assign(table)
        whole = np.full(many, np.nan)
        bands: list[Band | None] = [None] * many
        notes: list[str | None] = [None] * many
        for number in np.unique(which).tolist():
            health = score(table, self.still(number), before=before)
            for i in np.flatnonzero(which == number).tolist():
                whole[i], bands[i], notes[i] = health.score[i], health.bands[i], health.notes[i]
        levels = [-1 if band is None else self.order.index(band) for band in bands]
        return Scored(whole, np.array(levels, dtype=np.int64), bands, notes)

    def still(self, number: int) -> HealthDefinition:
        """A definition of the book with the other customers held as they are."""
        if number not in self._still:
            self._still[number] = beside_the_others(self.book.definitions[number], self.table, self.index)
        return self._still[number]

    def columns(self, ways: Ways) -> dict[str, Floats]:
        """The customer's facts after each way. Factors, so that the order of the levers is no matter."""
        columns = {name: np.full(len(ways), value) for name, value in self.facts.items()}
        for (_, lever), steps in zip(self.levers, ways.T, strict=True):
            own = self.facts[lever.fact]
            moved = _moved(lever, self.facts, steps)
            if own == 0:  # from nothing there is no proportion
                columns[lever.fact] = moved
                continue
            factor = moved / own
            columns[lever.fact] = columns[lever.fact] * factor
            for name in lever.along:
                columns[name] = columns[name] * factor
            for name in lever.against:
                columns[name] = columns[name] / np.where(factor == 0, 1, factor)
        return columns

    def in_place(self, way: Ways) -> Health:
        """The whole table with this customer's facts changed, by the definition that then speaks of it."""
        moved = self.columns(way[None])
        numbers = {name: column.copy() for name, column in self.table.numbers.items()}
        for name, column in numbers.items():
            column[self.index] = moved[name][0]
        table = replace(self.table, numbers=numbers)
        definition = self.book.definitions[int(self.book.assign(table)[self.index])]
        before = {
            name: LastKnown(self._alone(known.reading), self._alone(known.age_days))
            for name, known in self.before.items()
        }
        return score(table, definition, before=before)

    def _alone(self, value: Floats) -> Floats:
        """A column of the table that only this customer has a value in."""
        column = np.full(len(self.table), np.nan)
        column[self.index] = value[0]
        return column


def _moves(lever: Lever) -> set[str]:
    return {lever.fact, *lever.along, *lever.against}


def _moved(lever: Lever, facts: Mapping[str, float], steps: Ways) -> Floats:
    """The lever's fact after `steps`, not past what is practical; a value that is past it already stays."""
    own, bound = facts[lever.fact], lever.goal
    limit = facts.get(lever.limit, np.nan) if lever.limit else np.nan
    after = own + lever.step * steps.astype(np.float64)
    if lever.step < 0:
        return np.maximum(after, min(own, np.fmax(bound, limit)))
    return np.minimum(after, max(own, np.fmin(bound, limit)))


def _most(lever: Lever, facts: Mapping[str, float]) -> int:
    """How many steps move something; 0 where the fact is not known, or is as good as it gets."""
    if np.isnan(facts.get(lever.fact, np.nan)):
        return 0
    return int(np.count_nonzero(np.diff(_moved(lever, facts, np.arange(lever.most + 1)))))
