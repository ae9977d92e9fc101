"""Reading one measure's column, before it is weighed: what the facts say, and what stands in for them where they are silent.

An input is missing where the measure makes nothing of the facts, or where the fact that dates its data (`Measure.age`) is
above the limit of the definition: the data is *stale*. An unknown age is no reason to distrust data that is there. What a
missing input means is the leaf's policy; one that holds keeps the last reading known up to its age, and falls back on the
other policy afterwards.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np

from scoring.curves import Beside
from scoring.definition import HealthDefinition, Leaf, Place
from scoring.facts import FactTable, Floats
from scoring.last_known import LastKnown
from scoring.measure import FILLED
from scoring.weighing import Booleans


@dataclass(frozen=True, slots=True, kw_only=True)
class Read:
    """One measure's column of readings, all arrays of length n.

    input     what the measure made of the facts, NaN where missing
    value     the reading 0-1 that is weighed: read by the curve, held, or put in by the policy; NaN where left out
    missing   whether there was no data, or none that is fresh enough
    lost      whether there was data once, and its source is not alive or too old now
    held      whether `value` is the last reading known
    last      the last reading known: today's, or the one before where it still counts; NaN where none is
    last_age  days since `last` was read, 0 where today, NaN where that is not known; None stands for 0 throughout
    """

    place: Place
    input: Floats
    value: Floats
    missing: Booleans
    lost: Booleans
    held: Booleans
    last: Floats
    last_age: Floats | None


def read(place: Place, table: FactTable, beside: Beside, earlier: LastKnown | None) -> Read:
    """The column of the measure at `place`; `earlier` are the last readings known before this table's day."""
    leaf = place.leaf
    told, stale = input_of(leaf, table), stale_of(leaf, table)
    inputs = told if stale is None else np.where(stale, np.nan, told)
    raw = leaf.curve.read(inputs, beside)
    missing = np.isnan(raw)
    value = np.where(missing, FILLED[leaf.missing], raw)
    lost = held = np.zeros(len(raw), dtype=np.bool_)
    last, last_age = raw, None
    known = _known(leaf, table, beside, told, stale, earlier) if missing.any() else None
    if known is not None:
        gone = missing & np.isnan(table.numbers[leaf.measure.live])
        if stale is not None:
            gone |= missing & stale
        lost = gone & ~np.isnan(known.reading)
        kept = lost
        if leaf.hold_days is not None:
            held = missing & (known.age_days <= leaf.hold_days) & ~np.isnan(known.reading)
            value = np.where(held, known.reading, value)
            kept = lost | held
        last = np.where(kept, known.reading, raw)
        last_age = np.where(kept, known.age_days, 0.0)
    return Read(
        place=place, input=inputs, value=value, missing=missing, lost=lost, held=held, last=last, last_age=last_age
    )


def _known(
    leaf: Leaf, table: FactTable, beside: Beside, told: Floats, stale: Booleans | None, earlier: LastKnown | None
) -> LastKnown | None:
    """What was last known before; where that is nothing, what data says that is too old to count today."""
    if stale is None or not stale.any():
        return earlier
    old, age = leaf.curve.read(told, beside), table.numbers[leaf.measure.age or ""]
    if earlier is None:
        return LastKnown(np.where(stale, old, np.nan), np.where(stale, age, np.nan))
    first = stale & np.isnan(earlier.reading)
    return LastKnown(np.where(first, old, earlier.reading), np.where(first, age, earlier.age_days))


def input_of(leaf: Leaf, table: FactTable) -> Floats:
    """What the measure makes of the facts, [n], NaN where that is nothing."""
    measure = leaf.measure
    return np.asarray(measure.value({fact: table.numbers[fact] for fact in measure.facts}), dtype=np.float64)


def stale_of(leaf: Leaf, table: FactTable) -> Booleans | None:
    """Where the data is older than the definition allows, [n]; None where it sets no limit, or nothing dates the data."""
    if leaf.stale_after_days is None or leaf.measure.age is None:
        return None
    return np.asarray(table.numbers[leaf.measure.age] > leaf.stale_after_days, dtype=np.bool_)


def wants_last_known(table: FactTable, definitions: Sequence[HealthDefinition]) -> Booleans:
    """For whom `last known` readings matter, bool[n]; of the others they need not be looked up.

    What is not weighed holds no band down and fills no score, so it alone is no reason to look.
    """
    wanted = np.zeros(len(table), dtype=np.bool_)
    leaves = [place.leaf for each in definitions for place in each.places if place.share > 0]
    for leaf in {leaf.name: leaf for leaf in leaves}.values():
        wanted |= np.isnan(table.numbers[leaf.measure.live])
    for leaf in leaves:
        if (stale := stale_of(leaf, table)) is not None:
            wanted |= stale
        if leaf.hold_days is not None:
            # whether there are peers to compare with is not known before all are read
            wanted |= True if leaf.curve.relative else np.isnan(input_of(leaf, table))
    return wanted


def remembered(
    stored: Mapping[int, tuple[date, Sequence[Mapping[str, Any]]]],
    *,
    count: int,
    as_of: date,
    known: dict[str, LastKnown] | None = None,
) -> dict[str, LastKnown]:
    """`before` of a table of `count` customers on `as_of`, from readings as `Health.readings_at` gives them.

    stored  {place in the table: (day of the scorecard, its readings)}, of those customers who have an earlier one
    known   what this returned for others of the same table: it is added to
    """
    known = {} if known is None else known
    for place, (day, readings) in stored.items():
        for each in readings:
            reading, on = (each.get("last"), each.get("last_on")) if each["missing"] else (each["value"], day)
            if reading is None:
                continue
            column = known.get(each["measure"])
            if column is None:
                column = known[each["measure"]] = LastKnown(np.full(count, np.nan), np.full(count, np.nan))
            read_on = date.fromisoformat(on) if isinstance(on, str) else on
            column.reading[place] = reading
            column.age_days[place] = np.nan if read_on is None else (as_of - read_on).days
    return known
