"""What would make it green: the cheapest change of facts, among those people can act on, that lifts a band.

    lift = find(table, index, book, Band.HEALTHY)

A measure says with its `lever` which fact people can move, how much of it is one piece of work (a step), and how far it can
practically go. A change costs one for each step and `PER_FACT` for each fact, because doing one thing well is easier than
doing three. The cheapest way with up to three facts is found by trying all; where three are not enough, the best step for
its price is taken until the band is reached, and what turns out needless is given back. Ties go to the higher score, then
to the order of the definition: the same facts always give the same answer.

Whatever is returned was scored by `scoring.health.score`, in the whole table and by the definition that then speaks of the
customer, for facts that move may bring it under another one. It is what the score would say of such facts, not a forecast
that they will come.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import combinations

import numpy as np
import numpy.typing as npt

from hub.model.actions import Band
from scoring.book import HealthBook
from scoring.definition import HealthDefinition
from scoring.facts import FactTable
from scoring.last_known import LastKnown
from scoring.lift_ways import Scored, Ways, WhatIf

PER_FACT = 2
TRIED_TOGETHER = 3
MOST_WAYS = 300_000
"""More ways than this are not all tried: fewer facts are then tried together."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Move:
    """A fact from what it is to what it would have to be; `steps` pieces of work, `doing` as an infinitive phrase."""

    measure: str
    fact: str
    before: float
    after: float
    steps: int
    doing: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Lift:
    """What lifts a customer's band to `target`, or the best that is in reach.

    reached                    whether it does
    moves                      the facts to move; empty where the band is there already, or nothing helps
    facts                      every fact that changes with them, those that are made of moved ones too: its new value
    score, band                now; None where there is no score
    lifted_score, lifted_band  with the moves
    note                       why not, where the target is not reached
    """

    target: Band
    reached: bool
    moves: tuple[Move, ...]
    facts: Mapping[str, float]
    score: float | None
    band: Band | None
    lifted_score: float | None
    lifted_band: Band | None
    note: str | None = None


def find(
    table: FactTable,
    index: int,
    definition: HealthBook | HealthDefinition,
    target: Band,
    *,
    before: Mapping[str, LastKnown] | None = None,
) -> Lift:
    """The cheapest change that lifts the customer at `index` of `table` to `target`.

    `before`: {measure: last reading known} of the customer alone, each column of length 1, see `scoring.health.score`; what
    was lost may hold a band down whatever else changes. Where `definition.relative` the table must hold all customers.
    """
    book = definition if isinstance(definition, HealthBook) else HealthBook(definition)
    what_if = WhatIf(table, index, book, before or {})
    search, none = _Search(what_if, target), what_if.none[0]
    now = what_if.scored(what_if.none)
    if now.bands[0] is None:
        return search.answer(none, note=f"there is no score to lift: {now.notes[0]}")
    if search.reaches(now)[0]:
        return search.answer(none)
    best_level = int(what_if.scored(what_if.most[None]).levels[0])
    if best_level < search.goal and what_if.may_change_definition:
        # less may be more, where the most would bring the customer under a stricter definition
        way = search.cheapest()
        if way is not None:
            return search.answer(way)
    reached = best_level >= search.goal
    if not reached:  # then the cheapest way to the best band there is
        search.goal = max(best_level, int(now.levels[0]))
    way = none if search.reaches(now)[0] else search.cheapest()
    if way is None:
        way = search.greedy()
    return search.answer(way, note=None if reached else search.why_not(way))


class _Search:
    """The ways of one customer. A way is a row of steps, one number for each lever."""

    def __init__(self, what_if: WhatIf, target: Band) -> None:
        self.what_if, self.target = what_if, target
        self.goal = what_if.order.index(target)

    def reaches(self, scored: Scored) -> npt.NDArray[np.bool_]:
        return scored.levels >= self.goal

    def cheapest(self) -> Ways | None:
        """The cheapest way that moves up to `TRIED_TOGETHER` facts; None where none of them is enough."""
        found: list[tuple[int, float, tuple[int, ...]]] = []
        tried = 0
        for count in range(1, min(TRIED_TOGETHER, len(self.what_if.levers)) + 1):
            ways = self._moving(count)
            tried += len(ways)
            if tried > MOST_WAYS:
                break
            scored = self.what_if.scored(ways)
            costs = ways.sum(axis=1) + PER_FACT * count
            found += [
                (int(costs[i]), -round(float(scored.score[i]), 12), tuple((-ways[i]).tolist()))
                for i in np.flatnonzero(self.reaches(scored)).tolist()
            ]
        return -np.array(min(found)[2], dtype=np.int64) if found else None

    def _moving(self, count: int) -> Ways:
        """All ways that move exactly so many facts."""
        parts = []
        for chosen in combinations(range(len(self.what_if.levers)), count):
            steps = np.indices([int(self.what_if.most[place]) for place in chosen]).reshape(count, -1).T + 1
            ways = np.zeros((len(steps), len(self.what_if.levers)), dtype=np.int64)
            ways[:, list(chosen)] = steps
            parts.append(ways)
        return np.concatenate(parts)

    def greedy(self) -> Ways:
        """The best step for its price, one after the other, where all steps together are known to be enough."""
        way = self.what_if.none[0].copy()
        while not self.reaches(here := self.what_if.scored(way[None]))[0]:
            options = np.flatnonzero(way < self.what_if.most)
            tried = self.what_if.scored(way + np.eye(len(way), dtype=np.int64)[options])
            gains = (tried.score - here.score[0]) / np.where(way[options] > 0, 1, 1 + PER_FACT)
            way[options[int(np.argmax(np.round(gains, 12)))]] += 1
        return self.pruned(way)

    def pruned(self, way: Ways) -> Ways:
        """`way` without what its band does not need: whole facts first, the smallest before, then single steps."""
        kept = way.copy()
        goal = self.what_if.scored(kept[None]).levels[0]

        def still(trial: Ways) -> bool:
            return bool(self.what_if.scored(trial[None]).levels[0] >= goal)

        for i in np.argsort(way, kind="stable").tolist():
            trial = kept.copy()
            trial[i] = 0
            if still(trial):
                kept = trial
        for i in range(len(kept)):
            while kept[i]:
                trial = kept.copy()
                trial[i] -= 1
                if not still(trial):
                    break
                kept = trial
        return kept

    def answer(self, way: Ways, *, note: str | None = None) -> Lift:
        """`way` with its moves, scored in the table itself."""
        now, lifted = self.what_if.in_place(self.what_if.none[0]), self.what_if.in_place(way)
        band = lifted.bands[self.what_if.index]
        reached = band is not None and self.what_if.order.index(band) >= self.goal
        assert note is not None or reached, "a lift was promised that scoring does not give"
        columns = self.what_if.columns(way[None])
        return Lift(
            target=self.target,
            reached=note is None,
            moves=tuple(
                Move(
                    measure=name,
                    fact=lever.fact,
                    before=self.what_if.facts[lever.fact],
                    after=float(columns[lever.fact][0]),
                    steps=steps,
                    doing=lever.doing,
                )
                for (name, lever), steps in zip(self.what_if.levers, way.tolist(), strict=True)
                if steps
            ),
            facts={
                name: float(column[0])
                for name, column in columns.items()
                if column[0] != self.what_if.facts[name] and not np.isnan(column[0])
            },
            score=_plain(now.score[self.what_if.index]),
            band=now.bands[self.what_if.index],
            lifted_score=_plain(lifted.score[self.what_if.index]),
            lifted_band=band,
            note=note,
        )

    def why_not(self, way: Ways) -> str:
        best_of = self.what_if.scored(way[None])
        band = best_of.bands[0]
        best = f"{band.value if band else 'no band'}, {best_of.score[0] * 100:.1f} of 100"
        does = "with the changes shown" if way.any() else "as it is"
        held = f". {best_of.notes[0]}" if best_of.notes[0] else ""
        return f"Nothing people can practically do reaches {self.target.value}; in reach is {best}, {does}{held}"


def _plain(value: float) -> float | None:
    return None if np.isnan(value) else float(value)
