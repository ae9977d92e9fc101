"""A definition of health as plain data, kept beside the scorecards it made: they are explained long after the file changed.

record(definition)   everything that is computed: the tree with weights, curves and policies, the bands, the floor
recall(record, hash) the definition again; a measure that is gone by then still has its place, weight and curve
"""

from collections.abc import Mapping
from typing import Any

import numpy as np

from hub.model.actions import Band
from scoring.curves import ByTenure, Curve, Points
from scoring.definition import MAIN, Branch, HealthDefinition, Leaf, Node
from scoring.definition_file import CurveSpec
from scoring.measure import Measure
from scoring.measures import discover


def record(definition: HealthDefinition) -> dict[str, Any]:
    """The definition as JSON has it."""
    return {
        "tree": _node(definition.root),
        "bands": [[band.value, bound] for band, bound in definition.bands],
        "coverage_floor": definition.coverage_floor,
    }


def recall(
    kept: Mapping[str, Any], definition_hash: str, *, measures: Mapping[str, Measure] | None = None, name: str = MAIN
) -> HealthDefinition:
    """The definition that `record` made `kept` of. `measures` are those there are, if not all."""
    root = _made(kept["tree"], discover() if measures is None else measures)
    assert isinstance(root, Branch), "the root of a definition is a group"
    bands = tuple((Band(name), float(bound)) for name, bound in kept["bands"])
    return HealthDefinition(root, bands, float(kept["coverage_floor"]), definition_hash, name)


def _node(node: Node) -> dict[str, Any]:
    if isinstance(node, Branch):
        return {"name": node.name, "weight": node.weight, "of": [_node(child) for child in node.children]}
    curve = {kind: _plain(value) for kind, value in node.curve.key().items()}
    limits = {"hold_days": node.hold_days, "stale_after_days": node.stale_after_days}
    used = {name: days for name, days in limits.items() if days is not None}
    return {"name": node.name, "weight": node.weight, "missing": node.missing, "curve": curve, **used}


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _plain(item) for key, item in value.items()}
    return [_plain(item) for item in value] if isinstance(value, list | tuple) else value


def _made(kept: Mapping[str, Any], measures: Mapping[str, Measure]) -> Node:
    name, weight = str(kept["name"]), float(kept["weight"])
    if "of" in kept:
        return Branch(name, weight, tuple(_made(child, measures) for child in kept["of"]))
    return Leaf(
        measures.get(name) or _gone(name),
        weight,
        _curve(kept["curve"]),
        kept["missing"],
        kept.get("hold_days"),
        kept.get("stale_after_days"),
    )


def _curve(key: Mapping[str, Any]) -> Curve:
    if steps := key.get("by_tenure"):
        return ByTenure(tuple((start, _curve(curve)) for start, curve in steps))
    return CurveSpec.model_validate(key).made()


def _gone(name: str) -> Measure:
    """Stands for a measure that this version no longer has: it can be weighed, and reads nothing anew."""
    return Measure(
        name=name,
        group="usage",
        meaning="a measure of an earlier version",
        facts=(),
        live="",
        unit="",
        curve=Points(((0, 0), (1, 1))),
        value=lambda columns: np.array([np.nan]),
        sentence=lambda value, facts: "",
    )
