"""PSI by hand, its noise by simulation, and predictions judged by what came of them."""

import math

import numpy as np
import pytest
from scipy.stats import poisson

from scoring.drift import (
    SCORE,
    Alarms,
    Bins,
    Level,
    Reference,
    calibration_in_the_large,
    discrimination,
    psi,
)

BOTH = ("usage", "nps")


def counts(*values: int) -> np.ndarray:
    return np.array(values, dtype=np.int64)


def test_psi_by_hand() -> None:
    # with half a customer added to each bin: 50.5/101 and 50.5/101 against 20.5/101 and 80.5/101
    half, low, high = 0.5, 20.5 / 101, 80.5 / 101
    expected = (low - half) * math.log(low / half) + (high - half) * math.log(high / half)
    assert psi(counts(50, 50), counts(20, 80)) == pytest.approx(expected, rel=1e-12)
    assert psi(counts(50, 50), counts(500, 500)) == pytest.approx(0, abs=1e-12)
    assert psi(counts(20, 80), counts(50, 50)) == pytest.approx(expected, rel=1e-12)  # it is symmetric


def test_an_empty_bin_is_no_infinity_and_one_empty_on_both_sides_is_none() -> None:
    assert 0 < psi(counts(100, 0), counts(0, 100)) < 20
    assert psi(counts(60, 40, 0), counts(30, 70, 0)) == psi(counts(60, 40), counts(30, 70))
    assert psi(counts(10, 0), counts(99, 0)) == 0.0
    assert psi(counts(0, 0), counts(5, 5)) == 0.0


def test_deciles_and_a_bin_for_what_is_missing() -> None:
    bins = Bins.of(np.array([*range(100), np.nan, np.nan], dtype=np.float64))
    assert len(bins.edges) == 9
    assert len(bins.counts) == 11
    assert bins.counts[-1] == 2
    assert sum(bins.counts) == 102
    assert max(bins.counts[:-1]) - min(bins.counts[:-1]) <= 2  # 1/10 each, but for where the quantile stands
    assert bins.psi(np.arange(100.0)) < 0.03
    assert bins.psi(np.full(100, np.nan)) > 2


@pytest.mark.parametrize(
    ("column", "edges", "counted"),
    [
        ([3.0] * 8, (), (8, 0)),
        ([np.nan] * 8, (), (0, 8)),
        ([0.0] * 6 + [1.0] * 4, (1.0,), (6, 4, 0)),
    ],
)
def test_edges_that_coincide_are_one(column: list[float], edges: tuple[float, ...], counted: tuple[int, ...]) -> None:
    bins = Bins.of(np.array(column))
    assert (bins.edges, bins.counts) == (edges, counted)


def test_alarms_stay_above_chance() -> None:
    few, many = Alarms.of(200, 200), Alarms.of(20_000, 5_000)
    assert few.warn == pytest.approx(0.169)
    assert few.act == pytest.approx(0.338)
    assert (many.warn, many.act) == (0.10, 0.25)
    assert [many.level(value) for value in (0.099, 0.1, 0.25)] == [Level.STEADY, Level.WARN, Level.ACT]


@pytest.mark.parametrize("size", [100, 300])
def test_where_nothing_moves_few_features_warn(size: int) -> None:
    """The fixed .10 would fire for these again and again; the alarm of so many customers in about one of twenty."""
    random = np.random.default_rng(3)
    found = [Bins.of(random.normal(size=size)).psi(random.normal(size=size)) for _ in range(600)]
    by_noise = np.mean([value >= Alarms.of(size, size).warn for value in found])
    by_folklore = np.mean([value >= 0.10 for value in found])
    assert by_noise < 0.07
    assert by_folklore > 1.5 * by_noise


def reference() -> tuple[Reference, np.ndarray, np.ndarray]:
    random = np.random.default_rng(1)
    matrix = random.normal(size=(2_000, 2)).astype(np.float32)
    matrix[:100, 1] = np.nan
    probability = 1 / (1 + np.exp(-matrix[:, 0].astype(np.float64)))
    return Reference.of(["usage", "nps"], matrix, probability, customers=np.arange(2_000) // 4), matrix, probability


def test_a_reference_reads_what_moved_and_what_did_not() -> None:
    known, matrix, probability = reference()
    assert known.customers == 500
    same = {each.name: each for each in known.readings(["usage", "nps"], matrix, probability, used=BOTH)}
    assert list(same) == [SCORE, "usage", "nps"]
    assert {each.level for each in same.values()} == {Level.STEADY}
    assert same["usage"].alarms == Alarms.of(500, 2_000)
    moved = matrix.copy()
    moved[:, 0] -= 1
    moved[:1_000, 1] = np.nan
    found = {each.name: each for each in known.readings(["usage", "nps"], moved, probability, used=BOTH)}
    assert (found["usage"].level, found["nps"].level, found[SCORE].level) == (Level.ACT, Level.ACT, Level.STEADY)
    assert (found["nps"].share_missing, found["nps"].share_missing_before) == (0.5, 0.05)
    swapped = {each.name: each for each in known.readings(["nps", "usage"], matrix[:, ::-1], probability, used=BOTH)}
    assert swapped == same  # by name, whatever the order of columns


def test_what_no_tree_asks_for_has_no_level() -> None:
    known, matrix, probability = reference()
    moved = matrix - 1
    found = {each.name: each for each in known.readings(["usage", "nps"], moved, probability, used={"nps"})}
    assert found["usage"].psi > found["usage"].alarms.act
    assert (found["usage"].level, found["nps"].level, found[SCORE].level) == (Level.UNUSED, Level.ACT, Level.STEADY)


def test_a_reference_comes_back_from_json_and_says_nothing_of_nobody() -> None:
    known, matrix, probability = reference()
    assert Reference.from_json(known.as_json()) == known
    assert known.readings(["usage", "nps"], matrix[:0], probability[:0], used=BOTH) == []
    with pytest.raises(ValueError, match="the features that the model learned from"):
        known.readings(["usage"], matrix[:, :1], probability, used=BOTH)


def test_calibration_in_the_large() -> None:
    found = calibration_in_the_large(10, 10.0)
    # the exact interval of a count of 10 is 4.795 to 18.39
    assert (found.ratio, round(found.low, 4), round(found.high, 4)) == (1.0, 0.4795, 1.839)
    assert not found.is_off
    assert calibration_in_the_large(10, 18.3).is_off is False
    assert calibration_in_the_large(10, 18.5).is_off
    assert calibration_in_the_large(10, 4.7).is_off
    assert poisson.cdf(10, 10 * found.high / found.ratio) == pytest.approx(0.025)
    assert poisson.sf(9, 10 * found.low / found.ratio) == pytest.approx(0.025)
    assert calibration_in_the_large(0, 3.0).low == 0.0
    assert calibration_in_the_large(0, 3.7).is_off  # 3.689 is the most that nobody leaving goes with
    assert not calibration_in_the_large(0, 3.6).is_off
    with pytest.raises(ValueError, match="nothing was expected"):
        calibration_in_the_large(3, 0.0)


def test_discrimination() -> None:
    labels = np.array([True, False, True, False])
    days = np.full(4, 739_000)
    found = discrimination(labels, np.array([0.9, 0.1, 0.6, 0.7]), days=days)
    assert found is not None
    assert (found.roc_auc.value, found.rows, found.split) == (0.75, 4, "matured predictions")
    assert discrimination(np.zeros(4, dtype=bool), np.full(4, 0.5), days=days) is None
