"""Health of many customers is worked out in chunks by threads; to the last bit it is what the plain arithmetic gives."""

from datetime import date
from typing import Any

import numpy as np
import pytest

from hub.documents import Document
from scoring import chunks, health
from scoring.chunks import in_chunks, side_by_side
from scoring.definition import Branch, HealthDefinition, Node, load
from scoring.facts import FACTS, FactTable, Floats
from scoring.health import Health, score
from scoring.last_known import LastKnown
from scoring.measure import FILLED

DAY = date(2026, 11, 22)
TREE = """
coverage_floor: 0.5
bands:
  critical: {from: 0, below: 0.3}
  warning: {from: 0.3, below: 0.5}
  stable: {from: 0.5, below: 0.7}
  healthy: {from: 0.7}
groups:
  use:
    weight: 0.7
    of:
      people:
        weight: 0.6
        of: {dau: {weight: 0.5}, wau: {weight: 0.3}, stickiness: {weight: 0.2, curve: {percentile: higher}}}
      depth: {weight: 0.4, of: {feature_adoption: {weight: 1, missing: neutral}}}
  support:
    weight: 0.3
    of:
      ticket_count: {weight: 0.7, missing: poor}
      resolution: {weight: 0.3, curve: {thresholds: [[0, 1], [10, 0.5], [30, 0.1]]}}
  aside:
    weight: 0
    of: {nps: {weight: 1}}
"""


@pytest.fixture(scope="module")
def definition() -> HealthDefinition:
    return load(Document.from_text(TREE, name="health.yaml"))


def made(n: int) -> tuple[FactTable, dict[str, LastKnown]]:
    """Facts at random of which much is missing, and what was known of some of them before."""
    random = np.random.default_rng(5)
    numbers = {}
    for fact in FACTS.values():
        if fact.kind == "number":
            column = random.random(n) if fact.unit == "ratio" else np.floor(random.random(n) * 40)
            column[random.random(n) < 0.35] = np.nan
            numbers[fact.name] = column
    segments = [None if part == 0 else f"segment {part}" for part in random.integers(0, 4, n).tolist()]
    before = {}
    for name in ("dau", "nps", "ticket_count"):
        reading, age = random.random(n), np.floor(random.random(n) * 50)
        reading[random.random(n) < 0.5] = np.nan
        before[name] = LastKnown(reading, age)
    return FactTable(DAY, [f"c{i}" for i in range(n)], numbers, {"segment": segments}), before


def plain_weights(node: Node, values: dict[str, Floats]) -> tuple[Floats, dict[str, Floats]]:
    """Whether anything can be read, and each leaf's weight, as the docstring of scoring.weighing says it."""
    if not isinstance(node, Branch):
        present = ~np.isnan(values[node.name])
        return present, {node.name: present * 1.0}
    parts = [(child.weight, *plain_weights(child, values)) for child in node.children]
    total = sum(weight * present for weight, present, _ in parts)
    with np.errstate(divide="ignore"):
        scale = np.where(total > 0, 1 / total, 0)
    return total > 0, {name: w * scale * inner for w, _, inners in parts for name, inner in inners.items()}


def columns(found: Health) -> list[object]:
    """Everything in it, arrays as bytes."""
    arrays = [found.score, found.coverage]
    for reading in found.readings:
        arrays += [reading.input, reading.value, reading.weight, reading.contribution, reading.missing, reading.lost]
        arrays += [reading.held, reading.last]
    return [*(array.tobytes() for array in arrays), list(found.bands), list(found.notes)]


def test_it_is_the_plain_arithmetic_bit_for_bit(definition: HealthDefinition) -> None:
    table, before = made(500)
    found = score(table, definition, before=before)
    present, weights = plain_weights(definition.root, {r.place.leaf.name: r.value for r in found.readings})
    total, coverage = np.zeros(500), np.zeros(500)
    for reading in found.readings:
        weight = weights[reading.place.leaf.name]
        assert reading.weight.tobytes() == weight.tobytes()
        assert reading.contribution.tobytes() == (weight * np.nan_to_num(reading.value)).tobytes()
        assert reading.missing.tolist() == np.isnan(reading.input).tolist()
        filled = FILLED[reading.place.leaf.missing]
        np.testing.assert_array_equal(reading.value[reading.missing], np.full(reading.missing.sum(), filled))
        total = total + weight * np.nan_to_num(reading.value)
        coverage = coverage + reading.place.share * ~reading.missing
    assert found.coverage.tobytes() == coverage.tobytes()
    assert found.score.tobytes() == np.where(present & (coverage >= 0.5 - 1e-9), total, np.nan).tobytes()
    assert 20 < np.isnan(found.score).sum() < 480
    assert [band is None for band in found.bands] == np.isnan(found.score).tolist()


def test_chunks_and_threads_change_nothing(definition: HealthDefinition, monkeypatch: pytest.MonkeyPatch) -> None:
    table, before = made(500)
    whole = columns(score(table, definition, before=before))
    for chunk, threads in ((7, 1), (7, 3), (64, 2), (500, 2), (499, 2)):
        monkeypatch.setattr(chunks, "CHUNK", chunk)
        monkeypatch.setattr(health, "CHUNK", chunk)
        monkeypatch.setattr(chunks, "THREADS", threads)
        assert columns(score(table, definition, before=before)) == whole


def test_a_customer_alone_is_what_it_is_among_many_and_nobody_is_nothing() -> None:
    simple = load(Document.from_text(TREE.replace(", curve: {percentile: higher}", ""), name="health.yaml"))
    table, before = made(40)
    whole = score(table, simple, before=before)
    for i in range(40):
        numbers = {name: column[i : i + 1] for name, column in table.numbers.items()}
        one = FactTable(DAY, table.customers[i : i + 1], numbers, {"segment": table.texts["segment"][i : i + 1]})
        known = {name: LastKnown(k.reading[i : i + 1], k.age_days[i : i + 1]) for name, k in before.items()}
        alone = score(one, simple, before=known)
        assert (alone.score.tobytes(), alone.bands) == (whole.score[i : i + 1].tobytes(), [whole.bands[i]])
        assert (alone.notes, alone.readings_at(0)) == ([whole.notes[i]], whole.readings_at(i))
    nobody = FactTable(DAY, [], {name: column[:0] for name, column in table.numbers.items()}, {"segment": []})
    assert (len(score(nobody, simple)), list(score(nobody, simple).bands)) == (0, [])


def test_each_row_is_worked_on_once_and_results_keep_their_order(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(chunks, "CHUNK", 10)
    for threads in (1, 3):
        monkeypatch.setattr(chunks, "THREADS", threads)
        seen = np.zeros(95, dtype=np.int64)

        def count(rows: slice, seen: "np.ndarray[Any, Any]" = seen) -> None:
            seen[rows] += 1

        in_chunks(95, count)
        assert seen.tolist() == [1] * 95
        assert side_by_side(lambda n: n * n, range(20)) == [n * n for n in range(20)]
        with pytest.raises(ZeroDivisionError):
            side_by_side(lambda n: 1 // n, [1, 0, 2])
    in_chunks(0, lambda _rows: pytest.fail("there is nothing to do"))
