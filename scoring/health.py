"""Health: the facts of a day read by the measures of a definition, weighed into a score, a band, and the reasons for both.

    health = score(table, definition, before=last_known)

Missing data stays visible. *Coverage* is the share of weight backed by data, whatever a policy puts in the place of what
is missing; below the definition's floor there is no score, and `notes` says why.

Losing a source never raises a band. When what a source reported was bad, the score of the rest is better than the whole
was, and says nothing about the customer. So a measure is *lost* where its source is not alive for the customer now and it
had been read before: the score stays that of what can be read, but the band is at most the one that results with the last
known readings in place of the lost ones. If nothing but the source has changed, that is the band of before. Data that is
older than the definition allows (`stale_after_days`) is lost too. A measure of which a living source has nothing to tell (no
tickets, so no response time) is quiet, not lost: it is left out, and its last reading is forgotten, unless the definition
says to hold it for a while.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields
from datetime import timedelta
from functools import reduce
from typing import Any

import numpy as np

from hub.model.actions import Band
from scoring.chunks import CHUNK, in_chunks, side_by_side
from scoring.curves import Beside
from scoring.definition import HealthDefinition
from scoring.facts import FactTable, Floats, plain
from scoring.last_known import LastKnown
from scoring.notes import capped_note, floor_note, missing_note
from scoring.reading import Read, read
from scoring.weighing import weigh

HELD = "hold"
"""What a stored reading says of a missing input whose last reading was held."""
Rows = Sequence[Mapping[str, Any]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading(Read):
    """One measure's column of readings, weighed; all arrays of length n.

    weight        effective weight in the score, 0 where left out; over all measures they add up to 1
    contribution  weight * value; over all measures they add up to the score
    """

    weight: Floats
    contribution: Floats

    @classmethod
    def weighed(cls, read: Read, weight: Floats, contribution: Floats) -> "Reading":
        whole = {each.name: getattr(read, each.name) for each in fields(read)}
        return cls(**whole, weight=weight, contribution=contribution)


@dataclass(frozen=True, slots=True)
class Health:
    """Columns over the customers of a table.

    score     0-1, NaN below the coverage floor
    bands     None where there is no score
    coverage  0-1, the share of weight with data
    notes     why there is no score, or why the band is lower than the score's; else None
    """

    table: FactTable = field(repr=False)
    score: Floats
    bands: Sequence[Band | None]
    coverage: Floats
    notes: Sequence[str | None]
    readings: Sequence[Reading]
    definition_hash: str

    def __len__(self) -> int:
        return len(self.table)

    def readings_at(self, index: int) -> list[dict[str, Any]]:
        """The readings of the customer at `index`; see `all_readings`."""
        return self.all_readings([index])[0]

    def all_readings(self, indices: Sequence[int]) -> list[list[dict[str, Any]]]:
        """The readings of the customers at `indices` as plain data, None for what is missing.

        Each: measure, group, input, unit, value, weight, contribution, missing (the policy that was applied, "hold" where
        the last reading stands in, None where there was data), reason; and where a reading of before still counts, `last`,
        that reading, and `last_on`, the ISO day it was read, None where not known.
        """
        measures = [reading.place.leaf.measure for reading in self.readings]
        needed = {name for each in measures for name in (*each.facts, each.live, each.age) if name}
        facts = self.table.rows(indices, needed)
        columns = [_rows_of(reading, indices, self.table, facts) for reading in self.readings]
        return [list(row) for row in zip(*columns, strict=True)] if columns else [[] for _ in indices]


def _rows_of(reading: Reading, indices: Sequence[int], table: FactTable, facts: Rows) -> Iterator[dict[str, Any]]:
    leaf, group = reading.place.leaf, reading.place.group
    measure, chosen = leaf.measure, np.asarray(indices, dtype=np.int64)
    inputs, values, lasts = (plain(column[chosen]) for column in (reading.input, reading.value, reading.last))
    weights, contributions = reading.weight[chosen].tolist(), reading.contribution[chosen].tolist()
    missing, held = reading.missing[chosen].tolist(), reading.held[chosen].tolist()
    ages = [0.0] * len(chosen) if reading.last_age is None else plain(reading.last_age[chosen])
    for i, row in enumerate(facts):
        input_, last, age = inputs[i], lasts[i], ages[i]
        if missing[i]:
            reason = missing_note(leaf, row, last=last, age=age, held=held[i], alone=input_ is not None)
        else:
            reason = measure.sentence(input_, row)  # type: ignore[arg-type]  # there is an input where nothing is missing
        whole = {
            "measure": measure.name,
            "group": group,
            "input": input_,
            "unit": measure.unit,
            "value": values[i],
            "weight": weights[i],
            "contribution": contributions[i],
            "missing": None if not missing[i] else HELD if held[i] else leaf.missing,
            "reason": reason,
        }
        if missing[i] and last is not None:
            read_on = None if age is None else (table.as_of - timedelta(days=age)).isoformat()
            whole |= {"last": last, "last_on": read_on}
        yield whole


def score(table: FactTable, definition: HealthDefinition, *, before: Mapping[str, LastKnown] | None = None) -> Health:
    """Score every customer of `table`.

    `before`: {measure: last readings known} of earlier scorecards; see scoring.last_known. Where `definition.relative` the
    table must hold all customers, for some are read against the others.
    """
    places, beside, earlier = definition.places, Beside.of(table), before or {}
    reads = side_by_side(
        lambda place: read(place, table, beside, earlier.get(place.leaf.name)), places, threads=len(table) > CHUNK
    )
    weighed = weigh(definition.root, [each.value for each in reads])
    columns = zip(reads, weighed.weights, weighed.contributions, strict=True)
    readings = tuple(Reading.weighed(*each) for each in columns)
    coverage = _coverage(readings)
    covered = coverage >= definition.coverage_floor - 1e-9
    final = np.where(covered, weighed.score, np.nan)
    bands, notes = _bands(definition, final, readings)
    _note_floor(notes, definition, final, coverage, readings)
    return Health(table, final, bands, coverage, notes, readings, definition.hash)


def _coverage(readings: Sequence[Reading]) -> Floats:
    whole = np.empty(len(readings[0].missing))

    def cover(rows: slice) -> None:
        # added one after another, so that one customer alone gets the sum it gets among a thousand; see scoring.weighing
        whole[rows] = reduce(np.add, [each.place.share * ~each.missing[rows] for each in readings])

    in_chunks(len(whole), cover)
    return whole


def _bands(
    definition: HealthDefinition, final: Floats, readings: Sequence[Reading]
) -> tuple[list[Band | None], list[str | None]]:
    """The bands, and a note where one is held down by what was lost."""
    names = [band for band, _ in definition.bands]
    levels = definition.levels(final)
    notes: list[str | None] = [None] * len(levels)
    some = np.flatnonzero(reduce(np.logical_or, [reading.lost for reading in readings]))
    if len(some):
        with_them = weigh(
            definition.root, [np.where(r.lost[some], r.last[some], r.value[some]) for r in readings]
        ).score
        ceilings = np.minimum(definition.levels(np.where(np.isnan(final[some]), np.nan, with_them)), levels[some])
        for index, ceiling in zip(some.tolist(), ceilings.tolist(), strict=True):
            if ceiling < levels[index]:
                lost = [(r.place.leaf.name, float(r.last[index])) for r in readings if r.lost[index]]
                notes[index] = capped_note(names[ceiling], names[levels[index]], lost)
        levels[some] = ceilings
    choices = np.array([*names, None], dtype=object)  # the last one is that of level -1
    return choices[levels].tolist(), notes


def _note_floor(
    notes: list[str | None],
    definition: HealthDefinition,
    final: Floats,
    coverage: Floats,
    readings: Sequence[Reading],
) -> None:
    """Say why there is no score where there is none: once for all who miss the same."""
    without = np.flatnonzero(np.isnan(final))
    of_weight = [reading for reading in readings if reading.place.share > 0]
    missing = np.column_stack([reading.missing[without] for reading in of_weight])
    worded: dict[bytes, str] = {}
    for index, key in zip(without.tolist(), map(bytes, np.packbits(missing, axis=1)), strict=True):
        if key not in worded:
            absent = [reading.place for reading in of_weight if reading.missing[index]]
            worded[key] = floor_note(absent, float(coverage[index]), definition)
        notes[index] = worded[key]
