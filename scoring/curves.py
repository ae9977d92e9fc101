"""Curves: how a measure's input becomes a reading between 0 (bad) and 1 (good).

    Points       straight lines between points; flat beyond the first and the last
    Thresholds   steps: the reading of the highest threshold not above the input; below the first, that of the first
    Percentile   the customer's place among its peers, those of the same segment on the same day

A missing input (NaN) has no reading (NaN). `key()` is the curve as plain data, for hashing and for showing.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, Protocol

import numpy as np
import numpy.typing as npt

from scoring.facts import Floats

Segments = npt.NDArray[np.int64]
MIN_PEERS = 10
"""With fewer customers in a segment the peers are all customers; with fewer of those there is no percentile."""


class Curve(Protocol):
    """relative: whether a reading depends on the other customers of the table."""

    @property
    def relative(self) -> bool: ...

    def read(self, inputs: Floats, segments: Segments) -> Floats:
        """Readings[n] for inputs[n]; `segments` numbers the segment of each customer."""
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

    def read(self, inputs: Floats, segments: Segments) -> Floats:
        return np.asarray(np.interp(inputs, *_split(self.pairs)), dtype=np.float64)

    def key(self) -> dict[str, Any]:
        return {"points": [list(pair) for pair in self.pairs]}


@dataclass(frozen=True, slots=True)
class Thresholds:
    """pairs of (input from which, reading), inputs rising, readings within 0-1."""

    pairs: tuple[tuple[float, float], ...]
    relative: bool = False

    def read(self, inputs: Floats, segments: Segments) -> Floats:
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

    def read(self, inputs: Floats, segments: Segments) -> Floats:
        signed = inputs if self.better == "higher" else -inputs
        present = ~np.isnan(signed)
        readings = np.full(len(signed), np.nan)
        if present.sum() < MIN_PEERS:
            return readings
        readings[present] = _places(signed[present], signed[present])
        for segment in np.unique(segments[present]):
            peers = present & (segments == segment)
            if peers.sum() >= MIN_PEERS:
                readings[peers] = _places(signed[peers], signed[peers])
        return readings

    def key(self) -> dict[str, Any]:
        return {"percentile": self.better}


def _places(values: Floats, among: Floats) -> Floats:
    ordered = np.sort(among)
    below = np.searchsorted(ordered, values, side="left")
    not_above = np.searchsorted(ordered, values, side="right")
    return np.asarray((below + not_above - 1) / 2 / (len(ordered) - 1), dtype=np.float64)


def segments_of(texts: Sequence[str | None]) -> Segments:
    """Segment names as numbers; customers without one are a segment of their own."""
    numbers: dict[str | None, int] = {}
    return np.array([numbers.setdefault(text, len(numbers)) for text in texts], dtype=np.int64)
