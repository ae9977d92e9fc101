"""What stands in for missing data: readings held up to an age, data too old to count, curves by tenure, bands never raised."""

from datetime import date, timedelta
from typing import Any

import numpy as np
import pytest

from hub.documents import Document
from hub.model.actions import Band
from scoring.curves import Points
from scoring.definition import HealthDefinition, load
from scoring.facts import FactTable
from scoring.health import Health, score
from scoring.last_known import LastKnown
from scoring.measure import Measure
from scoring.reading import remembered, wants_last_known

NAN = float("nan")
DAY = date(2026, 6, 30)
BANDS = """
bands:
  critical: {from: 0, below: 0.3}
  warning: {from: 0.3, below: 0.5}
  stable: {from: 0.5, below: 0.7}
  healthy: {from: 0.7}
"""
FACTS = ("stickiness", "seat_utilisation", "csat_90d")
LIVE = ("dau", "wau", "csat_answers_90d")
AGES = ("nps_age_days", "days_since_active", "nps_last")


def measure(name: str, fact: str, live: str, age: str) -> Measure:
    """A measure whose reading is its fact, alive by one fact and dated by another."""
    return Measure(
        name=name,
        group="usage",
        meaning="",
        facts=(fact,),
        live=live,
        age=age,
        unit="",
        curve=Points(((0, 0), (1, 1))),
        value=lambda columns: columns[fact],
        sentence=lambda value, facts: f"{name} is {value:.2f}",
    )


MEASURES = {name: measure(name, *rest) for name, *rest in zip("abc", FACTS, LIVE, AGES, strict=True)}


def definition(groups: str, *, floor: float = 0.0) -> HealthDefinition:
    text = f"coverage_floor: {floor}\n{BANDS}\ngroups: {groups}\n"
    return load(Document.from_text(text, name="health.yaml"), measures=MEASURES)


def table(*, day: date = DAY, **columns: list[float]) -> FactTable:
    """Of a, b, c; `live_a` and `age_a` likewise. Alive and of today, unless said otherwise."""
    n = max(len(column) for column in columns.values())
    whole: dict[str, Any] = {
        "customer_id": [f"c{i}" for i in range(n)],
        "tenure_days": columns.get("tenure", [NAN] * n),
    }
    for name, fact, live, age in zip("abc", FACTS, LIVE, AGES, strict=True):
        whole[fact] = columns.get(name, [NAN] * n)
        whole[live] = columns.get(f"live_{name}", [1.0] * n)
        whole[age] = columns.get(f"age_{name}", [0.0] * n)
    return FactTable.of(day, whole)


def later(health: Health, days: int = 1) -> dict[str, LastKnown]:
    """What is known of a scorecard so many days later, through what is stored of it."""
    day = health.table.as_of
    stored = {i: (day, health.readings_at(i)) for i in range(len(health))}
    return remembered(stored, count=len(health), as_of=day + timedelta(days=days))


def in_days(days: int, **columns: list[float]) -> FactTable:
    return table(day=DAY + timedelta(days=days), **columns)


HOLDING = definition("{a: {weight: 0.6}, b: {weight: 0.4, missing: {hold_days: 30, then: poor}}}")


@pytest.mark.parametrize("alive", [1.0, NAN], ids=["quiet", "lost"])
def test_the_last_reading_is_held_up_to_its_age(alive: float) -> None:
    known = score(table(a=[0.5], b=[0.8]), HOLDING)
    assert known.score[0] == pytest.approx(0.62)
    silent = {"a": [0.5], "b": [NAN], "live_b": [alive]}
    held = score(in_days(30, **silent), HOLDING, before=later(known, 30))
    assert held.score[0] == pytest.approx(0.62), "it counts in the weight"
    assert held.coverage[0] == pytest.approx(0.6), "and not in the coverage"
    row = held.readings_at(0)[1]
    assert (row["value"], row["weight"], row["missing"]) == (0.8, pytest.approx(0.4), "hold")
    assert (row["last"], row["last_on"], row["input"]) == (0.8, "2026-06-30", None)
    why = "Nothing, or too little, to go by in this period" if alive == 1 else "No live source any more"
    assert row["reason"] == f"{why}: held at 80.0, as read 30 days ago"

    chained = score(in_days(31, **silent), HOLDING, before=later(held, 1))
    row = chained.readings_at(0)[1]
    assert (row["value"], row["missing"]) == (0, "poor"), "its age is that of the day it was read"
    assert chained.score[0] == pytest.approx(0.3)
    if alive == 1:
        assert "last" not in row, "of what is alive and held no longer, nothing is remembered"
        assert row["reason"] == "Nothing, or too little, to go by in this period: read as 0.0"
    else:
        assert row["reason"] == (
            "No live source any more; last read 80.0 31 days ago, more than the 30 it is held: read as 0.0"
        )
    back = score(in_days(32, a=[0.5], b=[0.1]), HOLDING, before=later(chained, 1))
    assert back.readings_at(0)[1]["value"] == 0.1


def test_without_anything_known_there_is_nothing_to_hold() -> None:
    silent = score(table(a=[0.5], b=[NAN]), HOLDING)
    assert silent.readings_at(0)[1]["missing"] == "poor"
    undated = {"b": LastKnown(np.array([0.8]), np.array([NAN]))}
    unheld = score(table(a=[0.5], b=[NAN]), HOLDING, before=undated)
    assert unheld.readings_at(0)[1]["missing"] == "poor", "what nobody can date is not held"


def test_what_is_held_is_no_reason_to_score_below_the_floor() -> None:
    strict = definition("{a: {weight: 0.4}, b: {weight: 0.6, missing: {hold_days: 30}}}", floor=0.5)
    known = score(table(a=[0.5], b=[0.8]), strict)
    held = score(in_days(1, a=[0.5], b=[NAN]), strict, before=later(known))
    assert np.isnan(held.score[0])
    assert held.notes[0] is not None


LIMITED = definition("{a: {weight: 0.6}, b: {weight: 0.4, stale_after_days: 14}}")


def test_data_older_than_the_limit_is_missing_and_never_raises_a_band() -> None:
    fresh = score(table(a=[0.55], b=[0.3], age_b=[14.0]), LIMITED)
    assert (fresh.coverage[0], fresh.bands) == (pytest.approx(1), [Band.WARNING])
    old = score(in_days(1, a=[0.55], b=[0.3], age_b=[15.0]), LIMITED, before=later(fresh))
    row = old.readings_at(0)[1]
    assert (row["input"], row["value"], row["missing"]) == (None, None, "exclude")
    assert (row["last"], row["last_on"]) == (0.3, "2026-06-30")
    assert row["reason"] == "The data is 15 days old, more than the 14 allowed; last read 30.0: left out"
    assert (old.score[0], old.coverage[0]) == (pytest.approx(0.55), pytest.approx(0.6))
    assert old.bands == [Band.WARNING]
    assert old.notes == [
        "Held at warning, because losing data is no improvement: without b (last read 30.0) the rest alone reads stable"
    ]
    first = score(table(a=[0.55], b=[0.3], age_b=[15.0]), LIMITED)
    assert first.bands == [Band.WARNING], (
        "where nothing was known before, what the old data says is what was last known"
    )
    row = first.readings_at(0)[1]
    assert (row["last"], row["last_on"]) == (0.3, "2026-06-15")


def test_an_unknown_age_is_no_reason_to_distrust_data() -> None:
    health = score(table(a=[0.5], b=[0.3], age_b=[NAN]), LIMITED)
    assert health.coverage[0] == pytest.approx(1)


def test_a_stale_reading_may_be_held() -> None:
    both = definition("{a: {weight: 0.6}, b: {weight: 0.4, stale_after_days: 14, missing: {hold_days: 30}}}")
    known = score(table(a=[0.5], b=[0.8]), both)
    held = score(in_days(20, a=[0.5], b=[0.1], age_b=[20.0]), both, before=later(known, 20))
    row = held.readings_at(0)[1]
    assert (row["value"], row["missing"]) == (0.8, "hold")
    assert row["reason"] == "The data is 20 days old, more than the 14 allowed: held at 80.0, as read 20 days ago"


def test_peers_are_those_whose_data_counts() -> None:
    relative = definition("{a: {weight: 0.5}, b: {weight: 0.5, stale_after_days: 14, curve: {percentile: higher}}}")
    values = [float(i) / 10 for i in range(11)]
    ages = [0.0] * 10 + [20.0]
    health = score(table(a=[0.5] * 11, b=values, age_b=ages), relative)
    np.testing.assert_allclose(health.readings[1].value, [*(np.arange(10) / 9), NAN])


def test_the_curve_follows_the_tenure() -> None:
    stages = definition(
        "{a: {weight: 1, by_tenure: [{from_days: 0, curve: {points: [[0, 0.5], [1, 1]]}}, "
        "{from_days: 90, curve: {points: [[0, 0], [1, 1]]}}]}}"
    )
    health = score(table(a=[0.4] * 4, tenure=[0, 89, 90, NAN]), stages)
    np.testing.assert_allclose(health.score, [0.7, 0.7, 0.4, 0.4])


def test_for_whom_what_was_known_matters() -> None:
    given = table(
        a=[0.5] * 5,
        b=[0.5, NAN, 0.5, NAN, 0.5],
        live_a=[1, 1, NAN, 1, 1],
        live_b=[1, 1, 1, 1, 1],
        age_b=[0, 0, 0, 0, 20.0],
    )
    plain = definition("{a: {weight: 0.6}, b: {weight: 0.4}}")
    assert wants_last_known(given, [plain]).tolist() == [False, False, True, False, False]
    assert wants_last_known(given, [HOLDING]).tolist() == [False, True, True, True, False]
    assert wants_last_known(given, [LIMITED]).tolist() == [False, False, True, False, True]
    assert wants_last_known(given, [HOLDING, LIMITED]).tolist() == [False, True, True, True, True]


def test_what_was_stored_before_readings_were_dated_is_known_and_undated() -> None:
    row = {"measure": "b", "value": None, "missing": "exclude", "last": 0.4}
    known = remembered({1: (DAY, [row])}, count=3, as_of=DAY)["b"]
    np.testing.assert_array_equal(known.reading, [NAN, 0.4, NAN])
    assert np.isnan(known.age_days).all()


LEVELS = [None, *Band]


@pytest.mark.parametrize("seed", range(60))
def test_whatever_grows_stale_or_is_lost_the_band_is_no_better(seed: int) -> None:
    """Nothing but the sources changes, over five days in which they come and go; policies, limits and tenures at random."""
    rng = np.random.default_rng(seed)
    n = 200
    policies = (
        "exclude",
        "neutral",
        "poor",
        "{hold_days: 2}",
        "{hold_days: 3, then: neutral}",
        "{hold_days: 1, then: poor}",
    )
    leaves = []
    for name, weight in zip("abc", (0.5, 0.3, 0.2), strict=True):
        limit = f", stale_after_days: {rng.integers(1, 4)}" if rng.random() < 0.6 else ""
        leaves.append(f"{name}: {{weight: {weight}, missing: {policies[rng.integers(len(policies))]}{limit}}}")
    rules = definition(f"{{{', '.join(leaves)}}}", floor=float(rng.choice([0, 0.3])))
    values = {name: rng.random(n).tolist() for name in "abc"}
    healthy = score(table(**values), rules)
    best = [LEVELS.index(band) for band in healthy.bands]
    before = later(healthy)
    for day in range(1, 6):
        columns = dict(values)
        for name in "abc":
            gone, old = (
                rng.random(n) < 0.4,
                rng.random(n) < 0.4,
            )  # a source that is only old leaves its numbers standing
            columns[name] = np.where(gone, NAN, values[name]).tolist()
            columns[f"live_{name}"] = np.where(gone, NAN, 1.0).tolist()
            columns[f"age_{name}"] = np.where(old, 9.0, 0.0).tolist()
        health = score(in_days(day, **columns), rules, before=before)
        assert all(LEVELS.index(band) <= top for band, top in zip(health.bands, best, strict=True))
        summed = np.sum([reading.contribution for reading in health.readings], axis=0)
        scored = ~np.isnan(health.score)
        np.testing.assert_allclose(summed[scored], health.score[scored], atol=1e-9, rtol=0)
        live = np.sum([reading.place.share * ~reading.missing for reading in health.readings], axis=0)
        np.testing.assert_allclose(health.coverage, live, atol=1e-12)
        before = later(health)


@pytest.mark.parametrize("seed", range(10))
def test_one_customer_alone_is_scored_as_among_many(seed: int) -> None:
    rng = np.random.default_rng(seed)
    rules = definition(
        "{one: {weight: 1, of: {two: {weight: 0.6, of: {three: {weight: 1, of: {a: {weight: 0.3}, "
        "b: {weight: 0.7, missing: {hold_days: 5}}}}}}, c: {weight: 0.4, stale_after_days: 3}}}}"
    )
    n = 30
    columns = {name: np.where(rng.random(n) < 0.3, NAN, rng.random(n)).tolist() for name in "abc"}
    columns["age_c"] = rng.integers(0, 6, n).astype(float).tolist()
    before = {"b": LastKnown(rng.random(n), rng.integers(0, 9, n).astype(float))}
    whole = score(table(**columns), rules, before=before)
    for i in range(n):
        row = {name: [column[i]] for name, column in columns.items()}
        known = {"b": LastKnown(before["b"].reading[[i]], before["b"].age_days[[i]])}
        alone = score(table(**row), rules, before=known)
        assert (alone.score.tobytes(), alone.coverage.tobytes()) == (
            whole.score[[i]].tobytes(),
            whole.coverage[[i]].tobytes(),
        )
