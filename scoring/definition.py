"""What health is made of: `config/health.yaml` as a tree of weighted measures, with bands and the coverage floor.

    coverage_floor: 0.5
    bands: {critical: {from: 0, below: 0.3}, …, healthy: {from: 0.7}}
    groups:
      usage:                                     a group has `of`, whose weights add up to 1; groups may hold groups
        weight: 0.4
        of:
          wau: {weight: 0.5}                     anything else is a measure, by its name
          usage_trend:
            weight: 0.5
            missing: poor                        exclude | neutral | poor; the measure's own where nothing is said
            curve: {points: [[-1, 0], [1, 1]]}   or {thresholds: […]}, or {percentile: higher}; else the measure's own
      nps:
        weight: 0.6
        missing: {hold_days: 90, then: exclude}  the last reading known, up to that age, and then the other policy
        stale_after_days: 30                     data older than that is as good as missing
        by_tenure: [{from_days: 0, curve: {…}}, {from_days: 90, curve: {…}}]

`load` raises ConfigError with every fault of the file at once. The hash of a definition is that of what it computes: it
covers curves and policies that come from the measures themselves, and not the order or layout of the file.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256

import numpy as np
import numpy.typing as npt
import orjson

from hub.documents import Document
from hub.errors import ConfigError
from hub.model.actions import Band
from scoring.curves import Curve
from scoring.definition_file import BandSpec, GroupSpec, HealthFile, HoldSpec, MeasureSpec
from scoring.definition_rules import faults_of
from scoring.facts import Floats
from scoring.measure import Measure, Missing
from scoring.measures import discover

MAIN = "main"


@dataclass(frozen=True, slots=True)
class Leaf:
    """A measure in its place: weight among its siblings, curve, and what a missing input means.

    missing           the policy for a missing input; beside `hold_days`, the one that holds when nothing can be held
    hold_days         a missing input is the last reading known, up to this age; None: nothing is held
    stale_after_days  data older than this is as good as missing, by the fact `measure.age`; None: it never is
    """

    measure: Measure
    weight: float
    curve: Curve
    missing: Missing
    hold_days: int | None = None
    stale_after_days: int | None = None

    @property
    def name(self) -> str:
        return self.measure.name


@dataclass(frozen=True, slots=True)
class Branch:
    """A group: weight among its siblings, and its children, whose weights add up to 1."""

    name: str
    weight: float
    children: tuple["Node", ...]


Node = Leaf | Branch


@dataclass(frozen=True, slots=True)
class Place:
    """A leaf as seen from the top. share: product of the weights down to it; all shares add up to 1."""

    leaf: Leaf
    group: str
    share: float


@dataclass(frozen=True, slots=True)
class HealthDefinition:
    """root holds the groups; bands are (band, its lower bound) from the worst up; hash names what is computed.

    name  what the scorecards call it: "main", or the stem of its file in config/health/; no part of what is computed
    """

    root: Branch
    bands: tuple[tuple[Band, float], ...]
    coverage_floor: float
    hash: str
    name: str = MAIN

    @property
    def places(self) -> tuple[Place, ...]:
        """The leaves, in the order of the file."""
        return tuple(_places(self.root, 1.0, None))

    @property
    def relative(self) -> bool:
        """Whether a customer's score depends on the other customers of the table, so that all of them must be in it."""
        return any(place.leaf.curve.relative for place in self.places)

    def levels(self, scores: Floats) -> npt.NDArray[np.int64]:
        """Index into `bands` for each of scores[n], integers[n]; -1 where the score is NaN."""
        bounds = np.array([bound for _, bound in self.bands])
        # what is a bound but for the last bit of arithmetic belongs to the upper band, as people would compute it
        indices = np.searchsorted(bounds, scores + 1e-9, side="right") - 1
        return np.where(np.isnan(scores), -1, np.maximum(indices, 0)).astype(np.int64)


def _places(branch: Branch, share: float, group: str | None) -> Iterator[Place]:
    for child in branch.children:
        if isinstance(child, Branch):
            yield from _places(child, share * child.weight, group or child.name)
        else:
            yield Place(child, group or child.measure.group, share * child.weight)


def load(document: Document, *, measures: Mapping[str, Measure] | None = None, name: str = MAIN) -> HealthDefinition:
    """The definition in `document`; raise ConfigError with every fault. `measures` are those there are, if not all."""
    known = discover() if measures is None else measures
    faults = faults_of(document, known)
    try:
        file = document.parse(HealthFile)
    except ConfigError as error:
        faults = [*error.faults, *faults]
        file = None
    if faults or file is None:
        raise ConfigError(sorted(dict.fromkeys(faults), key=lambda fault: fault.line or 0))
    root = _branch("health", GroupSpec(weight=1, of=file.groups), known)
    bands = tuple((Band(name), spec.start) for name, spec in file.bands)
    return HealthDefinition(root, bands, file.coverage_floor, _hash(root, file), name)


def _branch(name: str, spec: GroupSpec, known: Mapping[str, Measure]) -> Branch:
    children: list[Node] = []
    for child_name, child in spec.of.items():
        if isinstance(child, GroupSpec):
            children.append(_branch(child_name, child, known))
        else:
            children.append(_leaf(known[child_name], child))
    return Branch(name, spec.weight, tuple(children))


def _leaf(measure: Measure, spec: MeasureSpec) -> Leaf:
    missing: Missing = measure.missing
    hold_days = None
    if isinstance(spec.missing, HoldSpec):
        missing, hold_days = spec.missing.then, spec.missing.hold_days
    elif spec.missing is not None:
        missing = spec.missing
    return Leaf(measure, spec.weight, spec.made() or measure.curve, missing, hold_days, spec.stale_after_days)


def _hash(root: Branch, file: HealthFile) -> str:
    bands: Sequence[tuple[str, BandSpec]] = list(file.bands)
    whole = {
        "groups": _plain(root),
        "bands": {name: float(spec.start) for name, spec in bands},
        "coverage_floor": float(file.coverage_floor),
    }
    return sha256(orjson.dumps(whole, option=orjson.OPT_SORT_KEYS)).hexdigest()


def _plain(node: Node) -> dict[str, object]:
    if isinstance(node, Branch):
        return {"weight": float(node.weight), "of": {child.name: _plain(child) for child in node.children}}
    curve = orjson.loads(orjson.dumps(node.curve.key()))
    numbers = {kind: _floats(value) for kind, value in curve.items()}
    # what a definition does not use is no part of its hash, so that a new policy leaves the old definitions' alone
    limits = {"hold_days": node.hold_days, "stale_after_days": node.stale_after_days}
    used = {name: float(days) for name, days in limits.items() if days is not None}
    return {"weight": float(node.weight), "missing": node.missing, "curve": numbers, **used}


def _floats(value: object) -> object:
    """1 and 1.0 are the same number to a reader and to the arithmetic, so to the hash."""
    if isinstance(value, list):
        return [_floats(item) for item in value]
    if isinstance(value, dict):
        return {key: _floats(item) for key, item in value.items()}
    return float(value) if isinstance(value, int) else value
