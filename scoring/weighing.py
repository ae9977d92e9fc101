"""Weighing readings in a tree: scores, and how much each reading weighs in them.

A group's score is the mean of its children weighted by their weights; a child without any reading is left out and the
others' weights are scaled up to 1, inside that group: what is missing in one group doesn't make another group count more,
unless nothing in it can be read. A reading's effective weight is the product of the scaled weights down to it, so

    score = sum over leaves of  effective weight * reading      (exactly; effective weights add up to 1)
"""

from collections.abc import Iterator, Sequence
from functools import reduce
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from scoring.chunks import in_chunks
from scoring.definition import Branch, Leaf, Node
from scoring.facts import Floats

Booleans = npt.NDArray[np.bool_]


class Weighed(NamedTuple):
    """Columns over n customers; the last two have one for each leaf, in the order of the tree.

    score          NaN where nothing can be read
    weights        effective weight, 0 where a reading is missing
    contributions  weight * reading, 0 where it is missing; they add up to the score
    """

    score: Floats
    weights: list[Floats]
    contributions: list[Floats]


def weigh(root: Branch, readings: Sequence[Floats]) -> Weighed:
    """Weigh readings[leaf][n], 0-1 or NaN, in the order of the tree's leaves."""
    n = len(readings[0]) if readings else 0
    whole = Weighed(np.empty(n), [np.empty(n) for _ in readings], [np.empty(n) for _ in readings])

    def weigh_rows(rows: slice) -> None:
        present, weights = _weigh(root, iter([reading[rows] for reading in readings]))
        score = np.zeros(len(present))
        for leaf, (weight, reading) in enumerate(zip(weights, readings, strict=True)):
            whole.weights[leaf][rows] = weight
            contribution = np.where(weight > 0, weight * reading[rows], 0.0)
            whole.contributions[leaf][rows] = contribution
            score += contribution
        whole.score[rows] = np.where(present, score, np.nan)

    in_chunks(n, weigh_rows)
    return whole


def _weigh(node: Node, readings: Iterator[Floats]) -> tuple[Booleans, list[Floats]]:
    """Whether anything below `node` can be read, [n], and the weight of each leaf within it; takes its leaves' readings."""
    if isinstance(node, Leaf):
        present = ~np.isnan(next(readings))
        return present, [present.astype(np.float64)]
    parts = [(child.weight, *_weigh(child, readings)) for child in node.children]
    # a child of weight 0 carries no score on its own
    # added one after another: numpy's sum adds a single customer's numbers in another order than a thousand customers'
    total = reduce(np.add, [weight * present for weight, present, _ in parts])
    scale = np.divide(1.0, total, out=np.zeros_like(total), where=total > 0)
    weights = []
    for weight, _, inners in parts:
        scaled = weight * scale
        weights += [scaled * inner for inner in inners]
    return total > 0, weights
