"""What would make it green: the cheapest change of facts, among those people can act on, that lifts a band.

    lift = find(table, index, definition, Band.HEALTHY)

A measure says with its `lever` which fact people can move, how much of it is one piece of work (a step), and how far it can
practically go. A change costs one for each step and `PER_FACT` for each fact, because doing one thing well is easier than
doing three. The cheapest way with up to three facts is found by trying all; where three are not enough, the best step for
its price is taken until the band is reached, and what turns out needless is given back. Ties go to the higher score, then
to the order of the definition: the same facts always give the same answer.

Whatever is returned was scored by `scoring.health.score`, in the whole table and by the definition itself. It is what the
score would say of such facts, not a forecast that they will come.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from itertools import combinations

import numpy as np
import numpy.typing as npt

from hub.model.actions import Band
from scoring.beside import beside_the_others
from scoring.definition import HealthDefinition
from scoring.facts import FactTable, Floats
from scoring.health import Health, score
from scoring.measure import Lever

PER_FACT = 2
TRIED_TOGETHER = 3
MOST_WAYS = 300_000
"""More ways than this are not all tried: fewer facts are then tried together."""
Ways = npt.NDArray[np.int64]


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
    definition: HealthDefinition,
    target: Band,
    *,
    before: Mapping[str, float] | None = None,
) -> Lift:
    """The cheapest change that lifts the customer at `index` of `table` to `target`.

    `before`: {measure: last known reading} of the customer, see `scoring.health.score`; what was lost may hold a band down
    whatever else changes. Where `definition.relative` the table must hold all customers.
    """
    search = _Search(table, index, definition, target, before or {})
    now = search.health(search.none)
    if now.bands[0] is None:
        return search.answer(search.none[0], note=f"there is no score to lift: {now.notes[0]}")
    if search.reaches(now)[0]:
        return search.answer(search.none[0])
    best_level = int(search.levels(search.health(search.most[None]))[0])
    reached = best_level >= search.goal
    if not reached:  # then the cheapest way to the best band there is
        search.goal = max(best_level, int(search.levels(now)[0]))
    way = search.none[0] if search.reaches(now)[0] else search.cheapest()
    if way is None:
        way = search.greedy()
    return search.answer(way, note=None if reached else search.why_not(way))


class _Search:
    """The ways of one customer. A way is a row of steps, one number for each lever."""

    def __init__(
        self, table: FactTable, index: int, definition: HealthDefinition, target: Band, before: Mapping[str, float]
    ) -> None:
        self.table, self.index, self.definition, self.target, self.before = table, index, definition, target, before
        self.alone = beside_the_others(definition, table, index)
        self.facts = {name: float(column[index]) for name, column in table.numbers.items()}
        self.levers: list[tuple[str, Lever]] = []
        most: list[int] = []
        for place in definition.places:
            lever = place.leaf.measure.lever
            if lever is not None and place.share > 0 and (steps := _most(lever, self.facts)):
                self.levers.append((place.leaf.name, lever))
                most.append(steps)
        self.most: Ways = np.array(most, dtype=np.int64)
        self.none: Ways = np.zeros((1, len(most)), dtype=np.int64)
        self.order = [band for band, _ in definition.bands]
        self.goal = self.order.index(target)

    def health(self, ways: Ways) -> Health:
        """Every way scored, the other customers left as they are."""
        many = len(ways)
        table = FactTable(
            self.table.as_of,
            [self.table.customers[self.index]] * many,
            self._columns(ways),
            {name: [texts[self.index]] * many for name, texts in self.table.texts.items()},
        )
        return score(table, self.alone, before={name: np.full(many, value) for name, value in self.before.items()})

    def levels(self, health: Health) -> Ways:
        """How high each band is, -1 without a score."""
        return np.array([-1 if band is None else self.order.index(band) for band in health.bands], dtype=np.int64)

    def reaches(self, health: Health) -> npt.NDArray[np.bool_]:
        return self.levels(health) >= self.goal

    def cheapest(self) -> Ways | None:
        """The cheapest way that moves up to `TRIED_TOGETHER` facts; None where none of them is enough."""
        found: list[tuple[int, float, tuple[int, ...]]] = []
        tried = 0
        for count in range(1, min(TRIED_TOGETHER, len(self.levers)) + 1):
            ways = self._moving(count)
            tried += len(ways)
            if tried > MOST_WAYS:
                break
            health = self.health(ways)
            costs = ways.sum(axis=1) + PER_FACT * count
            found += [
                (int(costs[i]), -round(float(health.score[i]), 12), tuple((-ways[i]).tolist()))
                for i in np.flatnonzero(self.reaches(health)).tolist()
            ]
        return -np.array(min(found)[2], dtype=np.int64) if found else None

    def _moving(self, count: int) -> Ways:
        """All ways that move exactly so many facts."""
        parts = []
        for chosen in combinations(range(len(self.levers)), count):
            steps = np.indices([int(self.most[place]) for place in chosen]).reshape(count, -1).T + 1
            ways = np.zeros((len(steps), len(self.levers)), dtype=np.int64)
            ways[:, list(chosen)] = steps
            parts.append(ways)
        return np.concatenate(parts)

    def greedy(self) -> Ways:
        """The best step for its price, one after the other, where all steps together are known to be enough."""
        way = self.none[0].copy()
        while not self.reaches(health := self.health(way[None]))[0]:
            options = np.flatnonzero(way < self.most)
            tried = self.health(way + np.eye(len(way), dtype=np.int64)[options])
            gains = (tried.score - health.score[0]) / np.where(way[options] > 0, 1, 1 + PER_FACT)
            way[options[int(np.argmax(np.round(gains, 12)))]] += 1
        return self.pruned(way)

    def pruned(self, way: Ways) -> Ways:
        """`way` without what its band does not need: whole facts first, the smallest before, then single steps."""
        kept = way.copy()
        goal = self.levels(self.health(kept[None]))[0]

        def still(trial: Ways) -> bool:
            return bool(self.levels(self.health(trial[None]))[0] >= goal)

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
        now, lifted = self._in_place(self.none[0]), self._in_place(way)
        assert note is not None or self.reaches(lifted)[self.index], "a lift was promised that scoring does not give"
        columns = self._columns(way[None])
        return Lift(
            target=self.target,
            reached=note is None,
            moves=tuple(
                Move(
                    measure=name,
                    fact=lever.fact,
                    before=self.facts[lever.fact],
                    after=float(columns[lever.fact][0]),
                    steps=steps,
                    doing=lever.doing,
                )
                for (name, lever), steps in zip(self.levers, way.tolist(), strict=True)
                if steps
            ),
            facts={
                name: float(column[0])
                for name, column in columns.items()
                if column[0] != self.facts[name] and not np.isnan(column[0])
            },
            score=_plain(now.score[self.index]),
            band=now.bands[self.index],
            lifted_score=_plain(lifted.score[self.index]),
            lifted_band=lifted.bands[self.index],
            note=note,
        )

    def why_not(self, way: Ways) -> str:
        health = self.health(way[None])
        band = health.bands[0]
        best = f"{band.value if band else 'no band'}, {health.score[0] * 100:.1f} of 100"
        does = "with the changes shown" if way.any() else "as it is"
        held = f". {health.notes[0]}" if health.notes[0] else ""
        return f"Nothing people can practically do reaches {self.target.value}; in reach is {best}, {does}{held}"

    def _columns(self, ways: Ways) -> dict[str, Floats]:
        """The customer's facts after each way. Factors, so that the order of the levers is no matter."""
        columns = {name: np.full(len(ways), value) for name, value in self.facts.items()}
        for (_, lever), steps in zip(self.levers, ways.T, strict=True):
            own = self.facts[lever.fact]
            moved = _moved(lever, self.facts, steps)
            if own == 0:  # from nothing there is no proportion
                columns[lever.fact] = moved
                continue
            factor = moved / own
            columns[lever.fact] = columns[lever.fact] * factor
            for name in lever.along:
                columns[name] = columns[name] * factor
            for name in lever.against:
                columns[name] = columns[name] / np.where(factor == 0, 1, factor)
        return columns

    def _in_place(self, way: Ways) -> Health:
        """The whole table with this customer's facts changed, by the definition itself."""
        moved = self._columns(way[None])
        numbers = {name: column.copy() for name, column in self.table.numbers.items()}
        for name, column in numbers.items():
            column[self.index] = moved[name][0]
        lasts = {name: np.full(len(self.table), np.nan) for name in self.before}
        for name, value in self.before.items():
            lasts[name][self.index] = value
        return score(replace(self.table, numbers=numbers), self.definition, before=lasts)


def _plain(value: float) -> float | None:
    return None if np.isnan(value) else float(value)


def _moved(lever: Lever, facts: Mapping[str, float], steps: Ways) -> Floats:
    """The lever's fact after `steps`, not past what is practical; a value that is past it already stays."""
    own, bound = facts[lever.fact], lever.goal
    limit = facts.get(lever.limit, np.nan) if lever.limit else np.nan
    after = own + lever.step * steps.astype(np.float64)
    if lever.step < 0:
        return np.maximum(after, min(own, np.fmax(bound, limit)))
    return np.minimum(after, max(own, np.fmin(bound, limit)))


def _most(lever: Lever, facts: Mapping[str, float]) -> int:
    """How many steps move something; 0 where the fact is not known, or is as good as it gets."""
    if np.isnan(facts.get(lever.fact, np.nan)):
        return 0
    return int(np.count_nonzero(np.diff(_moved(lever, facts, np.arange(lever.most + 1)))))
