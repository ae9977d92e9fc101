"""Drift: how far the customers that are scored have moved from those a model learned from, and how well it did lately.

    reference = Reference.of(names, matrix, probability, customers=codes)     kept beside the model when it is trained
    for reading in reference.readings(names, matrix, probability, used=…): …  against the customers of a day

PSI (population stability index) is the sum over bins of (p - q) ln(p / q): 10 deciles of the reference and a bin for what is
missing. Chance alone makes it about chi-squared / n, so fixed alarms at .10 and .25 fire by themselves where customers are
few; here an alarm is never below the 95th percentile of chance, 16.9 * (1 / n_reference + 1 / n) (measured, 10 bins).
A feature whose deciles coincide has fewer bins, and its chance is smaller than that: the alarm is then the more careful.

Labels come months later. `calibration_in_the_large` and `discrimination` judge probabilities once they are known.
"""

from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from scoring.evaluation import Evaluation, Flags, Integers, evaluate
from scoring.facts import Floats
from scoring.learner import Matrix

DECILES = 10
NULL_95 = 16.9
"""The 95th percentile of chi-squared with 9 degrees of freedom: of PSI over 10 bins, times n, where nothing has moved."""
WARN, ACT = 0.10, 0.25
SCORE = "score"
HALF = 0.5
"""Added to each bin's count on both sides: a bin that is empty on one side says much, but not infinitely much."""


class Level(StrEnum):
    """STEADY: nothing beyond chance. WARN: look at it. ACT: the model speaks of customers it has not seen the like of.
    UNUSED: the model does not ask for it, so that it may be whatever it is."""

    UNUSED = "unused"
    STEADY = "steady"
    WARN = "warn"
    ACT = "act"


RANK: Mapping[Level, int] = {Level.UNUSED: 0, Level.STEADY: 1, Level.WARN: 2, Level.ACT: 3}


@dataclass(frozen=True, slots=True)
class Alarms:
    """The values from which on a PSI is a warning, and one to act on."""

    warn: float
    act: float

    @classmethod
    def of(cls, reference: int, current: int) -> Self:
        """For so many customers on either side: warn max(.10, noise), act max(.25, 2 * noise); neither may be 0."""
        noise = NULL_95 * (1 / reference + 1 / current)
        return cls(max(WARN, noise), max(ACT, 2 * noise))

    def level(self, psi: float) -> Level:
        if psi >= self.act:
            return Level.ACT
        return Level.WARN if psi >= self.warn else Level.STEADY


@dataclass(frozen=True, slots=True)
class Bins:
    """How a column was distributed: counts between the inner edges (a value on an edge is above it), missing last."""

    edges: tuple[float, ...]
    counts: tuple[int, ...]

    @classmethod
    def of(cls, column: Floats) -> Self:
        """The deciles of a column [n]; edges that coincide are one. A column of one value, or of none, has no edges."""
        known = column[~np.isnan(column)]
        edges: list[float] = []
        if known.size:
            cuts = np.quantile(known, np.arange(1, DECILES) / DECILES, method="lower")
            edges = [edge for edge in np.unique(cuts).tolist() if edge > known.min()]
        return cls(tuple(edges), tuple(_counts(column, edges).tolist()))

    def psi(self, column: Floats) -> float:
        """PSI of `column` [n] against this; 0 where either side holds nobody."""
        now = _counts(column, self.edges)
        before = np.array(self.counts, dtype=np.int64)
        return psi(before, now)


def _counts(column: Floats, edges: Sequence[float]) -> Integers:
    missing = np.isnan(column)
    places = np.searchsorted(np.asarray(edges, dtype=np.float64), column[~missing], side="right")
    return np.append(np.bincount(places, minlength=len(edges) + 1), missing.sum()).astype(np.int64)


def psi(before: Integers, now: Integers) -> float:
    """Population stability index of two rows of counts over the same bins; bins that are empty on both sides are left out."""
    used = (before > 0) | (now > 0)
    if not before.sum() or not now.sum() or used.sum() < 2:
        return 0.0
    was, is_ = before[used] + HALF, now[used] + HALF
    p, q = was / was.sum(), is_ / is_.sum()
    return float(np.sum((q - p) * np.log(q / p)))


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """A feature, or the score, against its reference. share_missing: now, and in the reference."""

    name: str
    psi: float
    alarms: Alarms
    level: Level
    share_missing: float
    share_missing_before: float


@dataclass(frozen=True, slots=True)
class Reference:
    """What a model learned from: a distribution per feature, that of its own probabilities, and of how many customers.

    customers  distinct ones: the snapshots of one customer are alike, and are not as many pieces of evidence
    """

    features: Mapping[str, Bins]
    score: Bins
    customers: int

    @classmethod
    def of(
        cls, names: Sequence[str], matrix: Matrix, probability: Floats, *, customers: npt.NDArray[np.generic]
    ) -> Self:
        """Of rows like those a model was fitted to: matrix float32[n, f], its probabilities [n], customers [n] (any names)."""
        columns = {name: Bins.of(matrix[:, place].astype(np.float64)) for place, name in enumerate(names)}
        return cls(columns, Bins.of(probability), len(np.unique(customers)))

    def readings(
        self, names: Sequence[str], matrix: Matrix, probability: Floats, *, used: Container[str]
    ) -> list[Reading]:
        """The score and then each feature of this reference, against rows of today; [] where nobody is there.

        used  features that the model asks for; the others have no level

        ValueError where `names` are not the features of the reference.
        """
        if set(names) != set(self.features):
            raise ValueError("drift is read of the features that the model learned from")
        if not len(probability) or not self.customers:
            return []
        place = {name: index for index, name in enumerate(names)}
        alarms = Alarms.of(self.customers, len(probability))
        pairs = [(SCORE, self.score, probability)]
        pairs += [(name, bins, matrix[:, place[name]].astype(np.float64)) for name, bins in self.features.items()]
        return [
            _reading(name, bins, column, alarms, used=name == SCORE or name in used) for name, bins, column in pairs
        ]

    def as_json(self) -> dict[str, Any]:
        def plain(bins: Bins) -> dict[str, Any]:
            return {"edges": list(bins.edges), "counts": list(bins.counts)}

        features = {name: plain(bins) for name, bins in self.features.items()}
        return {"features": features, "score": plain(self.score), "customers": self.customers}

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Self:
        def bins(part: Mapping[str, Any]) -> Bins:
            return Bins(tuple(part["edges"]), tuple(part["counts"]))

        features = {name: bins(part) for name, part in value["features"].items()}
        return cls(features, bins(value["score"]), value["customers"])


def _reading(name: str, bins: Bins, column: Floats, alarms: Alarms, *, used: bool) -> Reading:
    moved = bins.psi(column)
    return Reading(
        name=name,
        psi=moved,
        alarms=alarms,
        level=alarms.level(moved) if used else Level.UNUSED,
        share_missing=float(np.isnan(column).mean()),
        share_missing_before=bins.counts[-1] / max(1, sum(bins.counts)),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class InTheLarge:
    """Customers who left against those expected to: ratio, with the exact 95 % Poisson interval of those who left."""

    observed: int
    expected: float
    ratio: float
    low: float
    high: float

    @property
    def is_off(self) -> bool:
        """Whether 1 is outside the interval: more, or fewer, left than chance explains."""
        return not self.low <= 1 <= self.high


def calibration_in_the_large(observed: int, expected: float) -> InTheLarge:
    """observed / expected; ValueError where nothing was expected.

    Interval of a Poisson count k (Garwood 1936): chi2(.025, 2k) / 2 to chi2(.975, 2k + 2) / 2.
    """
    if expected <= 0:
        raise ValueError("nothing was expected, so nothing can be compared with it")
    from scipy.stats import chi2  # a second to import, and most commands never get here

    low = float(chi2.ppf(0.025, 2 * observed)) / 2 if observed else 0.0
    high = float(chi2.ppf(0.975, 2 * observed + 2)) / 2
    return InTheLarge(
        observed=observed,
        expected=expected,
        ratio=observed / expected,
        low=low / expected,
        high=high / expected,
    )


def discrimination(labels: Flags, probability: Floats, *, days: Integers, bootstraps: int = 200) -> Evaluation | None:
    """How well probabilities [n] of one day told leavers from others; None where all of them fared alike."""
    if labels.all() or not labels.any():
        return None
    return evaluate(
        labels,
        probability,
        customers=np.arange(len(labels), dtype=np.int64),
        days=days,
        split="matured predictions",
        bootstraps=bootstraps,
    )
