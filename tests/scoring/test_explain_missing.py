"""Explanations with readings that are held, grow stale or follow the tenure: exact over random trees, each cause its own."""

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any

import numpy as np
import pytest

from hub.model.actions import Band
from scoring.curves import ByTenure, Curve, Percentile, Points
from scoring.definition import Branch, HealthDefinition, Leaf, Node
from scoring.definition_record import recall, record
from scoring.explain import Cause, Change, Side, difference
from scoring.facts import FactTable
from scoring.health import score
from scoring.measure import Measure, Missing
from scoring.reading import remembered

DAY = date(2026, 6, 30)
FACTS = ("stickiness", "csat_90d", "severe_share_90d", "feature_adoption", "seat_utilisation", "usage_trend")
AGES = ("nps_age_days", "days_since_active", "wau", "mau", "dau", "mau_previous")
NAMES = "abcdef"
STRAIGHT = Points(((0, 0), (1, 1)))
BANDS = ((Band.CRITICAL, 0.0), (Band.WARNING, 0.3), (Band.STABLE, 0.5), (Band.HEALTHY, 0.7))


def measure(name: str, fact: str, age: str) -> Measure:
    return Measure(
        name=name,
        group="usage",
        meaning="",
        facts=(fact,),
        live=fact,
        age=age,
        unit="",
        curve=STRAIGHT,
        value=lambda columns: columns[fact],
        sentence=lambda value, facts: f"{value}",
    )


MEASURES = {name: measure(name, fact, age) for name, fact, age in zip(NAMES, FACTS, AGES, strict=True)}
STAGES = ByTenure(((0, Points(((0, 0.4), (1, 1)))), (90, STRAIGHT)))


def leaf(name: str, weight: float, *, curve: Curve = STRAIGHT, missing: Missing = "exclude", **limits: int) -> Leaf:
    return Leaf(MEASURES[name], weight, curve, missing, **limits)


def tree(*nodes: Node, hash_: str = "one") -> HealthDefinition:
    return HealthDefinition(Branch("health", 1.0, nodes), BANDS, 0.0, hash_)


def told(*, day: date = DAY, tenure: float | None = None, **values: float | None) -> FactTable:
    """`a` is what a reads, `age_a` how old that is."""
    columns: dict[str, list[Any]] = {"customer_id": ["c"], "tenure_days": [tenure], "segment": [None]}
    for name, fact, age in zip(NAMES, FACTS, AGES, strict=True):
        columns |= {fact: [values.get(name)], age: [values.get(f"age_{name}", 0.0)]}
    return FactTable.of(day, columns)


def side(definition: HealthDefinition, facts: FactTable, *, before: Side | None = None) -> Side:
    """As stored; `before` is the scorecard that was the newest then."""
    known = None
    if before is not None:
        known = remembered({0: (before.as_of, before.readings)}, count=1, as_of=facts.as_of)
    readings = score(facts, definition, before=known).readings_at(0)
    return Side(as_of=facts.as_of, definition=definition, readings=readings, facts=facts.at(0))


def total(side: Side) -> float:
    return float(sum(reading["contribution"] for reading in side.readings))


def amounts(changes: Sequence[Change]) -> dict[tuple[str, str], Any]:
    return {(change.measure, change.cause.value): pytest.approx(change.amount, abs=1e-12) for change in changes}


def in_days(days: int) -> date:
    return DAY + timedelta(days=days)


def test_another_stage_of_tenure_is_data() -> None:
    definition = tree(leaf("a", 0.5, curve=STAGES), leaf("b", 0.5))
    young = side(definition, told(tenure=89, a=0.5, b=0.5))
    old = side(definition, told(day=in_days(1), tenure=90, a=0.5, b=0.5), before=young)
    assert amounts(difference(young, old)) == {("a", "data"): 0.5 * (0.5 - 0.7)}


def test_what_is_held_changes_nothing_until_it_is_let_go() -> None:
    definition = tree(leaf("a", 0.6), leaf("b", 0.4, missing="neutral", hold_days=5))
    live = side(definition, told(a=0.5, b=0.9))
    held = side(definition, told(day=in_days(5), a=0.5), before=live)
    gone = side(definition, told(day=in_days(6), a=0.5), before=held)
    back = side(definition, told(day=in_days(7), a=0.5, b=0.2), before=gone)
    assert difference(live, held) == ()
    assert amounts(difference(held, gone)) == {("b", "missing_data"): 0.4 * (0.5 - 0.9)}
    assert amounts(difference(live, gone)) == {("b", "missing_data"): 0.4 * (0.5 - 0.9)}
    assert amounts(difference(held, back)) == {("b", "missing_data"): 0.4 * (0.2 - 0.9)}
    assert amounts(difference(live, back)) == {("b", "data"): 0.4 * (0.2 - 0.9)}


def test_what_is_let_go_and_left_out_answers_for_the_reweighting() -> None:
    definition = tree(leaf("a", 0.6), leaf("b", 0.4, hold_days=5))
    live = side(definition, told(a=0.5, b=0.9))
    held = side(definition, told(day=in_days(5), a=0.5), before=live)
    [change] = difference(held, side(definition, told(day=in_days(6), a=0.5), before=held))
    assert (change.measure, change.cause) == ("b", Cause.MISSING_DATA)
    assert change.amount == pytest.approx(0.5 - 0.66, abs=1e-12)
    assert change.reweighting == pytest.approx(0.2, abs=1e-12)


def test_data_that_grows_too_old_is_missing() -> None:
    definition = tree(leaf("a", 0.6), leaf("b", 0.4, stale_after_days=14))
    fresh = side(definition, told(a=0.5, b=0.9, age_b=14.0))
    old = side(definition, told(day=in_days(1), a=0.5, b=0.9, age_b=15.0), before=fresh)
    assert amounts(difference(fresh, old)) == {("b", "missing_data"): 0.5 - 0.66}


def test_a_limit_that_came_into_the_definition_is_its_doing() -> None:
    loose = tree(leaf("a", 0.6), leaf("b", 0.4))
    strict = tree(leaf("a", 0.6), leaf("b", 0.4, stale_after_days=14), hash_="two")
    before, after = side(loose, told(a=0.5, b=0.9, age_b=20.0)), side(strict, told(a=0.5, b=0.9, age_b=20.0))
    found = difference(before, after)
    assert {change.cause for change in found} == {Cause.DEFINITION}
    assert sum(change.amount for change in found) == pytest.approx(0.5 - 0.66, abs=1e-12)
    # what b read moved meanwhile: data under the definition of before, and nothing under that of after
    moved = side(strict, told(a=0.5, b=0.1, age_b=20.0))
    assert {change.cause for change in difference(before, moved)} == {Cause.DEFINITION, Cause.DATA}
    loosened = difference(after, side(loose, told(a=0.5, b=0.9, age_b=20.0)))
    assert {change.cause for change in loosened} == {Cause.DEFINITION}


def test_holding_that_came_into_the_definition_is_its_doing() -> None:
    plain = tree(leaf("a", 0.6), leaf("b", 0.4, missing="poor"))
    holding = tree(leaf("a", 0.6), leaf("b", 0.4, missing="poor", hold_days=9), hash_="two")
    live = side(plain, told(a=0.5, b=0.9))
    lost = side(plain, told(day=in_days(1), a=0.5), before=live)
    held = side(holding, told(day=in_days(1), a=0.5), before=live)
    assert amounts(difference(lost, held)) == {("b", "definition"): 0.4 * 0.9}


CURVES: tuple[Curve, ...] = (
    STRAIGHT,
    Points(((0, 1), (0.5, 0.2), (1, 0))),
    STAGES,
    ByTenure(((0, STRAIGHT), (30, Points(((0, 0.3), (1, 0.9)))), (365, Points(((0, 1), (1, 0)))))),
    ByTenure(((0, Percentile("higher")), (90, STRAIGHT))),
)
POLICIES: tuple[Missing, ...] = ("exclude", "exclude", "neutral", "poor")


def random_tree(rng: np.random.Generator, hash_: str, depth: int = 4) -> HealthDefinition:
    """Some of the measures, in groups of groups, `depth` deep where there are enough of them."""

    def weights(count: int) -> list[float]:
        drawn = rng.integers(0, 5, count) + (np.arange(count) == 0)
        return [float(each) for each in drawn / drawn.sum()]

    def random_leaf(name: str, weight: float) -> Leaf:
        limits: dict[str, int] = {}
        if rng.random() < 0.5:
            limits["hold_days"] = int(rng.integers(1, 8))
        if rng.random() < 0.5:
            limits["stale_after_days"] = int(rng.integers(1, 8))
        curve, missing = CURVES[rng.integers(len(CURVES))], POLICIES[rng.integers(4)]
        return leaf(name, weight, curve=curve, missing=missing, **limits)

    def grown(names: Sequence[str], left: int, name: str, weight: float) -> Node:
        if len(names) == 1 and (left < depth or rng.random() < 0.3):
            return random_leaf(names[0], weight)
        cuts = sorted({0, len(names), *rng.integers(0, len(names), 2).tolist()}) if left > 1 else range(len(names) + 1)
        parts = [names[i:j] for i, j in zip(cuts, list(cuts)[1:], strict=False)]
        children = [
            grown(part, left - 1, f"{name}{number}", each) if left > 1 else random_leaf(part[0], each)
            for number, (part, each) in enumerate(zip(parts, weights(len(parts)), strict=True))
        ]
        return Branch(name, weight, tuple(children))

    names = [str(name) for name in rng.permutation(list(NAMES))[: rng.integers(2, len(NAMES) + 1)]]
    root = grown(names, depth, "g", 1.0)
    assert isinstance(root, Branch)
    return HealthDefinition(root, BANDS, 0.0, hash_)


def random_facts(rng: np.random.Generator, day: date) -> FactTable:
    values: dict[str, Any] = {name: None if rng.random() < 0.35 else float(rng.random()) for name in NAMES}
    ages = {f"age_{name}": None if rng.random() < 0.1 else float(rng.integers(0, 9)) for name in NAMES}
    tenure = None if rng.random() < 0.15 else float(rng.integers(0, 500))
    return told(day=day, tenure=tenure, **values, **ages)


def history(rng: np.random.Generator, definitions: Sequence[HealthDefinition]) -> list[Side]:
    """Scorecards of a customer over some days, each after the one before."""
    cards: list[Side] = []
    day = DAY
    for definition in definitions:
        cards.append(side(definition, random_facts(rng, day), before=cards[-1] if cards else None))
        day += timedelta(days=int(rng.integers(1, 5)))
    return cards


@pytest.mark.parametrize("seed", range(200))
def test_parts_sum_to_the_change_exactly_and_back_is_the_opposite(seed: int) -> None:
    rng = np.random.default_rng(seed)
    one, two = random_tree(rng, "one"), random_tree(rng, "two")
    cards = history(rng, [one, one, one, two, two])
    for before, after in ((cards[0], cards[2]), (cards[1], cards[2]), (cards[2], cards[3]), (cards[0], cards[4])):
        forth, back = difference(before, after), difference(after, before)
        assert sum(change.amount for change in forth) == pytest.approx(total(after) - total(before), abs=1e-9)
        opposite = {key: pytest.approx(-value.expected, abs=1e-9) for key, value in amounts(back).items()}
        assert {key: value.expected for key, value in amounts(forth).items()} == opposite
        if before.definition is after.definition:
            assert all(change.cause in (Cause.DATA, Cause.MISSING_DATA) for change in forth)
            rows = [{row["measure"]: row for row in each.readings} for each in (before, after)]
            for change in forth:
                gone = any(each[change.measure]["missing"] for each in rows)
                assert (change.cause is Cause.MISSING_DATA) == gone


@pytest.mark.parametrize("seed", range(60))
def test_a_recalled_definition_scores_and_explains_like_the_one_it_was(seed: int) -> None:
    rng = np.random.default_rng(seed)
    definition = random_tree(rng, "one")
    again = recall(record(definition), "one", measures=MEASURES)
    assert again == definition
    before, after = history(rng, [definition, definition])
    turned = [
        Side(as_of=each.as_of, definition=again, readings=each.readings, facts=each.facts) for each in (before, after)
    ]
    assert difference(*turned) == difference(before, after)
    assert recall(record(definition), "one", measures=MEASURES, name="adoption").name == "adoption"


@pytest.mark.parametrize("seed", range(40))
def test_deep_trees_keep_their_sums(seed: int) -> None:
    rng = np.random.default_rng(seed)
    definition = random_tree(rng, "one", depth=4)
    assert sum(place.share for place in definition.places) == pytest.approx(1, abs=1e-12)
    health = score(random_facts(rng, DAY), definition)
    summed = sum(float(reading.contribution[0]) for reading in health.readings)
    weights = sum(float(reading.weight[0]) for reading in health.readings)
    if not np.isnan(health.score[0]):
        assert summed == pytest.approx(float(health.score[0]), abs=1e-9)
        assert weights == pytest.approx(1, abs=1e-9)
    live = sum(reading.place.share for reading in health.readings if not reading.missing[0])
    assert health.coverage[0] == pytest.approx(live, abs=1e-12)
