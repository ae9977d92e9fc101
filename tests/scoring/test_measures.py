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
        "usage": {"dau", "wau", "mau", "feature_usage", "usage_trend", "licence_utilisation"},
        "engagement": {
            "login_frequency",
            "session_duration",
            "feature_adoption",
            "feature_depth",
            "stickiness",
            "engagement_score",
        },
        "support": {"ticket_count", "ticket_severity", "first_response", "resolution", "csat", "reopen_rate"},
        "feedback": {"nps", "survey_silence"},
        "relationship": {"champion_change", "executive_silence", "sentiment"},
        "billing": {"payment_failures"},
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
def test_a_measure_says_what_dates_its_data_and_what_its_lever_moves(measure: Measure) -> None:
    assert measure.age is not None
    assert FACTS[measure.age].unit == "days"
    if (lever := measure.lever) is not None:
        moved = {lever.fact, *lever.along, *lever.against}
        assert lever.fact in measure.facts
        assert moved | ({lever.limit} if lever.limit else set()) <= set(FACTS)
        reads = {name: np.array([10.0, 10.0]) for name in measure.facts}
        reads[lever.fact] = np.array([10.0, 10.0 + lever.step])
        if measure.name == "champion_change":  # the first one there is what counts
            reads[lever.fact] = np.array([0.0, 1.0])
        before, after = measure.curve.read(measure.value(reads), everybody(2)).tolist()
        assert after >= before, "a step never makes it worse"


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


def reading_of(name: str, **values: float) -> float:
    measure = MEASURES[name]
    return float(measure.curve.read(measure.value(columns(**values)), everybody(1))[0])


def test_licence_utilisation_is_never_clipped_and_has_three_steps() -> None:
    assert value_of("licence_utilisation", seat_utilisation=1.25) == 1.25
    steps = {share: reading_of("licence_utilisation", seat_utilisation=share) for share in (0.49, 0.5, 0.79, 0.8, 1.25)}
    assert steps == {0.49: 0.15, 0.5: 0.5, 0.79: 0.5, 0.8: 1.0, 1.25: 1.0}
    assert np.isnan(reading_of("licence_utilisation", mau=4))
    assert sentence_of("licence_utilisation", seat_utilisation=1.25, mau=25, seats_purchased=20) == (
        "125 % of the seats were in use in the last 28 days (25 users, 20 seats)"
    )


def test_depth_is_set_beside_the_customers_own_past() -> None:
    fewer = {"depth_trend": -0.5, "events_per_user_28d": 6.0, "events_per_user_previous_28d": 12.0}
    assert value_of("feature_depth", **fewer) == -0.5
    assert sentence_of("feature_depth", **fewer) == (
        "Events a user fell 50 % (12 -> 6) in the last 28 days against the 28 before"
    )


def test_the_engagement_score_is_the_mean_of_three_shares() -> None:
    parts = {"mau": 5.0, "seats_purchased": 10.0, "stickiness": 5 / 14, "feature_adoption": 0.8}
    assert value_of("engagement_score", **parts) == pytest.approx(100 * (0.5 + 0.5 + 0.8) / 3)
    more = {**parts, "mau": 30.0, "stickiness": 0.9}
    assert value_of("engagement_score", **more) == pytest.approx(100 * (1 + 1 + 0.8) / 3), "shares end at 1"
    assert np.isnan(value_of("engagement_score", **{**parts, "feature_adoption": NAN}))
    assert value_of("engagement_score", mau=0, mau_previous=0, stickiness=0, feature_adoption=0) == 0
    assert sentence_of("engagement_score", **parts) == (
        "Engagement score 60 of 100: 5 of 10 seats, 10 days a user, 80 % of the features in the last 28 days"
    )


def test_two_solved_tickets_say_nothing_of_reopens() -> None:
    assert np.isnan(value_of("reopen_rate", reopen_rate_90d=0.5, tickets_solved_90d=2))
    assert value_of("reopen_rate", reopen_rate_90d=0.25, tickets_solved_90d=4) == 0.25
    assert sentence_of("reopen_rate", reopen_rate_90d=0.25, tickets_solved_90d=4) == (
        "0.25 reopens a ticket, over the 4 tickets solved in the last 90 days"
    )


def test_silence() -> None:
    assert sentence_of("survey_silence", survey_silence_days=200) == "No answer to a survey for 200 days"
    assert sentence_of("executive_silence", executive_silence_days=60, executives=2) == (
        "Nothing was heard for 60 days of 2 executive contacts"
    )
    assert reading_of("survey_silence", survey_silence_days=0) == reading_of(
        "executive_silence", executive_silence_days=7
    )


def test_a_lost_champion_weighs_less_where_another_remains() -> None:
    assert value_of("champion_change", champions_lost_90d=1, champions=0) == 1
    assert value_of("champion_change", champions_lost_90d=1, champions=2) == 0.5
    assert value_of("champion_change", champions_lost_90d=0, champions=1) == 0
    assert np.isnan(value_of("champion_change", champions_lost_90d=0, champions=0)), "nobody was ever named one"
    assert sentence_of("champion_change", champions_lost_90d=1, champions=0) == (
        "1 champion left or changed role in the last 90 days; none remains"
    )
    assert sentence_of("champion_change", champions_lost_90d=2, champions=3) == (
        "2 champions left or changed role in the last 90 days; 3 remain"
    )
    assert sentence_of("champion_change", champions_lost_90d=0, champions=1) == (
        "No champion left or changed role in the last 90 days; there is 1"
    )


def test_payments() -> None:
    assert value_of("payment_failures", payment_failures_90d=2, days_past_due=15) == 2.5
    assert np.isnan(value_of("payment_failures"))
    assert sentence_of("payment_failures", payment_failures_90d=1, days_past_due=0) == (
        "1 payment failed in the last 90 days, no invoice is past due"
    )
    assert sentence_of("payment_failures", payment_failures_90d=0, days_past_due=12) == (
        "No payment failed in the last 90 days, the oldest unpaid invoice is 12 days past due"
    )


def test_sentiment_is_read_as_it_was_given() -> None:
    assert reading_of("sentiment", sentiment=0.7) == 0.7
    assert (
        sentence_of("sentiment", sentiment=0.7, sentiment_age_days=12) == "The CSM judges 70 of 100, given 12 days ago"
    )
    assert MEASURES["sentiment"].lever is None


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
