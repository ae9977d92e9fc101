"""One customer beside the others: curves that place it among them, held still, so that many "what if" rows can be read."""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from scoring.curves import MIN_PEERS, Beside, ByTenure, Curve, Percentile
from scoring.definition import Branch, HealthDefinition, Node
from scoring.facts import FactTable, Floats
from scoring.reading import input_of, stale_of


@dataclass(frozen=True, slots=True, eq=False)
class AmongOthers:
    """A percentile of which the others are fixed. others: their inputs, sorted, the better the higher; None: too few."""

    of: Percentile
    others: Floats | None
    relative: bool = False

    def read(self, inputs: Floats, beside: Beside) -> Floats:
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
    beside = Beside.of(table)

    def still(node: Node) -> Node:
        if isinstance(node, Branch):
            return replace(node, children=tuple(still(child) for child in node.children))
        if not node.curve.relative:
            return node
        inputs, stale = input_of(node, table), stale_of(node, table)
        fresh = inputs if stale is None else np.where(stale, np.nan, inputs)
        return replace(node, curve=_still(node.curve, fresh, beside, index))

    root = still(definition.root)
    assert isinstance(root, Branch), "the root of a definition is a group"
    return replace(definition, root=root)


def _still(curve: Curve, inputs: Floats, beside: Beside, index: int) -> Curve:
    """`curve` with the inputs of all customers but one held as they are."""
    if isinstance(curve, ByTenure):
        return ByTenure(tuple((start, _still(step, inputs, beside, index)) for start, step in curve.steps))
    return AmongOthers(curve, _others(curve, inputs, beside, index)) if isinstance(curve, Percentile) else curve


def _others(curve: Percentile, inputs: Floats, beside: Beside, index: int) -> Floats | None:
    signed = inputs if curve.better == "higher" else -inputs
    there = ~np.isnan(signed)
    there[index] = False
    peers = there & (beside.segments == beside.segments[index])
    # the customer itself is one of its peers
    for chosen in (peers, there):
        if chosen.sum() + 1 >= MIN_PEERS:
            return np.sort(signed[chosen])
    return None
