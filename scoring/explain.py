"""Why a score is what it is, and why it is no longer what it was: parts that add up, exactly.

    contributions(readings, facts)   what each measure adds to a score; the sum is the score
    difference(before, after)        what each measure adds to the change of a score; the sum is the change

A change has three causes. *Data*: what a measure read has changed, be it that the customer is older now and a later curve
reads the same. *Missing data*: a measure can no longer be read, or can be again, which makes the others of its group count
more or less; and what stands in for a missing reading has changed, as where the last one is held no longer. *Definition*:
other weights, curves or policies. (An *override* is no part of what is computed; it is what is in force instead.)

The attribution is the Shapley value (Shapley 1953): a cause gets what it adds to the score, averaged over all orders in
which the causes could have come. So the parts sum to the change, equal causes get equal parts, no order is preferred, and
what changes nothing gets nothing. Where only readings change it is the change times the weight; where one reading and its
weight change it is the midpoint rule. The score is a sum over measures, hence so is its Shapley value, and in each term
play only that measure's own data, what went missing, and the definition: that makes it cheap, 2^(losses + 2) terms.

A curve that places a customer among others can be read only on its own day. Where such a curve came or went, the whole
change of that reading is put down to the definition.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from itertools import product
from math import factorial
from typing import Any

import numpy as np
import numpy.typing as npt

from scoring.definition import HealthDefinition
from scoring.facts import Floats
from scoring.measures import discover
from scoring.reading_again import as_stored, read_again
from scoring.weighing import weigh

MOST_EVENTS = 10
"""With more losses than this, those of a group that go the same way count as one event, divided by the measures' shares."""
NOTHING = 1e-12


class Cause(StrEnum):
    DATA = "data"
    MISSING_DATA = "missing_data"
    DEFINITION = "definition"
    OVERRIDE = "override"


@dataclass(frozen=True, slots=True, kw_only=True)
class Contribution:
    """What one measure adds to a score.

    facts         the values it was read from, by name
    input, unit   what the measure made of them; None where it can't be read
    value         the reading 0-1 that was weighed; None where left out
    weight        effective, 0-1; over all measures they add up to 1
    amount        weight * value; over all measures they add up to the score
    missing       the policy that was applied for want of data, None where there was some
    """

    measure: str
    group: str
    facts: Mapping[str, Any]
    input: float | None
    unit: str
    value: float | None
    weight: float
    amount: float
    missing: str | None
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Side:
    """A scorecard of one customer as stored: its day, readings (`Health.readings_at`), facts, and the definition of them."""

    as_of: date
    definition: HealthDefinition
    readings: Sequence[Mapping[str, Any]]
    facts: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """What one measure adds to the change of a score, for one cause, -1 to 1.

    reweighting  the part of `amount` that other measures gained or lost by counting more or less, where data went missing
    """

    measure: str
    cause: Cause
    amount: float
    reweighting: float = 0.0


def contributions(readings: Sequence[Mapping[str, Any]], facts: Mapping[str, Any]) -> tuple[Contribution, ...]:
    """The readings of a scorecard as parts that add up to its score, in their order."""
    measures = discover()
    return tuple(
        Contribution(
            measure=reading["measure"],
            group=reading["group"],
            facts={name: facts.get(name) for name in measures[reading["measure"]].facts}
            if reading["measure"] in measures
            else {},
            input=reading["input"],
            unit=reading["unit"],
            value=reading["value"],
            weight=reading["weight"],
            amount=reading["contribution"],
            missing=reading["missing"],
            reason=reading["reason"],
        )
        for reading in readings
    )


def difference(before: Side, after: Side) -> tuple[Change, ...]:
    """The change of the score from `before` to `after`, by measure and cause, the largest first; zeros are left out.

    The amounts sum to the change of the sum of contributions, which is the score wherever there is one.
    """
    leaves = _Leaves.of(before, after)
    events = leaves.events()
    parts = shapley(leaves.games(events))
    found = [
        Change(measure=name, cause=leaves.cause(i), amount=float(parts[-1, i])) for i, name in enumerate(leaves.names)
    ]
    if before.definition.hash != after.definition.hash:
        found += [
            Change(measure=name, cause=Cause.DEFINITION, amount=float(parts[-2, i]))
            for i, name in enumerate(leaves.names)
        ]
    for event, part in zip(events, parts, strict=False):
        outside = float(part.sum() - part[list(event)].sum())
        shares = leaves.shares[list(event)]
        fractions = shares / shares.sum() if shares.sum() > 0 else np.full(len(event), 1 / len(event))
        for i, fraction in zip(event, fractions.tolist(), strict=True):
            moved = outside * fraction
            found.append(
                Change(
                    measure=leaves.names[i],
                    cause=Cause.MISSING_DATA,
                    amount=float(part[i]) + moved,
                    reweighting=moved,
                )
            )
    kept = [change for change in found if abs(change.amount) > NOTHING or abs(change.reweighting) > NOTHING]
    return tuple(sorted(kept, key=lambda change: (-round(abs(change.amount), 12), change.measure, change.cause)))


def shapley(games: Floats) -> Floats:
    """Shapley values [p, n] of n games of p players, games[0 or 1 for each player…, n]: the worth of who takes part."""
    players = games.ndim - 1
    sizes = np.array([bits.bit_count() for bits in range(2 ** (players - 1))])
    chances = np.array([factorial(size) * factorial(players - 1 - size) for size in range(players)]) / factorial(
        players
    )
    return np.array(
        [
            chances[sizes] @ np.diff(games, axis=player).squeeze(player).reshape(len(sizes), -1)
            for player in range(players)
        ]
    )


@dataclass(frozen=True, slots=True)
class _Leaves:
    """The measures of both definitions: values[definition, day, leaf] 0-1 or NaN, missing[definition, day, leaf], shares."""

    names: tuple[str, ...]
    groups: tuple[str, ...]
    definitions: tuple[HealthDefinition, HealthDefinition]
    values: Floats
    missing: npt.NDArray[np.bool_]
    shares: Floats

    @classmethod
    def of(cls, before: Side, after: Side) -> "_Leaves":
        sides = (before, after)
        trees = [{place.leaf.name: place for place in side.definition.places} for side in sides]
        rows = [{reading["measure"]: reading for reading in side.readings} for side in sides]
        names = tuple(sorted({*trees[0], *trees[1]}))
        values = np.full((2, 2, len(names)), np.nan)
        missing = np.zeros((2, 2, len(names)), dtype=np.bool_)
        for i, name in enumerate(names):
            leaves = [tree[name].leaf if name in tree else None for tree in trees]
            for (which, leaf), (day, side) in product(enumerate(leaves), enumerate(sides)):
                if leaf is not None:
                    found = read_again(rows[day].get(name), leaves[day], leaf, facts=side.facts, as_of=side.as_of)
                    # what cannot be told is as on the day that this definition read it
                    values[which, day, i], missing[which, day, i] = found or as_stored(rows[which][name])
        places = [trees[1].get(name) or trees[0][name] for name in names]
        shares = [sum(tree[name].share for tree in trees if name in tree) / 2 for name in names]
        return cls(
            names,
            tuple(place.group for place in places),
            (before.definition, after.definition),
            values,
            missing,
            np.array(shares),
        )

    def cause(self, i: int) -> Cause:
        """Of a change of what the measure read."""
        before, after = self.values[:, 0, i], self.values[:, 1, i]
        moved = ~((before == after) | (np.isnan(before) & np.isnan(after)))
        return Cause.MISSING_DATA if (moved & self.missing[:, :, i].any(axis=1)).any() else Cause.DATA

    def events(self) -> list[tuple[int, ...]]:
        """The measures that began or ceased to be weighed, each an event of its own."""
        gone = np.isnan(self.values)
        flips = np.flatnonzero((gone[:, 0] != gone[:, 1]).any(axis=0)).tolist()
        if len(flips) <= MOST_EVENTS:
            return [(i,) for i in flips]
        together: dict[tuple[str, bool], list[int]] = {}
        for i in flips:
            together.setdefault((self.groups[i], bool(gone[:, 1, i].any())), []).append(i)
        return [tuple(event) for event in together.values()]

    def games(self, events: Sequence[tuple[int, ...]]) -> Floats:
        """Each measure's contribution, for every choice of which events, definition and own data are those of after."""
        n, many = len(self.names), 2 ** len(events)
        games = np.zeros((many, 2, 2, n))
        happened = (np.arange(many)[:, None] >> np.arange(len(events))[::-1]) & 1
        for which, definition in enumerate(self.definitions):
            before, after = self.values[which]
            state = np.tile(before, (many, 1))
            moved = np.zeros(n, dtype=np.bool_)
            for event, on in zip(events, happened.T, strict=True):
                places = list(event)
                moved[places] = True
                state[:, places] = np.where(on[:, None] == 1, after[places], before[places])
            order = [self.names.index(place.leaf.name) for place in definition.places]
            columns = weigh(definition.root, [state[:, i] for i in order]).weights
            weights = np.zeros((many, n))
            weights[:, order] = np.array(columns).T
            games[:, which, 0] = weights * np.nan_to_num(state)
            games[:, which, 1] = weights * np.nan_to_num(np.where(moved, state, after))
        return games.reshape((2,) * (len(events) + 2) + (n,))
