"""Measures are found, read the facts they declare, and say in a sentence what they saw."""

from collections.abc import Mapping

import numpy as np
import pytest

from scoring.curves import Beside, ByTenure, Percentile, Points, Thresholds, curve_at, segments_of
from scoring.facts import FACTS, Floats
from scoring.measure import Measure
from scoring.measures import discover
from scoring.wording import counted, duration, number, percent

NAN = float("nan")
MEASURES = discover()


def columns(**values: float) -> dict[str, Floats]:
    return {name: np.array([values.get(name, NAN)]) for name, fact in FACTS.items() if fact.kind == "number"}


def everybody(n: int) -> Beside:
    return Beside([None] * n, np.full(n, NAN))


def value_of(name: str, **values: float) -> float:
    return float(MEASURES[name].value(columns(**values))[0])


def sentence_of(name: str, **values: float) -> str:
    measure = MEASURES[name]
    facts: Mapping[str, float | None] = {
        fact: None if np.isnan(column[0]) else float(column[0]) for fact, column in columns(**values).items()
    }
    return measure.sentence(value_of(name, **values), facts)


def test_every_measure_is_found() -> None:
    groups: dict[str, set[str]] = {}
    for name, measure in MEASURES.items():
        groups.setdefault(measure.group, set()).add(name)
    assert groups == {
        "usage": {"dau", "wau", "mau", "feature_usage", "usage_trend"},
        "engagement": {"login_frequency", "session_duration", "feature_adoption", "stickiness"},
        "support": {"ticket_count", "ticket_severity", "first_response", "resolution", "csat"},
        "feedback": {"nps"},
    }


@pytest.mark.parametrize("measure", MEASURES.values(), ids=lambda measure: measure.name)
def test_a_measure_reads_only_what_it_declares(measure: Measure) -> None:
    declared = {fact: np.full(3, 1.0) for fact in measure.facts}
    assert set(declared) <= set(FACTS)
    assert measure.live in FACTS
    assert measure.value(declared).shape == (3,)
    assert measure.sentence(1.0, dict.fromkeys(measure.facts, 1.0)).strip()
    unknown = measure.value({fact: np.array([NAN]) for fact in measure.facts})
    assert np.isnan(unknown).all(), "without any fact there is no input"


@pytest.mark.parametrize("measure", MEASURES.values(), ids=lambda measure: measure.name)
def test_a_default_curve_keeps_to_its_scale_and_to_one_direction(measure: Measure) -> None:
    readings = measure.curve.read(np.linspace(-2, 10_000, 20_001), everybody(20_001))
    steps = np.diff(readings)
    assert readings.min() >= 0
    assert readings.max() <= 1
    assert (steps >= 0).all() or (steps <= 0).all()
    assert readings.min() < 0.3 < 0.7 < readings.max()


def test_users_are_measured_by_seats_or_else_by_the_most_seen() -> None:
    assert value_of("wau", wau=13, seats_purchased=20, mau=18, mau_previous=2) == 0.65
    assert value_of("wau", wau=13, mau=20, mau_previous=26) == 0.5
    assert value_of("wau", wau=13, seats_purchased=0, mau=26) == 0.5
    assert value_of("mau", mau=30, mau_previous=1, seats_purchased=20) == 1.5
    assert value_of("dau", mean_dau_28d=3, mau=10, mau_previous=5, seats_purchased=12) == 0.25
    assert value_of("mau", mau=0, mau_previous=0) == 0
    assert np.isnan(value_of("mau", seats_purchased=20))


def test_sentences_say_value_reference_direction_and_time() -> None:
    assert sentence_of("wau", wau=13, seats_purchased=21) == (
        "Weekly active users 13 of 21 seats (62 %) in the last 7 days"
    )
    assert sentence_of("usage_trend", usage_trend=-0.38, events_28d=1302, events_previous_28d=2100) == (
        "Events fell 38 % (2,100 -> 1,302) in the last 28 days against the 28 before"
    )
    assert sentence_of("usage_trend", usage_trend=0.0, events_28d=50, events_previous_28d=50).startswith(
        "Events were level"
    )
    assert sentence_of("ticket_count", tickets_90d=6, mau=30) == (
        "6 tickets in the last 90 days, 2 for every 10 of 30 active users"
    )
    assert sentence_of("ticket_count", tickets_90d=1, mau=4) == "1 ticket in the last 90 days"
    assert sentence_of("first_response", first_response_minutes_90d=90) == (
        "First response took 1.5 hours, mean of the tickets of the last 90 days"
    )


def test_support_inputs() -> None:
    assert value_of("ticket_count", tickets_90d=6, mau=30) == 2
    assert value_of("ticket_count", tickets_90d=6, mau=3) == 6
    assert value_of("ticket_count", tickets_90d=6) == 6
    assert value_of("csat", csat_90d=0.5, csat_answers_90d=4) == 0.5
    assert np.isnan(value_of("csat", csat_90d=0.5, csat_answers_90d=2))


def test_a_customer_who_never_came_stayed_no_minutes() -> None:
    assert value_of("session_duration", sessions_28d=0) == 0
    assert value_of("session_duration", sessions_28d=2, minutes_per_session=7) == 7
    assert np.isnan(value_of("session_duration"))


def test_points_are_joined_by_lines_and_flat_beyond() -> None:
    curve = Points(((0, 0.2), (10, 0.4), (20, 1)))
    inputs = np.array([-5, 0, 5, 15, 99, NAN])
    np.testing.assert_allclose(curve.read(inputs, everybody(len(inputs))), [0.2, 0.2, 0.3, 0.7, 1, NAN])


def test_thresholds_are_steps() -> None:
    curve = Thresholds(((0, 0.1), (5, 0.5), (10, 1)))
    inputs = np.array([-1, 0, 4.9, 5, 10, 99, NAN])
    np.testing.assert_allclose(curve.read(inputs, everybody(len(inputs))), [0.1, 0.1, 0.1, 0.5, 1, 1, NAN])


def test_a_percentile_is_the_place_among_the_segment() -> None:
    inputs = np.array([*range(11), 100, 200, NAN], dtype=float)
    beside = Beside(["a"] * 11 + ["b"] * 2 + ["a"], np.full(14, NAN))
    higher = Percentile("higher").read(inputs, beside)
    np.testing.assert_allclose(higher[:11], np.arange(11) / 10)
    np.testing.assert_allclose(higher[11:], [11 / 12, 1, NAN])  # two are too few: against everybody
    np.testing.assert_allclose(Percentile("lower").read(inputs, beside)[:11], 1 - np.arange(11) / 10)
    ties = Percentile("higher").read(np.array([0.0] * 6 + [1.0] * 5), everybody(11))
    np.testing.assert_allclose(ties, [0.25] * 6 + [0.8] * 5)
    assert np.isnan(Percentile("higher").read(np.arange(9.0), everybody(9))).all()


def test_the_curve_changes_with_the_tenure() -> None:
    young, old = Points(((0, 0.5), (10, 1))), Points(((0, 0), (10, 1)))
    curve = ByTenure(((0, young), (90, old)))
    beside = Beside([None] * 6, np.array([0, 89, 90, 5000, NAN, -3]))
    np.testing.assert_allclose(curve.read(np.full(6, 5.0), beside), [0.75, 0.75, 0.5, 0.5, 0.5, 0.75])
    assert np.isnan(curve.read(np.full(6, NAN), beside)).all()
    assert [curve_at(curve, days) for days in (0, 89, 90, NAN)] == [young, young, old, old]
    assert curve_at(young, 5) is young
    assert curve.key() == {"by_tenure": [[0, young.key()], [90, old.key()]]}
    assert not curve.relative


def test_peers_are_of_every_tenure() -> None:
    curve = ByTenure(((0, Thresholds(((0, 0.9),))), (90, Percentile("higher"))))
    beside = Beside(["a"] * 11, np.array([0.0] * 5 + [100.0] * 6))
    assert curve.relative
    np.testing.assert_allclose(curve.read(np.arange(11.0), beside), [0.9] * 5 + [0.5, 0.6, 0.7, 0.8, 0.9, 1])


def test_segments_are_numbered_and_none_is_one() -> None:
    assert segments_of(["a", None, "b", "a", None]).tolist() == [0, 1, 2, 0, 1]


def test_wording() -> None:
    assert [number(value) for value in (1234.0, 2.25, 0.04, 3.0, 150.4)] == ["1,234", "2.2", "0.04", "3", "150"]
    assert [duration(minutes) for minutes in (12.5, 90, 60, 2880)] == ["12.5 minutes", "1.5 hours", "1 hour", "2 days"]
    assert percent(0.624) == "62 %"
    assert [counted(n, "day", "days") for n in (0, 1, 2)] == ["0 days", "1 day", "2 days"]
