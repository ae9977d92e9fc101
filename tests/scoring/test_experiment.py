"""Intervals of differences: published examples, false positives at the stated level in simulated A/A tests, and power."""

import numpy as np
import pytest
from scipy.stats import binom, binomtest

from scoring.experiment import (
    FEWEST_EXPECTED,
    HIGHER,
    LOWER,
    NO_DIFFERENCE,
    TOO_SMALL,
    means,
    needed_held_out,
    newcombe,
    proportions,
    wilson,
)

SIMULATED = 2_000
FOUND = (LOWER, HIGHER)


@pytest.mark.parametrize(
    ("one", "other", "low", "high"),
    [  # Newcombe 1998, table II, method 10
        ((56, 70), (48, 80), 0.0524, 0.3339),
        ((9, 10), (3, 10), 0.1705, 0.8090),
        ((6, 7), (2, 7), 0.0582, 0.8062),
        ((5, 56), (0, 29), -0.0381, 0.1926),
        ((0, 10), (0, 20), -0.1611, 0.2775),
        ((10, 10), (0, 20), 0.6791, 1.0000),
    ],
)
def test_intervals_are_the_published_ones(
    one: tuple[int, int], other: tuple[int, int], low: float, high: float
) -> None:
    assert newcombe(*one, *other) == pytest.approx((low, high), abs=1e-4)


def test_wilson_is_what_scipy_says() -> None:
    for count, of in ((0, 10), (1, 2), (12, 840), (10, 10)):
        expected = binomtest(count, of).proportion_ci(method="wilson")
        assert wilson(count, of) == pytest.approx((expected.low, expected.high), abs=1e-12)
    assert wilson(0, 0) == (0.0, 1.0)


def test_sample_sizes_are_the_textbooks() -> None:
    # per group, 80 % power, 5 % two-sided; R's power.prop.test says 4726.2, 1990.6, 636.2, 1643.7
    assert needed_held_out(0.07, cut=0.2) == 4727
    assert needed_held_out(0.07, cut=0.3) == 1991
    assert needed_held_out(0.07, cut=0.5) == 637
    assert needed_held_out(0.18, cut=0.2) == 1644
    assert needed_held_out(0.07, ratio=9.0) == 1043
    assert needed_held_out(0.0) is None
    assert needed_held_out(1.0) is None


def test_who_is_too_few_is_told_how_many_it_takes() -> None:
    few = proportions(left=40, of=90, left_held=0, of_held=10)
    # 40 % left of all: 4 of the 10 held out are expected to, with the interval clear of 0 or not
    assert few.low is not None
    assert few.low > 0
    assert few.verdict == TOO_SMALL
    held = needed_held_out(0.4, ratio=9.0)
    assert held is not None
    assert few.needed == held * 10 - 100
    enough = proportions(left=600, of=9_000, left_held=120, of_held=1_000)
    assert (enough.verdict, enough.needed) == (LOWER, needed_held_out(720 / 10_000, ratio=9.0) * 10 - 10_000)  # type: ignore[operator]  # a number, the base being none of 0 and 1
    nobody = proportions(left=0, of=0, left_held=0, of_held=10)
    assert (nobody.value, nobody.low, nobody.verdict, nobody.held_out) == (None, None, TOO_SMALL, 0.0)
    none_left = proportions(left=0, of=900, left_held=0, of_held=100)
    assert (none_left.verdict, none_left.needed) == (TOO_SMALL, None)


@pytest.mark.parametrize("base", [0.02, 0.05, 0.1, 0.25])
@pytest.mark.parametrize(
    ("treated", "held"), [(90, 10), (180, 20), (450, 50), (500, 500), (1_800, 200), (9_000, 1_000)]
)
def test_where_nothing_is_different_a_difference_is_found_no_oftener_than_stated(
    base: float, treated: int, held: int
) -> None:
    """An A/A test, 2,000 times: of a level of 5 % no more than that, within what chance allows."""
    random = np.random.default_rng(treated * 7 + held)
    one, other = random.binomial(treated, base, SIMULATED), random.binomial(held, base, SIMULATED)
    verdicts = [
        proportions(left=int(a), of=treated, left_held=int(b), of_held=held).verdict
        for a, b in zip(one, other, strict=True)
    ]
    found = sum(verdict in FOUND for verdict in verdicts)
    assert found <= binom.ppf(0.999, SIMULATED, 0.05)
    if held * base >= 4 * FEWEST_EXPECTED:  # and not by never finding anything
        assert found >= binom.ppf(0.001, SIMULATED, 0.03)


def test_all_a_a_tests_together_keep_the_level() -> None:
    """48,000 of them at several rates and sizes: that would show a level that is off by a tenth."""
    random = np.random.default_rng(11)
    found = total = 0
    for base in (0.02, 0.05, 0.1, 0.25):
        for treated, held in ((90, 10), (450, 50), (500, 500), (1_800, 200), (9_000, 1_000), (900, 300)):
            one, other = random.binomial(treated, base, SIMULATED), random.binomial(held, base, SIMULATED)
            total += SIMULATED
            for a, b in zip(one.tolist(), other.tolist(), strict=True):
                found += proportions(left=a, of=treated, left_held=b, of_held=held).verdict in FOUND
    assert found <= binom.ppf(0.999, total, 0.05)


@pytest.mark.parametrize("shape", ["normal", "mostly nothing"])
def test_means_keep_the_level_also_where_few_have_nearly_all(shape: str) -> None:
    random = np.random.default_rng(5)

    def draw(size: int) -> np.ndarray:
        if shape == "normal":
            return random.normal(size=size)
        return np.where(random.random(size) < 0.1, -random.lognormal(6, 1.5, size), 0.0)

    times = 600
    found = sum(means(draw(180), draw(30), permutations=199, seed=i).verdict in FOUND for i in range(times))
    assert found <= binom.ppf(0.999, times, 0.05)
    assert found >= binom.ppf(0.001, times, 0.03)


def test_an_effect_that_is_there_is_found_as_often_as_stated() -> None:
    """At the sample size that is told to be enough, four times of five; and on the side it is on."""
    base, ratio = 0.1, 4.0
    held = needed_held_out(base, ratio=ratio)
    assert held is not None
    treated = round(held * ratio)
    random = np.random.default_rng(3)
    one, other = random.binomial(treated, base * 0.7, SIMULATED), random.binomial(held, base, SIMULATED)
    verdicts = [
        proportions(left=int(a), of=treated, left_held=int(b), of_held=held).verdict
        for a, b in zip(one, other, strict=True)
    ]
    assert 0.76 < verdicts.count(LOWER) / SIMULATED < 0.84
    assert verdicts.count(HIGHER) == 0


def test_a_shift_of_means_is_found_and_bounded() -> None:
    random = np.random.default_rng(8)
    treated, held = random.normal(0.05, 0.1, 900), random.normal(0.0, 0.1, 100)
    found = means(treated, held)
    assert found.verdict == HIGHER
    assert found.low is not None
    assert found.high is not None
    assert found.low < 0.05 < found.high
    # of so many, and as normal as these, it is Welch's interval: the difference and 1.96 standard errors
    error = (treated.var(ddof=1) / 900 + held.var(ddof=1) / 100) ** 0.5
    assert found.high - found.low == pytest.approx(2 * 1.97 * error, rel=0.06)
    assert means(treated, held) == found
    assert means(treated, held[:19]).verdict == TOO_SMALL
    assert means(treated, held[:1]).value is None
    assert means(np.zeros(50), np.zeros(50)).verdict == TOO_SMALL
    assert means(random.normal(size=2_000), random.normal(size=500)).verdict in (NO_DIFFERENCE, LOWER, HIGHER)
