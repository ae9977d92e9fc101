"""What each feature adds to a customer's log-odds: exact Shapley values of shallow trees, from tables.

A tree of depth 3 asks at most seven questions, so there are at most 128 patterns of answers. The Shapley values of every
pattern are worked out once per model; explaining a customer is then seven comparisons and a look-up per tree. The values
are those of XGBoost's own `pred_contribs` (path-dependent TreeSHAP: a feature that is not known averages over the branches
by their cover; a test holds the two together), at some forty times its speed.

They add up: the sum of a row plus the bias is the model's log-odds.
"""

from dataclasses import dataclass
from itertools import combinations
from math import factorial
from typing import TYPE_CHECKING, Any, Self

import numpy as np
import numpy.typing as npt
import orjson

from scoring.chunks import in_chunks
from scoring.facts import Floats
from scoring.learner import Matrix

if TYPE_CHECKING:
    import xgboost

DEEPEST = 7  # questions a tree may ask: 128 patterns
CHUNK = 16_384  # rows at a time: ten thousand steps are taken for each chunk, and smaller ones would be all overhead


@dataclass(frozen=True, slots=True)
class _Tree:
    """questions: (feature, threshold, whether it is put as >= instead of <); table: [features asked about, 2 ** questions].

    A pattern is the answers as bits, that to the first question the highest. A comparison with NaN is false, so a question
    is put the way that makes "false" the answer of a missing value.
    """

    questions: list[tuple[int, np.float32, bool]]
    asked: list[int]
    table: npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Contributions:
    """Of one booster: `bias` in log-odds, what a customer has of whom nothing is known."""

    bias: float
    features: int
    _trees: list[_Tree]

    @classmethod
    def of(cls, booster: "xgboost.Booster") -> Self:
        """Work out the tables; ValueError where a tree asks more than seven questions or one of categories."""
        model = orjson.loads(bytes(booster.save_raw("json")))["learner"]
        made = [_make(tree) for tree in model["gradient_booster"]["model"]["trees"]]
        base = _base_margin(booster)
        return cls(
            base + sum(bias for _, bias in made), booster.num_features(), [tree for tree, _ in made if tree.questions]
        )

    def __call__(self, matrix: Matrix) -> Matrix:
        """float32[n, f] in log-odds; NaN in `matrix` is missing."""
        result = np.zeros(matrix.shape, dtype=np.float32)

        def explain(rows: slice) -> None:
            result[rows] = self._explain(matrix[rows])

        in_chunks(len(matrix), explain, size=CHUNK)
        return result

    def importance(self, matrix: Matrix) -> Floats:
        """float64[f]: how much each feature moves the log-odds, its mean absolute value over some rows of `matrix`."""
        step = max(1, len(matrix) // CHUNK)
        return np.abs(self(matrix[::step])).mean(axis=0, dtype=np.float64) if len(matrix) else np.zeros(matrix.shape[1])

    def _explain(self, matrix: Matrix) -> Matrix:
        """One chunk. Every step writes into memory that is there already: making new arrays took half of the time."""
        rows = np.ascontiguousarray(matrix.T)
        added = np.zeros_like(rows)
        n = rows.shape[1]
        answer, pattern = np.empty(n, dtype=np.bool_), np.empty(n, dtype=np.uint8)
        place, value = np.empty(n, dtype=np.intp), np.empty(n, dtype=np.float32)
        bit = answer.view(np.uint8)
        for tree in self._trees:
            pattern.fill(0)
            for feature, threshold, reverse in tree.questions:
                (np.greater_equal if reverse else np.less)(rows[feature], threshold, out=answer)
                np.add(pattern, pattern, out=pattern)
                np.add(pattern, bit, out=pattern)
            place[:] = pattern
            for feature, values in zip(tree.asked, tree.table, strict=True):
                # no place is out of bounds; without "clip" numpy would check that first, and buffer
                np.take(values, place, out=value, mode="clip")
                np.add(added[feature], value, out=added[feature])
        return added.T


def strongest(effects: Matrix, count: int) -> npt.NDArray[np.int64]:
    """The places [n, count] of the largest values of each row, largest first; of equal ones the first. Rows hold no NaN.

    A few passes over everything are faster than sorting each row: what is taken is set to -inf in a copy.
    """
    count = min(count, effects.shape[1])
    rows = np.arange(len(effects))
    places = np.empty((len(effects), count), dtype=np.int64)
    left = effects.copy()
    for nth in range(count):
        places[:, nth] = left.argmax(axis=1)
        left[rows, places[:, nth]] = -np.inf
    return places


def _base_margin(booster: "xgboost.Booster") -> float:
    """What the booster starts from: a margin as it is, less the same one started from zero."""
    import xgboost

    nothing = np.zeros((1, booster.num_features()), dtype=np.float32)
    names = booster.feature_names
    whole = booster.predict(xgboost.DMatrix(nothing, feature_names=names), output_margin=True)[0]
    trees = booster.predict(xgboost.DMatrix(nothing, feature_names=names, base_margin=[0.0]), output_margin=True)[0]
    return float(whole - trees)


def _make(tree: dict[str, Any]) -> tuple[_Tree, float]:
    """A tree's questions and Shapley table, and its value for a customer of whom nothing is known."""
    if any(tree["split_type"]):
        raise ValueError("a tree asks for a category; one-hot columns are expected")
    left, right = tree["left_children"], tree["right_children"]
    nodes = [node for node, child in enumerate(left) if child != -1]
    if len(nodes) > DEEPEST:
        raise ValueError(f"a tree asks {len(nodes)} questions, more than {DEEPEST}")
    asked = sorted({tree["split_indices"][node] for node in nodes})
    values = _values(tree, nodes, asked)
    table = np.zeros((len(asked), 2 ** len(nodes)))
    for place in range(len(asked)):
        others = [other for other in range(len(asked)) if other != place]
        for size in range(len(asked)):
            weight = factorial(size) * factorial(len(others) - size) / factorial(len(asked))
            for known in combinations(others, size):
                without = sum(1 << other for other in known)
                table[place] += weight * (values[without | 1 << place] - values[without])
    questions = [
        (tree["split_indices"][node], np.float32(tree["split_conditions"][node]), bool(tree["default_left"][node]))
        for node in nodes
    ]
    assert all(right[node] != -1 for node in nodes), "a question has two answers"
    # `_values` counts from the lowest bit and means "is less", whichever way a question is put
    put = np.arange(2 ** len(nodes))
    meant = np.zeros_like(put)
    for place, (_, _, reverse) in enumerate(questions):
        meant |= (put >> (len(nodes) - 1 - place) & 1 ^ reverse) << place
    return _Tree(questions, asked, np.ascontiguousarray(table[:, meant], dtype=np.float32)), float(values[0, 0])


def _values(tree: dict[str, Any], nodes: list[int], asked: list[int]) -> Floats:
    """[known features as bits, pattern]: the tree's value when only those features are known, the others averaged."""
    known = np.arange(2 ** len(asked))[:, None]
    pattern = np.arange(2 ** len(nodes))[None, :]
    cover = tree["sum_hessian"]

    def value(node: int) -> Floats:
        yes, no = tree["left_children"][node], tree["right_children"][node]
        if yes == -1:
            # XGBoost keeps a leaf's value where an inner node keeps its threshold
            return np.full((known.size, pattern.size), tree["split_conditions"][node])
        if_yes, if_no = value(yes), value(no)
        told = known >> asked.index(tree["split_indices"][node]) & 1 == 1
        answer = pattern >> nodes.index(node) & 1 == 1
        mean = (cover[yes] * if_yes + cover[no] * if_no) / cover[node]
        return np.where(told, np.where(answer, if_yes, if_no), mean)

    return value(0)
