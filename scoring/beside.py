"""One customer beside the others: curves that place it among them, held still, so that many "what if" rows can be read."""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from scoring.curves import MIN_PEERS, Percentile, Segments, segments_of
from scoring.definition import Branch, HealthDefinition, Leaf, Node
from scoring.facts import FactTable, Floats


@dataclass(frozen=True, slots=True, eq=False)
class AmongOthers:
    """A percentile of which the others are fixed. others: their inputs, sorted, the better the higher; None: too few."""

    of: Percentile
    others: Floats | None
    relative: bool = False

    def read(self, inputs: Floats, segments: Segments) -> Floats:
        if self.others is None:
            return np.full(len(inputs), np.nan)
        signed = inputs if self.of.better == "higher" else -inputs
        below = np.searchsorted(self.others, signed, side="left")
        not_above = np.searchsorted(self.others, signed, side="right")
        return np.where(np.isnan(signed), np.nan, (below + not_above) / 2 / len(self.others))

    def key(self) -> dict[str, Any]:
        return self.of.key()


def beside_the_others(definition: HealthDefinition, table: FactTable, index: int) -> HealthDefinition:
    """The definition as it reads the customer at `index`, whatever its facts, with all others as they are in `table`."""
    if not definition.relative:
        return definition
    segments = segments_of(table.texts.get("segment", [None] * len(table)))

    def still(node: Node) -> Node:
        if isinstance(node, Branch):
            return replace(node, children=tuple(still(child) for child in node.children))
        if not isinstance(node.curve, Percentile):
            return node
        return replace(node, curve=AmongOthers(node.curve, _others(node, node.curve, table, segments, index)))

    root = still(definition.root)
    assert isinstance(root, Branch), "the root of a definition is a group"
    return replace(definition, root=root)


def _others(leaf: Leaf, curve: Percentile, table: FactTable, segments: Segments, index: int) -> Floats | None:
    measure = leaf.measure
    inputs = np.asarray(measure.value({fact: table.numbers[fact] for fact in measure.facts}), dtype=np.float64)
    signed = inputs if curve.better == "higher" else -inputs
    there = ~np.isnan(signed)
    there[index] = False
    peers = there & (segments == segments[index])
    # the customer itself is one of its peers
    for chosen in (peers, there):
        if chosen.sum() + 1 >= MIN_PEERS:
            return np.sort(signed[chosen])
    return None
