"""The health of a parent customer, rolled up from everybody below it and itself.

    families = families_of(links)                         who is below whom, at any depth; circles are left out and named
    rolled = roll_up(families, scores, values, how)       one a parent, with its parts

A part is a customer with a scorecard: the parent's own is one of them, and so is each child's, grandchild's and so on, each
once. By *value* a part weighs its share of the value (recurring revenue) of those with a score, by *mean* all weigh the same,
by *worst* the lowest score is the roll-up. Contribution is weight * score; added up in the order of the parts they are the
roll-up to the last bit. Who has no score has no weight. Where nobody has a value, the mean stands in, and the note says so.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from scoring.book import Rollup
from scoring.facts import Floats

Integers = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Families:
    """Pairs (parent, member), by parent and member: each parent with itself and everybody below it.

    parents   ids, sorted
    members   ids, sorted, of everybody in any family
    parent, member  int64[pairs], index into them
    circular  ids of those who are their own ancestor: where they stand is not followed up
    """

    parents: tuple[str, ...]
    members: tuple[str, ...]
    parent: Integers
    member: Integers
    circular: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Part:
    """A customer in a roll-up: its score (None: it has none), its weight 0-1, and contribution = weight * score."""

    customer_id: str
    score: float | None
    weight: float
    contribution: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Rolled:
    """A parent's roll-up. score: None where nobody has one; method: what it was made by; note: what stood in its way."""

    customer_id: str
    score: float | None
    method: Rollup
    note: str | None
    parts: tuple[Part, ...]


def families_of(links: Mapping[str, str]) -> Families:
    """The families of {child: parent}. Every parent is one, also in the middle of a tree."""
    members = sorted({*links, *links.values()})
    place = {id_: i for i, id_ in enumerate(members)}
    up = np.full(len(members), -1, dtype=np.int64)
    for child, above in links.items():
        up[place[child]] = place[above]
    circular = _in_a_circle(up)
    up[circular] = -1
    ancestors, below = [np.unique(up[up >= 0])], [np.unique(up[up >= 0])]  # a parent is a member of its own family
    at, origin = up, np.arange(len(members))
    while (at >= 0).any():  # one step up a round: as many rounds as the deepest tree has levels
        climbing = at >= 0
        at, origin = at[climbing], origin[climbing]
        ancestors.append(at)
        below.append(origin)
        at = up[at]
    parent, member = np.concatenate(ancestors), np.concatenate(below)
    order = np.lexsort((member, parent))
    present, codes = np.unique(parent[order], return_inverse=True)
    return Families(
        tuple(members[i] for i in present.tolist()),
        tuple(members),
        codes.astype(np.int64),
        member[order],
        tuple(members[i] for i in np.flatnonzero(circular).tolist()),
    )


def _in_a_circle(up: Integers) -> npt.NDArray[np.bool_]:
    """Whether a walk up comes back to where it began. Walks double their length each round; -1 is where a tree ends."""
    size = len(up)
    reached = np.zeros(size, dtype=np.bool_)
    if not size:
        return reached
    # after at least `size` steps a walk is in its circle or at an end; from there the circle is walked once
    jump, steps = up.copy(), 1
    while steps < size:
        jump = np.where(jump >= 0, jump[jump], -1)
        steps *= 2
    at = np.unique(jump[jump >= 0])
    while len(at):
        reached[at] = True
        at = np.unique(up[at])
        at = at[~reached[at]]
    return reached


def roll_up(families: Families, scores: Floats, values: Floats, how: Rollup) -> list[Rolled]:
    """Roll up `scores` [members], 0-1 or NaN, weighed by `values` [members] (NaN or 0: none), one for each parent in order."""
    parent, score, value = families.parent, scores[families.member], values[families.member]
    many = len(families.parents)
    there = ~np.isnan(score)
    worth = np.where(there & (value > 0), value, 0.0)
    total = np.bincount(parent, worth, many)
    count = np.bincount(parent, there, many)
    valued = total > 0
    if how is Rollup.WORST:
        weights = _on_the_worst(parent, score, there)
    else:
        by_value = valued[parent] if how is Rollup.VALUE else np.zeros(len(parent), dtype=np.bool_)
        mean = np.divide(there, count[parent], out=np.zeros(len(parent)), where=there)
        weights = np.where(by_value, np.divide(worth, total[parent], out=np.zeros(len(parent)), where=by_value), mean)
    contributions = weights * np.where(there, score, 0.0)
    # bincount adds one after the other, as whoever adds up the parts does
    whole = np.bincount(parent, contributions, many)
    without = np.bincount(parent, there & (worth == 0), many)
    ends = np.searchsorted(parent, np.arange(many + 1))
    ids = [families.members[i] for i in families.member.tolist()]
    columns = list(
        zip(
            ids,
            [float(s) if t else None for s, t in zip(score.tolist(), there.tolist(), strict=True)],
            weights.tolist(),
            contributions.tolist(),
            strict=True,
        )
    )
    return [
        Rolled(
            customer_id=id_,
            score=float(whole[i]) if count[i] else None,
            method=Rollup.MEAN if how is Rollup.VALUE and count[i] and not valued[i] else how,
            note=_note(how, int(count[i]), bool(valued[i]), int(without[i])),
            parts=tuple(Part(*row) for row in columns[ends[i] : ends[i + 1]]),
        )
        for i, id_ in enumerate(families.parents)
    ]


def _on_the_worst(parent: Integers, score: Floats, there: npt.NDArray[np.bool_]) -> Floats:
    """Weight 1 on the lowest score of each parent; of equal ones on the first."""
    weights = np.zeros(len(parent))
    order = np.lexsort((np.arange(len(parent)), np.where(there, score, np.inf), parent))
    _, first = np.unique(parent[order], return_index=True)
    chosen = order[first]
    weights[chosen[there[chosen]]] = 1.0
    return weights


def _note(how: Rollup, count: int, valued: bool, without: int) -> str | None:
    if not count:
        return "Nobody in this family has a score"
    if how is not Rollup.VALUE or (valued and not without):
        return None
    if not valued:
        return "No recurring revenue is known of any of them: the plain mean, not by value"
    if without == 1:
        return "1 customer with a score has no recurring revenue that is known, and weighs nothing"
    return f"{without} customers with a score have no recurring revenue that is known, and weigh nothing"
