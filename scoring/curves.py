"""Curves: how a measure's input becomes a reading between 0 (bad) and 1 (good).

    Points       straight lines between points; flat beyond the first and the last
    Thresholds   steps: the reading of the highest threshold not above the input; below the first, that of the first
    Percentile   the customer's place among its peers, those of the same segment on the same day
    ByTenure     one of these for each stage of a customer's life, by the days since it became one

A missing input (NaN) has no reading (NaN). `key()` is the curve as plain data, for hashing and for showing.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal, Protocol

import numpy as np
import numpy.typing as npt

from scoring.facts import FactTable, Floats

Segments = npt.NDArray[np.int64]
MIN_PEERS = 10
"""With fewer customers in a segment the peers are all customers; with fewer of those there is no percentile."""


TENURE = "tenure_days"


@dataclass(frozen=True, eq=False)
class Beside:
    """The customers whose inputs are read together, as far as a reading depends on who they are.

    segment_names  the segment of each, length n; None is a segment too
    tenure_days    float64[n], NaN where unknown
    """

    segment_names: Sequence[str | None]
    tenure_days: Floats

    @classmethod
    def of(cls, table: FactTable) -> "Beside":
        nobody_knows = np.full(len(table), np.nan)
        return cls(table.texts.get("segment", [None] * len(table)), table.numbers.get(TENURE, nobody_knows))

    @cached_property
    def segments(self) -> Segments:
        """A number for the segment of each, found when a curve first asks."""
        return segments_of(self.segment_names)


class Curve(Protocol):
    """relative: whether a reading depends on the other customers of the table."""

    @property
    def relative(self) -> bool: ...

    def read(self, inputs: Floats, beside: Beside) -> Floats:
        """Readings[n] for inputs[n] of the n customers `beside` speaks of."""
        ...

    def key(self) -> dict[str, Any]: ...


def _split(pairs: Sequence[tuple[float, float]]) -> tuple[Floats, Floats]:
    xs, ys = (np.array(part, dtype=np.float64) for part in zip(*pairs, strict=True))
    return xs, ys


@dataclass(frozen=True, slots=True)
class Points:
    """pairs of (input, reading), inputs rising, readings within 0-1."""

    pairs: tuple[tuple[float, float], ...]
    relative: bool = False

    def read(self, inputs: Floats, beside: Beside) -> Floats:
        return np.asarray(np.interp(inputs, *_split(self.pairs)), dtype=np.float64)

    def key(self) -> dict[str, Any]:
        return {"points": [list(pair) for pair in self.pairs]}


@dataclass(frozen=True, slots=True)
class Thresholds:
    """pairs of (input from which, reading), inputs rising, readings within 0-1."""

    pairs: tuple[tuple[float, float], ...]
    relative: bool = False

    def read(self, inputs: Floats, beside: Beside) -> Floats:
        xs, ys = _split(self.pairs)
        steps = np.clip(np.searchsorted(xs, inputs, side="right") - 1, 0, len(xs) - 1)
        return np.where(np.isnan(inputs), np.nan, ys[steps])

    def key(self) -> dict[str, Any]:
        return {"thresholds": [list(pair) for pair in self.pairs]}


@dataclass(frozen=True, slots=True)
class Percentile:
    """The share of the other peers that are worse, equal ones counting half: 0 the worst, 1 the best."""

    better: Literal["higher", "lower"]
    relative: bool = True

    def read(self, inputs: Floats, beside: Beside) -> Floats:
        signed = inputs if self.better == "higher" else -inputs
        present = ~np.isnan(signed)
        readings = np.full(len(signed), np.nan)
        everybody = np.flatnonzero(present)
        if len(everybody) < MIN_PEERS:
            return readings
        segments = beside.segments[everybody]
        sizes = np.bincount(segments)
        if (sizes[sizes > 0] < MIN_PEERS).any():
            readings[everybody] = _places(signed[everybody])
        for segment in np.flatnonzero(sizes >= MIN_PEERS):
            peers = everybody[segments == segment]
            readings[peers] = _places(signed[peers])
        return readings

    def key(self) -> dict[str, Any]:
        return {"percentile": self.better}


@dataclass(frozen=True, slots=True)
class ByTenure:
    """steps of (tenure in days from which, curve), the first from 0, rising; of an unknown tenure the last one holds.

    A percentile among the steps still finds its peers among customers of every tenure.
    """

    steps: tuple[tuple[int, Curve], ...]

    @property
    def relative(self) -> bool:
        return any(curve.relative for _, curve in self.steps)

    def read(self, inputs: Floats, beside: Beside) -> Floats:
        which = self.which(beside.tenure_days)
        readings = np.full(len(inputs), np.nan)
        for number, (_, curve) in enumerate(self.steps):
            here = which == number
            # what does not depend on the others is read only where it counts
            readings[here] = curve.read(inputs, beside)[here] if curve.relative else curve.read(inputs[here], beside)
        return readings

    def which(self, tenure_days: Floats) -> npt.NDArray[np.int64]:
        """Index of the step of each tenure; NaN sorts last, which is the last step."""
        starts = np.array([start for start, _ in self.steps], dtype=np.float64)
        return np.maximum(np.searchsorted(starts, tenure_days, side="right") - 1, 0).astype(np.int64)

    def key(self) -> dict[str, Any]:
        return {"by_tenure": [[start, curve.key()] for start, curve in self.steps]}


def curve_at(curve: Curve, tenure_days: float) -> Curve:
    """The curve that reads a customer of this tenure, NaN where unknown."""
    if not isinstance(curve, ByTenure):
        return curve
    return curve.steps[int(curve.which(np.array([tenure_days]))[0])][1]


def _places(values: Floats) -> Floats:
    """The place of each of values[n] among all of them, 0-1: those below count whole, the other equal ones half."""
    order = np.argsort(values)
    ordered = values[order]
    # found in order, one step leads to the next; in the order they came, each search would go all over memory
    below = np.searchsorted(ordered, ordered, side="left")
    not_above = np.searchsorted(ordered, ordered, side="right")
    places = np.empty(len(values))
    places[order] = (below + not_above - 1) / 2 / (len(values) - 1)
    return places


def segments_of(texts: Sequence[str | None]) -> Segments:
    """Segment names as numbers from 0; customers without one are a segment of their own."""
    numbers = {text: number for number, text in enumerate(dict.fromkeys(texts))}
    return np.fromiter(map(numbers.__getitem__, texts), dtype=np.int64, count=len(texts))
