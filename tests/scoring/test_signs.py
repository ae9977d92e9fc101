"""What a sign is worth, by hand: shares, their ratio, its interval, and what chance alone explains."""

from datetime import date, timedelta
from math import exp, log, sqrt

import numpy as np
import pytest

from scoring.postmortem import SIGNALS, PostMortem
from scoring.signs import ANY, Sign, signs

LEFT = date(2026, 9, 1)


def sign(left_with: int, left: int, stayed_with: int, stayed: int) -> Sign:
    return Sign(kind="unused", left=left, left_with=left_with, stayed=stayed, stayed_with=stayed_with)


def test_a_ratio_with_its_interval() -> None:
    one = sign(30, 100, 60, 400)
    assert (one.share_left, one.share_stayed, one.words) == (0.3, 0.15, "nobody had used the product for 28 days")
    error = sqrt(1 / 30 - 1 / 100 + 1 / 60 - 1 / 400)
    assert one.ratio == pytest.approx(2.0)
    assert one.low == pytest.approx(exp(log(2) - 1.959964 * error))
    assert one.high == pytest.approx(exp(log(2) + 1.959964 * error))
    assert (round(one.low or 0, 3), round(one.high or 0, 3)) == (1.368, 2.923)
    assert one.tells


def test_what_nearly_everybody_has_tells_little() -> None:
    one = sign(98, 100, 388, 400)
    assert one.ratio == pytest.approx(0.98 / 0.97)
    assert not one.tells


def test_a_sign_of_who_stays_tells_too() -> None:
    one = sign(5, 100, 200, 400)
    assert one.ratio == pytest.approx(0.1)
    assert one.tells


@pytest.mark.parametrize(
    ("counts", "ratio"),
    [
        ((0, 9, 4, 9), (0.5 / 10) / (4.5 / 10)),
        ((4, 9, 0, 9), (4.5 / 10) / (0.5 / 10)),
        ((9, 9, 9, 9), 1.0),
        ((0, 9, 0, 9), None),
        ((0, 0, 3, 9), None),
        ((3, 9, 0, 0), None),
    ],
)
def test_nobody_and_everybody(counts: tuple[int, int, int, int], ratio: float | None) -> None:
    one = sign(*counts)
    assert one.ratio == (None if ratio is None else pytest.approx(ratio))
    assert (one.low is None) is (one.high is None) is (ratio is None)
    if ratio is None:
        assert not one.tells


def test_chance_alone_tells_in_about_one_of_twenty() -> None:
    random = np.random.default_rng(4)
    told = [sign(int(random.binomial(60, 0.3)), 60, int(random.binomial(200, 0.3)), 200).tells for _ in range(2_000)]
    assert 0.03 < np.mean(told) < 0.07


def gone(notice: int | None, **before: int) -> PostMortem:
    return PostMortem.of(
        customer_id="acme",
        customer_name="Acme",
        segment=None,
        csm_email=None,
        churned_on=LEFT,
        kind="voluntary",
        noticed_on=None if notice is None else LEFT - timedelta(days=notice),
        cards={},
        first_days={kind: LEFT - timedelta(days=days) for kind, days in before.items()},
    )


def test_each_kind_and_any_of_them() -> None:
    found = [
        gone(None, unused=1, band_warning=100),
        gone(30, unused=30, alert_opened=31),  # unused on the day of notice, which is too late
        gone(60, unused=20),
        gone(None),
    ]
    made = signs(found, [["unused"], [], ["unused", "nps_detractor"], [], []])
    assert [one.kind for one in made] == [ANY, *SIGNALS]
    counted = {one.kind: (one.left_with, one.stayed_with) for one in made}
    assert {(one.left, one.stayed) for one in made} == {(4, 5)}
    assert {kind: both for kind, both in counted.items() if any(both)} == {
        ANY: (2, 2),
        "unused": (1, 2),
        "band_warning": (1, 0),
        "alert_opened": (1, 0),
        "nps_detractor": (0, 1),
    }
    assert made[0].words == "any of them"
    assert signs([], [])[0].share_left is None
