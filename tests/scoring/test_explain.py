"""Explanations add up exactly, treat equals equally, know causes apart, and prefer no order: by hand and over random trees."""

from collections.abc import Mapping, Sequence
from datetime import date
from itertools import permutations
from typing import Any

import numpy as np
import pytest

from hub.model.actions import Band
from scoring.curves import Percentile, Points
from scoring.definition import Branch, HealthDefinition, Leaf, Node
from scoring.definition_record import recall, record
from scoring.explain import Cause, Change, Side, contributions, difference, shapley
from scoring.facts import FactTable
from scoring.health import score
from scoring.measure import Measure, Missing

FACTS = (
    "stickiness",
    "csat_90d",
    "severe_share_90d",
    "feature_adoption",
    "seat_utilisation",
    "usage_trend",
    "mrr_change_90d",
)
STRAIGHT = Points(((0, 0), (1, 1)))


def measure(name: str, fact: str) -> Measure:
    return Measure(
        name=name,
        group="usage",
        meaning="",
        facts=(fact,),
        live=fact,
        unit="",
        curve=STRAIGHT,
        value=lambda columns: columns[fact],
        sentence=lambda value, facts: f"{value}",
    )


MEASURES = {name: measure(name, fact) for name, fact in zip("abcdefg", FACTS, strict=True)}
BANDS = ((Band.CRITICAL, 0.0), (Band.WARNING, 0.3), (Band.STABLE, 0.5), (Band.HEALTHY, 0.7))


def leaf(name: str, weight: float, *, curve: Any = STRAIGHT, missing: Missing = "exclude") -> Leaf:
    return Leaf(MEASURES[name], weight, curve, missing)


def tree(*nodes: Node, hash_: str = "one") -> HealthDefinition:
    return HealthDefinition(Branch("health", 1.0, nodes), BANDS, 0.0, hash_)


def side(definition: HealthDefinition, facts: Mapping[str, float | None]) -> Side:
    """As stored: scored by scoring.health, one customer."""
    columns = {FACTS["abcdefg".index(name)]: [value] for name, value in facts.items()}
    table = FactTable.of(date(2026, 6, 30), {"customer_id": ["c"], **{fact: [None] for fact in FACTS}, **columns})
    return Side(
        as_of=table.as_of, definition=definition, readings=score(table, definition).readings_at(0), facts=table.at(0)
    )


def total(side: Side) -> float:
    return float(sum(reading["contribution"] for reading in side.readings))


def amounts(changes: Sequence[Change]) -> dict[tuple[str, str], float]:
    return {(change.measure, change.cause.value): pytest.approx(change.amount, abs=1e-12) for change in changes}


def test_contributions_are_the_readings_and_sum_to_the_score() -> None:
    given = side(tree(leaf("a", 0.6), leaf("b", 0.4, missing="poor")), {"a": 0.5})
    parts = contributions(given.readings, given.facts)
    assert [(part.measure, part.weight, part.amount, part.missing) for part in parts] == [
        ("a", 0.6, 0.3, None),
        ("b", 0.4, 0.0, "poor"),
    ]
    assert sum(part.amount for part in parts) == pytest.approx(total(given), abs=1e-12)


def test_data_alone_counts_by_its_weight() -> None:
    definition = tree(leaf("a", 0.6), leaf("b", 0.4))
    changes = difference(side(definition, {"a": 0.5, "b": 0.5}), side(definition, {"a": 0.2, "b": 0.6}))
    assert amounts(changes) == {("a", "data"): -0.18, ("b", "data"): 0.04}
    assert changes[0].measure == "a"


def test_what_goes_missing_answers_for_the_reweighting_it_causes() -> None:
    definition = tree(leaf("a", 0.6), leaf("b", 0.4))
    (change,) = difference(side(definition, {"a": 0.5, "b": 0.9}), side(definition, {"a": 0.5}))
    # 0.66 -> 0.5: its own 0.36 is gone, and a counts 1 instead of 0.6
    assert (change.measure, change.cause) == ("b", Cause.MISSING_DATA)
    assert change.amount == pytest.approx(-0.16, abs=1e-12)
    assert change.reweighting == pytest.approx(0.2, abs=1e-12)


def test_what_comes_back_is_the_opposite_of_what_went() -> None:
    definition = tree(leaf("a", 0.6), leaf("b", 0.4))
    there, gone = side(definition, {"a": 0.5, "b": 0.9}), side(definition, {"a": 0.7})
    forth, back = amounts(difference(there, gone)), difference(gone, there)
    assert {key: -value.expected for key, value in forth.items()} == amounts(back)
    assert {key for key, _ in forth} == {"a", "b"}


def test_a_policy_that_fills_in_is_missing_data_too() -> None:
    definition = tree(leaf("a", 0.5), leaf("b", 0.5, missing="neutral"))
    (change,) = difference(side(definition, {"a": 0.5, "b": 0.9}), side(definition, {"a": 0.5}))
    assert (change.measure, change.cause, change.reweighting) == ("b", Cause.MISSING_DATA, 0.0)
    assert change.amount == pytest.approx(-0.2, abs=1e-12)


def test_other_weights_and_curves_are_the_definitions_doing() -> None:
    facts: dict[str, float | None] = {"a": 0.5, "b": 0.8}
    before = side(tree(leaf("a", 0.6), leaf("b", 0.4)), facts)
    after = side(tree(leaf("a", 0.2), leaf("b", 0.8, curve=Points(((0, 0), (1, 0.5)))), hash_="three"), facts)
    # a: 0.5 * (0.2 - 0.6); b: 0.8 * 0.4 before and 0.4 * 0.8 after is no change, so it is left out
    assert amounts(difference(before, after)) == {("a", "definition"): -0.2}
    steeper = side(tree(leaf("a", 0.2), leaf("b", 0.8), hash_="two"), facts)
    assert amounts(difference(before, steeper)) == {("a", "definition"): -0.2, ("b", "definition"): 0.32}


def test_one_reading_and_its_weight_follow_the_midpoint_rule() -> None:
    before = side(tree(leaf("a", 0.6), leaf("b", 0.4)), {"a": 0.5, "b": 0.0})
    after = side(tree(leaf("a", 0.2), leaf("b", 0.8), hash_="two"), {"a": 0.9, "b": 0.0})
    assert amounts(difference(before, after)) == {("a", "data"): 0.4 * 0.4, ("a", "definition"): 0.7 * -0.4}


def test_a_measure_that_came_into_the_definition_reads_the_facts_of_then() -> None:
    before = side(tree(leaf("a", 1.0)), {"a": 0.5, "b": 0.8})
    after = side(tree(leaf("a", 0.5), leaf("b", 0.5), hash_="two"), {"a": 0.5, "b": 0.4})
    found = amounts(difference(before, after))
    assert found == {
        ("a", "definition"): -0.25,
        ("b", "definition"): 0.5 * 0.6,
        ("b", "data"): 0.25 * -0.4,
    }


def test_a_relative_curve_that_was_replaced_is_the_definitions_doing() -> None:
    relative = tree(leaf("a", 1.0, curve=Percentile("higher")))
    rows = [{**side(tree(leaf("a", 1.0)), {"a": 0.9}).readings[0], "value": 0.3, "contribution": 0.3}]
    before = Side(as_of=date(2026, 6, 30), definition=relative, readings=rows, facts={"stickiness": 0.9})
    after = side(tree(leaf("a", 1.0), hash_="two"), {"a": 0.9})
    assert amounts(difference(before, after)) == {("a", "definition"): 0.6}


def test_nothing_changed_is_nothing() -> None:
    definition = tree(leaf("a", 0.6), leaf("b", 0.4))
    given = side(definition, {"a": 0.5})
    assert difference(given, given) == ()


def test_shapley_is_the_mean_over_all_orders() -> None:
    games = np.random.default_rng(5).normal(size=(2, 2, 2, 2, 3))
    expected = np.zeros((4, 3))
    for order in permutations(range(4)):
        here = [0] * 4
        for player in order:
            before = games[tuple(here)].copy()
            here[player] = 1
            expected[player] += (games[tuple(here)] - before) / 24
    assert shapley(games) == pytest.approx(expected, abs=1e-12)


CURVES = (STRAIGHT, Points(((0, 1), (0.5, 0.2), (1, 0))), Points(((0, 0.3), (1, 0.9))))
POLICIES: tuple[Missing, ...] = ("exclude", "exclude", "neutral", "poor")


def random_tree(rng: np.random.Generator, hash_: str, names: Sequence[str] = "abcdefg") -> HealthDefinition:
    """Groups of one to three measures, some of them in groups again; now and then a weight of 0."""

    def weights(count: int) -> list[float]:
        drawn = rng.integers(0, 5, count) + (np.arange(count) == 0)
        return [float(each) for each in drawn / drawn.sum()]

    chosen = [str(name) for name in rng.permutation(list(names))[: rng.integers(2, len(names) + 1)]]
    nodes: list[tuple[Any, ...]] = []
    while chosen:
        size = int(rng.integers(1, 4))
        nodes.append(tuple(chosen[:size]))
        chosen = chosen[size:]
    branches: list[Node] = []
    for number, (members, weight) in enumerate(zip(nodes, weights(len(nodes)), strict=True)):
        leaves: list[Node] = [
            leaf(name, each, curve=CURVES[rng.integers(3)], missing=POLICIES[rng.integers(4)])
            for name, each in zip(members, weights(len(members)), strict=True)
        ]
        if len(leaves) == 3:
            leaves = [Branch(f"inner{number}", sum(x.weight for x in leaves[:2]), inner(leaves[:2])), leaves[2]]
        branches.append(Branch(f"group{number}", weight, tuple(leaves)))
    return tree(*branches, hash_=hash_)


def inner(leaves: Sequence[Any]) -> tuple[Node, ...]:
    return tuple(Leaf(each.measure, 0.5, each.curve, each.missing) for each in leaves)


def random_facts(rng: np.random.Generator) -> dict[str, float | None]:
    return {name: None if rng.random() < 0.3 else float(rng.random()) for name in "abcdefg"}


@pytest.mark.parametrize("seed", range(150))
def test_parts_sum_to_the_change_exactly_and_back_is_the_opposite(seed: int) -> None:
    rng = np.random.default_rng(seed)
    first = random_tree(rng, "one")
    second = random_tree(rng, "two") if seed % 3 else first
    before, after = side(first, random_facts(rng)), side(second, random_facts(rng))
    forth, back = difference(before, after), difference(after, before)
    assert sum(change.amount for change in forth) == pytest.approx(total(after) - total(before), abs=1e-9)
    assert sum(change.amount for change in back) == pytest.approx(total(before) - total(after), abs=1e-9)
    opposite = {key: pytest.approx(-value.expected, abs=1e-9) for key, value in amounts(back).items()}
    assert {key: value.expected for key, value in amounts(forth).items()} == opposite
    if first is second:
        assert all(change.cause is not Cause.DEFINITION for change in forth)


@pytest.mark.parametrize("seed", range(30))
def test_the_order_of_the_definition_is_no_matter(seed: int) -> None:
    rng = np.random.default_rng(seed)
    definition = random_tree(rng, "one")

    def turned(node: Node) -> Node:
        if isinstance(node, Leaf):
            return node
        return Branch(node.name, node.weight, tuple(turned(child) for child in reversed(node.children)))

    root = turned(definition.root)
    assert isinstance(root, Branch)
    other = HealthDefinition(root, BANDS, 0.0, "one")
    facts, later = random_facts(rng), random_facts(rng)
    found = difference(side(definition, facts), side(definition, later))
    again = difference(side(other, facts), side(other, later))
    assert {key: value.expected for key, value in amounts(found).items()} == amounts(again)


def test_equal_measures_get_equal_parts() -> None:
    definition = tree(leaf("a", 0.25), leaf("b", 0.25), leaf("c", 0.5))
    changes = difference(side(definition, {"a": 0.3, "b": 0.3, "c": 0.9}), side(definition, {"c": 0.5}))
    found = {change.measure: change.amount for change in changes}
    assert found["a"] == pytest.approx(found["b"], abs=1e-12)
    assert sum(found.values()) == pytest.approx(0.5 - 0.6, abs=1e-9)


def test_a_great_many_losses_are_still_divided_exactly(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("scoring.explain.MOST_EVENTS", 2)
    definition = tree(
        Branch("x", 0.5, (leaf("a", 0.25), leaf("b", 0.25), leaf("c", 0.5))),
        Branch("y", 0.5, (leaf("d", 0.5), leaf("e", 0.5))),
    )
    before = side(definition, {"a": 0.2, "b": 0.2, "c": 0.7, "d": 0.9, "e": 0.1})
    after = side(definition, {"c": 0.6, "e": 0.3})
    changes = difference(before, after)
    assert sum(change.amount for change in changes) == pytest.approx(total(after) - total(before), abs=1e-9)
    found = {change.measure: change for change in changes}
    assert found["a"].amount == pytest.approx(found["b"].amount, abs=1e-12)
    assert {name for name, change in found.items() if change.cause is Cause.MISSING_DATA} == {"a", "b", "d"}


@pytest.mark.parametrize("seed", range(20))
def test_a_recorded_definition_scores_like_the_one_it_was(seed: int) -> None:
    rng = np.random.default_rng(seed)
    definition = random_tree(rng, "one")
    again = recall(record(definition), "one", measures=MEASURES)
    assert again == definition
    without = recall(record(definition), "one", measures={})
    assert [place.share for place in without.places] == [place.share for place in definition.places]
