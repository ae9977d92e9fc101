"""The formulas alone, on the numbers people check them with."""

import math
from datetime import date

import numpy as np
import pytest

from hub.analytics import Month, last_months
from hub.analytics.definitions import DEFINITIONS
from hub.analytics.feedback import bounds, contribution
from hub.analytics.months import Period, periods
from hub.analytics.retention import PARTS, Balances, lifetime_value
from hub.analytics.survival import median_time
from hub.errors import RefusedError


def balances(*pairs: tuple[float, float], before: bool = False) -> Balances:
    start, end = np.array(pairs, dtype=np.float64).T
    return Balances(start, end, np.full(len(pairs), before))


def ratio(name: str, of: Balances) -> float:
    mask, numerator, denominator = PARTS[name](of)
    return math.fsum(numerator[mask]) / math.fsum(denominator[mask])


def test_retention_of_a_cohort() -> None:
    of = balances((100, 120), (100, 70), (100, 0), (0, 50))
    assert ratio("nrr", of) == 190 / 300
    assert ratio("grr", of) == 170 / 300
    assert ratio("logo_retention", of) == 2 / 3
    assert ratio("logo_churn", of) == 1 / 3
    assert ratio("mrr_churn", of) == 100 / 300
    assert ratio("gross_mrr_churn", of) == 130 / 300
    assert ratio("net_mrr_churn", of) == 110 / 300
    assert of.components() == {
        "start": 300, "expansion": 20, "contraction": 30, "churn": 100, "end": 190, "new": 50, "reactivated": 0,
    }  # fmt: skip


def test_gross_retention_is_capped_customer_by_customer() -> None:
    of = balances((100, 150), (100, 60))
    assert ratio("grr", of) == 0.8
    assert ratio("nrr", of) == 1.05


def test_movements_are_disjoint_and_cover_everybody() -> None:
    of = balances((100, 100.004), (100, 101), (100, 99), (100, 0), (0, 1))
    assert list(of.notes) == ["retained", "expanded", "contracted", "churned", "new"]
    assert list(balances((0, 1), before=True).notes) == ["reactivated"]


def test_lifetime_value() -> None:
    assert lifetime_value(100.0, 0.05) == 2000.0
    assert lifetime_value(100.0, 0.0) is None


@pytest.mark.parametrize(
    ("metric", "scale", "scores", "sum_"),
    [
        ("nps", "0-10", [10, 9, 9, 8, 7, 6, 0, 10, 3, 9], 200.0),
        ("csat", "1-5", [5, 4, 3, 2, 1], 2.0),
        ("csat", "0-1", [1, 1, 0], 2.0),
        ("csat", "1-3", [3, 2, 1], 1.0),
        ("csat", "1-4", [4, 3, 2, 1], 2.0),
        ("csat_mean", "1-5", [5, 4, 3], 12.0),
        ("ces", "1-7", [7, 6, 5, 4, 3], 3.0),
        ("ces", "1-5", [5, 4, 3, 2], 2.0),
        ("ces_mean", "1-7", [7, 2], 9.0),
    ],
)
def test_what_answers_add_up_to(metric: str, scale: str, scores: list[float], sum_: float) -> None:
    part = contribution(metric, np.array(scores, dtype=np.float64), scale)
    assert not isinstance(part, str)
    assert part.sum() == sum_


@pytest.mark.parametrize(
    ("metric", "scale", "scores", "words"),
    [
        ("nps", "1-10", [9.0], "NPS is asked on 0-10"),
        ("csat", "stars", [5.0], "no scale"),
        ("csat", "1-5", [7.0], "not on its scale"),
    ],
)
def test_answers_that_do_not_count_say_why(metric: str, scale: str, scores: list[float], words: str) -> None:
    why = contribution(metric, np.array(scores), scale)
    assert isinstance(why, str)
    assert words in why


def test_bounds_of_scales() -> None:
    assert [bounds(scale) for scale in ("0-10", "1-5", "5-1", "5", "")] == [(0, 10), (1, 5), None, None, None]


@pytest.mark.parametrize(
    ("times", "median"),
    [
        ([(1, 1), (2, 0), (3, 1), (4, 1), (5, 0)], 4.0),  # waiting: 4/5, then 4/5 * 2/3, then half of that
        ([(1, 1), (2, 1), (3, 1), (4, 1)], 2.0),
        ([(1, 1), (2, 0), (3, 0), (4, 0)], None),
        ([(5, 0), (5, 1)], 5.0),  # who is watched until day 5 still waits on day 5: one of two
        ([(3, 0), (3, 1), (3, 0)], None),
        ([(0, 1)], 0.0),
        ([], None),
    ],
)
def test_median_with_those_who_are_not_there_yet(times: list[tuple[float, int]], median: float | None) -> None:
    found = np.array(times, dtype=np.float64).reshape(-1, 2)
    assert median_time(found[:, 0], found[:, 1] > 0) == median


def test_the_median_of_those_who_got_there_would_be_too_good() -> None:
    times = np.array([1.0, 2.0, 3.0, *[100.0] * 3])
    reached = np.array([True, True, True, False, False, False])
    assert median_time(times, reached) == 3.0
    assert float(np.median(times[reached])) == 2.0


def test_months() -> None:
    assert Month.parse("2026-02").last == date(2026, 2, 28)
    assert Month(2026, 1).plus(-1) == Month(2025, 12)
    assert Month(2025, 11).to(Month(2026, 2)) == 3
    assert last_months(12, today=date(2026, 11, 22)) == (Month(2025, 11), Month(2026, 10))
    for text in ("2026", "2026-13", "oct 2026", "0000-01"):
        with pytest.raises(RefusedError, match="write it as 2026-10"):
            Month.parse(text)


def test_a_month_that_is_not_over_goes_as_far_as_today() -> None:
    october, november = Month(2026, 10), Month(2026, 11)
    assert periods(october, november, monthly=True, today=date(2026, 11, 22)) == [
        Period(date(2026, 10, 1), date(2026, 10, 31)),
        Period(date(2026, 11, 1), date(2026, 11, 22)),
    ]
    (whole,) = periods(october, november, monthly=False, today=date(2026, 12, 1))
    assert (whole.opening, whole.last, str(whole)) == (date(2026, 9, 30), date(2026, 11, 30), "2026-10 to 2026-11")


def test_a_definition_is_known_by_name_and_basis() -> None:
    known = [(definition.name, definition.basis) for definition in DEFINITIONS]
    assert len(set(known)) == len(known)
    assert {basis for name, basis in known if name == "grr"} == {"cohort", "renewals_due"}
    assert {definition.version for definition in DEFINITIONS} == {1}
