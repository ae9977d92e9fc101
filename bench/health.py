"""What the benchmarks score: facts at random, every measure there is, and the same arithmetic as one would write it bare.

`bare` takes the measures' inputs, reads them off their curves and adds them up by weight: no policies for what is missing,
no coverage, no bands, nothing kept to explain a score with. Of customers about whom everything is known it says what
`scoring.health` says.
"""

from collections.abc import Sequence
from datetime import date
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.stats import rankdata

from hub.documents import Document
from scoring.definition import HealthDefinition, load
from scoring.facts import FACTS, FactTable, Floats
from scoring.measures import discover

Groups = Sequence[npt.NDArray[np.int64]]
"""The places of each segment's customers."""
MISSING = 0.1
BANDS = """
bands:
  critical: {from: 0, below: 0.3}
  warning: {from: 0.3, below: 0.5}
  stable: {from: 0.5, below: 0.7}
  healthy: {from: 0.7}
"""


def made_table(n: int, day: date, *, missing: float = MISSING) -> FactTable:
    """n customers with facts at random, a tenth of each missing."""
    random = np.random.default_rng(1)
    numbers = {}
    for fact in FACTS.values():
        if fact.kind == "number":
            top = 1.0 if fact.unit == "ratio" else 40.0
            column = random.random(n) * top
            column[random.random(n) < missing] = np.nan
            numbers[fact.name] = column
    segments = [f"segment {i}" for i in random.integers(0, 4, n).tolist()]
    texts = {fact.name: segments for fact in FACTS.values() if fact.kind == "text"}
    return FactTable(day, range(n), numbers, texts)  # type: ignore[arg-type]  # numbers do for ids here


def segments_of(table: FactTable) -> Groups:
    names = np.array(table.texts["segment"])
    return [np.flatnonzero(names == name) for name in np.unique(names)]


def every_measure() -> HealthDefinition:
    """A definition that weighs all measures: each group as much as any other, and within it each measure."""
    groups: dict[str, list[str]] = {}
    for name, measure in discover().items():
        groups.setdefault(measure.group, []).append(name)
    lines = ["coverage_floor: 0.5", BANDS, "groups:"]
    for group, names in groups.items():
        lines += [f"  {group}:", f"    weight: {1 / len(groups)!r}", "    of:"]
        lines += [f"      {name}: {{weight: {1 / len(names)!r}}}" for name in names]
    return load(Document.from_text("\n".join(lines), name="bench.yaml"))


def bare(table: FactTable, segments: Groups, definition: HealthDefinition) -> Floats:
    """The score [n] of `definition` by a line of numpy a measure; NaN where anything is missing."""
    total = np.zeros(len(table))
    for place in definition.places:
        ((kind, how),) = place.leaf.curve.key().items()
        total += place.share * READ[kind](place.leaf.measure.value(table.numbers), how, segments)
    return total


def _points(values: Floats, pairs: Any, _segments: Groups) -> Floats:
    return np.interp(values, *np.array(pairs, dtype=np.float64).T)


def _thresholds(values: Floats, pairs: Any, _segments: Groups) -> Floats:
    xs, ys = np.array(pairs, dtype=np.float64).T
    return np.where(np.isnan(values), np.nan, ys[np.maximum(np.searchsorted(xs, values, side="right") - 1, 0)])


def _percentile(values: Floats, better: Any, segments: Groups) -> Floats:
    signed = values if better == "higher" else -values
    result = np.full(len(values), np.nan)
    for places in segments:
        known = places[~np.isnan(signed[places])]
        result[known] = (rankdata(signed[known]) - 1) / (len(known) - 1)
    return result


READ = {"points": _points, "thresholds": _thresholds, "percentile": _percentile}
