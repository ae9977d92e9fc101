"""Health: the facts of a day read by the measures of a definition, weighed into a score, a band, and the reasons for both.

    health = score(table, definition, before=last_known)

Missing data stays visible. *Coverage* is the share of weight backed by data, whatever a policy puts in the place of what
is missing; below the definition's floor there is no score, and `notes` says why.

Losing a source never raises a band. When what a source reported was bad, the score of the rest is better than the whole
was, and says nothing about the customer. So a measure is *lost* where its source is not alive for the customer now and it
had been read before: the score stays that of what can be read, but the band is at most the one that results with the last
known readings in place of the lost ones. If nothing but the source has changed, that is the band of before. A measure of
which a living source has nothing to tell (no tickets, so no response time) is quiet, not lost: it is left out, and its last
reading is forgotten.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from hub.model.actions import Band
from scoring.curves import segments_of
from scoring.definition import HealthDefinition, Place
from scoring.facts import FactTable, Floats, plain
from scoring.last_known import LastKnown
from scoring.measure import FILLED
from scoring.notes import capped_note, floor_note, missing_note
from scoring.weighing import Booleans, weigh


@dataclass(frozen=True, slots=True)
class Reading:
    """One measure's column of readings, all arrays of length n.

    input         what the measure made of the facts, NaN where missing
    value         the reading 0-1 that was weighed: read by the curve, or put in by the policy; NaN where left out
    weight        effective weight in the score, 0 where left out; over all measures they add up to 1
    contribution  weight * value; over all measures they add up to the score
    missing       whether there was no data
    lost          whether there was data once, and its source is not alive now
    last          the last reading known: today's, or where the source is not alive the one before; NaN where none is
    """

    place: Place
    input: Floats
    value: Floats
    weight: Floats
    contribution: Floats
    missing: Booleans
    lost: Booleans
    last: Floats


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

        Each: measure, group, input, unit, value, weight, contribution, missing (the policy that was applied, None where
        there was data), reason, and `last`, the last known reading, where it is lost.
        """
        facts = self.table.rows(indices)
        columns = [_rows_of(reading, indices, facts) for reading in self.readings]
        return [list(row) for row in zip(*columns, strict=True)] if columns else [[] for _ in indices]


def _rows_of(reading: Reading, indices: Sequence[int], facts: Sequence[Mapping[str, Any]]) -> Iterator[dict[str, Any]]:
    leaf, group = reading.place.leaf, reading.place.group
    measure, chosen = leaf.measure, np.asarray(indices, dtype=np.int64)
    inputs, values, lasts = (plain(column[chosen]) for column in (reading.input, reading.value, reading.last))
    weights, contributions = reading.weight[chosen].tolist(), reading.contribution[chosen].tolist()
    missing, lost = reading.missing[chosen].tolist(), reading.lost[chosen].tolist()
    for i, row in enumerate(facts):
        input_ = inputs[i]
        if missing[i]:
            live = row[measure.live] is not None
            reason = missing_note(leaf, live=live, last=lasts[i], alone=input_ is not None)
        else:
            reason = measure.sentence(input_, row)  # type: ignore[arg-type]  # there is an input where nothing is missing
        yield {
            "measure": measure.name,
            "group": group,
            "input": input_,
            "unit": measure.unit,
            "value": values[i],
            "weight": weights[i],
            "contribution": contributions[i],
            "missing": leaf.missing if missing[i] else None,
            "reason": reason,
            **({"last": lasts[i]} if lost[i] else {}),
        }


def score(
    table: FactTable, definition: HealthDefinition, *, before: Mapping[str, LastKnown | Floats] | None = None
) -> Health:
    """Score every customer of `table`.

    `before`: {measure: last known reading[n]} of earlier scorecards, NaN where none; see `Reading.last`. Where
    `definition.relative` the table must hold all customers, for some are read against the others.
    """
    places = definition.places
    segments = segments_of(table.texts.get("segment", [None] * len(table)))
    inputs = [_input(place, table) for place in places]
    raws = [place.leaf.curve.read(column, segments) for place, column in zip(places, inputs, strict=True)]
    missing = [np.isnan(raw) for raw in raws]
    values = [
        np.where(gone, FILLED[place.leaf.missing], raw) for place, raw, gone in zip(places, raws, missing, strict=True)
    ]
    whole, weights = weigh(definition.root, values)
    coverage = np.asarray(
        np.sum([place.share * ~gone for place, gone in zip(places, missing, strict=True)], axis=0), dtype=np.float64
    )
    lasts = [_last(place, table, raw, before) for place, raw in zip(places, raws, strict=True)]
    lost = [gone & ~np.isnan(last) for gone, last in zip(missing, lasts, strict=True)]
    readings = tuple(
        Reading(place, input_, value, weight, weight * np.nan_to_num(value), gone, lost_, last)
        for place, input_, value, weight, gone, lost_, last in zip(
            places, inputs, values, weights, missing, lost, lasts, strict=True
        )
    )
    covered = coverage >= definition.coverage_floor - 1e-9
    final = np.where(covered, whole, np.nan)
    bands, notes = _bands(definition, final, readings)
    for index in np.flatnonzero(np.isnan(final)):
        notes[index] = floor_note(readings_missing(readings, int(index)), float(coverage[index]), definition)
    return Health(table, final, bands, coverage, notes, readings, definition.hash)


def _input(place: Place, table: FactTable) -> Floats:
    measure = place.leaf.measure
    return np.asarray(measure.value({fact: table.numbers[fact] for fact in measure.facts}), dtype=np.float64)


def _last(place: Place, table: FactTable, raw: Floats, before: Mapping[str, LastKnown | Floats] | None) -> Floats:
    earlier = (before or {}).get(place.leaf.name)
    if earlier is None:
        return raw
    if isinstance(earlier, LastKnown):
        earlier = earlier.reading
    dead = np.isnan(table.numbers[place.leaf.measure.live])
    return np.where(np.isnan(raw) & dead, earlier, raw)


def _bands(
    definition: HealthDefinition, final: Floats, readings: Sequence[Reading]
) -> tuple[list[Band | None], list[str | None]]:
    """The bands, and a note where one is held down by what was lost."""
    names = [band for band, _ in definition.bands]
    levels = definition.levels(final)
    notes: list[str | None] = [None] * len(levels)
    if any(reading.lost.any() for reading in readings):
        held, _ = weigh(definition.root, [np.where(r.lost, r.last, r.value) for r in readings])
        ceilings = np.minimum(definition.levels(np.where(np.isnan(final), np.nan, held)), levels)
        for index in np.flatnonzero(ceilings < levels).tolist():
            lost = [(r.place.leaf.name, float(r.last[index])) for r in readings if r.lost[index]]
            notes[index] = capped_note(names[ceilings[index]], names[levels[index]], lost)
        levels = ceilings
    choices: Sequence[Band | None] = [*names, None]  # the last one is that of level -1
    return [choices[level] for level in levels.tolist()], notes


def readings_missing(readings: Sequence[Reading], index: int) -> list[Place]:
    """The places of weight that have no data for the customer at `index`."""
    return [reading.place for reading in readings if reading.missing[index] and reading.place.share > 0]
