"""The risks of one customer over several horizons never contradict each other, and the primary's is left alone."""

from dataclasses import dataclass

import numpy as np
import pytest

from scoring.churn import ChurnReadings, PriorPredictor, PriorRate, annualise, bands_of
from scoring.churn_definition import ChurnBands
from scoring.facts import Floats
from scoring.nesting import brought_in_line

BANDS = ChurnBands()


def predictor(horizon: str, *, shown: bool = True) -> PriorPredictor:
    prior = PriorRate(rate=0.1, low=0.05, high=0.2, rows=9, churned=1)
    return PriorPredictor(model_version=horizon, horizon=horizon, prior=prior, why="", bands=BANDS, shown=shown)


def said(*probability: float) -> ChurnReadings:
    values = np.array(probability)
    n = len(values)
    return ChurnReadings(
        probability=values,
        annualised=annualise(values, 90),
        band=bands_of(annualise(values, 90), BANDS),
        confidence=["normal"] * n,
        reasons=[[{"code": "X"}]] * n,
    )


def of(horizons: list[str], readings: list[ChurnReadings]) -> list[Floats]:
    moved = brought_in_line([predictor(name) for name in horizons], readings)
    return [moved.get(place, one).probability for place, one in enumerate(readings)]


def test_shorter_horizons_say_at_most_what_the_next_longer_does() -> None:
    found = of(["90d", "30d", "60d"], [said(0.3, 0.3, 0.3), said(0.1, 0.25, 0.5), said(0.2, 0.2, 0.4)])
    assert [one.tolist() for one in found] == [[0.3, 0.3, 0.3], [0.1, 0.2, 0.3], [0.2, 0.2, 0.3]]


def test_longer_horizons_say_at_least_what_the_next_shorter_does() -> None:
    found = of(["30d", "90d", "60d"], [said(0.2, 0.2), said(0.1, 0.3), said(0.15, 0.4)])
    assert [one.tolist() for one in found] == [[0.2, 0.2], [0.2, 0.4], [0.2, 0.4]]


@pytest.mark.parametrize("seed", range(5))
def test_whatever_is_said_the_horizons_are_in_order(seed: int) -> None:
    random = np.random.default_rng(seed)
    readings = [said(*random.random(50)) for _ in range(4)]
    found = of(["60d", "90d", "30d", "45d"], readings)
    assert np.array_equal(found[0], readings[0].probability)
    by_days = np.array([found[place] for place in (2, 3, 0, 1)])
    assert (np.diff(by_days, axis=0) >= 0).all()


def test_what_moves_moves_whole_and_what_agrees_is_the_same_object() -> None:
    primary, agreeing, contradicting = said(0.3), said(0.1), said(0.9)
    moved = brought_in_line([predictor("90d"), predictor("30d"), predictor("60d")], [primary, agreeing, contradicting])
    assert moved.keys() == {2}
    assert moved[2].annualised.tolist() == annualise(np.array([0.3]), 60).tolist()
    assert moved[2].band == bands_of(moved[2].annualised, BANDS) == ["high"]
    assert (moved[2].reasons, moved[2].confidence) == (contradicting.reasons, contradicting.confidence)


def test_the_renewal_the_unseen_and_the_unknown_stay_as_they_are() -> None:
    @dataclass
    class Other:
        horizon_days: int = 30

    speakers = [predictor("90d"), predictor("renewal"), predictor("30d", shown=False), Other()]
    assert brought_in_line(speakers, [said(0.1), said(0.9), said(0.9), said(0.9)]) == {}
    assert brought_in_line([Other(), predictor("30d")], [said(0.1), said(0.9)]) == {}
