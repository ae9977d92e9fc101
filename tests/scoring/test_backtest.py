"""A backtest's arithmetic by hand: who was green when they left, how long an alarm had stood, what beats what."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from scoring.backtest import NEEDED, SEEN_WITHIN, Ground, Leavings, Replayed, judge
from scoring.outcomes import CHURNED, STAYED, UNUSED

BANDS = ("critical", "warning", "stable", "healthy")


def ground(rows: list[tuple[int, int, bool, int]], leavings: list[tuple[int, int]], **changes: Any) -> Ground:
    """Rows of (customer, day, at stake, outcome), in order; leavings of (customer, day)."""
    customers = 1 + max([customer for customer, *_ in rows])
    return Ground(
        customers=customers,
        customer=np.array([row[0] for row in rows]),
        day=np.array([row[1] for row in rows]),
        at_stake=np.array([row[2] for row in rows]),
        outcome=np.array([row[3] for row in rows], dtype=np.int8),
        left=np.array([customer for customer, _ in leavings], dtype=np.int64),
        left_on=np.array([on for _, on in leavings], dtype=np.int64),
        csms=changes.pop("csms", 1.0),
        weeks=changes.pop("weeks", 1.0),
        lead=changes.pop("lead", 30),
    )


def replayed(scores: list[float | None], **changes: Any) -> Replayed:
    """Bands by the usual bounds."""
    score = np.array([np.nan if each is None else each for each in scores])
    band = np.where(np.isnan(score), -1, np.searchsorted([0.3, 0.5, 0.7], np.nan_to_num(score), side="right"))
    said = Replayed(
        bands=BANDS,
        score=score,
        band=band,
        alarm=(band == 0) | (band == 1),
        coverage=np.ones(len(scores)),
        fired=np.zeros(len(scores), dtype=np.bool_),
    )
    return replace(said, **changes)


def story(days: list[int], scores: list[float | None], *, left_on: int, staked: int = 10_000) -> Leavings:
    """One customer with a score on each of `days`, at stake before `staked`."""
    rows = [(0, day, day < staked, UNUSED) for day in days]
    return Leavings.of(ground(rows, [(0, left_on)]), replayed(scores))


def test_green_is_looked_for_on_the_newest_day_so_long_before() -> None:
    """Left on 100; the newest day at least 30 days before is 70."""
    found = story([40, 70, 71], [0.2, 0.8, 0.1], left_on=100)
    assert (found.seen.tolist(), found.green.tolist()) == ([True], [True])
    found = story([40, 70, 71], [0.9, 0.6, 0.9], left_on=100)
    assert (found.seen.tolist(), found.green.tolist()) == ([True], [False])


def test_a_withheld_score_is_no_green() -> None:
    found = story([40, 70], [0.9, None], left_on=100)
    assert (found.seen.tolist(), found.green.tolist()) == ([True], [False])


def test_who_gave_notice_is_looked_at_before_it() -> None:
    found = story([40, 70], [0.9, 0.1], left_on=100, staked=60)
    assert (found.seen.tolist(), found.green.tolist(), found.lead.tolist()) == ([True], [True], [0.0])


def test_who_was_not_seen_for_long_is_not_counted() -> None:
    oldest = 1000 - 30 - SEEN_WITHIN
    assert story([oldest], [0.9], left_on=1000).seen.tolist() == [True]
    assert story([oldest - 1], [0.9], left_on=1000).seen.tolist() == [False]
    assert story([80], [0.9], left_on=100).seen.tolist() == [False], "not yet a customer so long before"


@pytest.mark.parametrize(
    ("scores", "lead"),
    [
        ([0.4, 0.2, 0.4], 90.0),  # unbroken from day 10 on, whichever alarm it is
        ([0.4, 0.6, 0.4], 30.0),  # a good day breaks it
        ([0.4, None, 0.4], 30.0),  # and so does one without a score
        ([0.4, 0.4, 0.6], 0.0),  # it was over when they left
        ([0.4, 0.4, None], 0.0),
    ],
)
def test_the_lead_is_that_of_the_alarm_that_stood_at_the_end(scores: list[float | None], lead: float) -> None:
    found = story([10, 40, 70], scores, left_on=100)
    assert (found.known.tolist(), found.lead.tolist()) == ([True], [lead])


def test_an_alarm_does_not_begin_with_another_customer() -> None:
    rows = [(0, 10, True, UNUSED), (0, 40, True, UNUSED), (1, 10, True, UNUSED), (1, 40, True, UNUSED)]
    found = Leavings.of(ground(rows, [(1, 60)]), replayed([0.1, 0.1, 0.1, 0.1]))
    assert found.lead.tolist() == [50.0]


def world(seed: int = 0, customers: int = 120) -> tuple[Ground, Replayed, Replayed]:
    """Customers of six days; those who leave have low scores under the first definition, any under the second."""
    random = np.random.default_rng(seed)
    leaves = np.arange(customers) < customers // 4
    rows, sharp, blind = [], [], []
    for customer in range(customers):
        for day in range(0, 180, 30):
            leaving = bool(leaves[customer] and day >= 90)
            rows.append((customer, day, True, CHURNED if leaving else STAYED))
            sharp.append(float(np.clip((0.25 if leaving else 0.7) + random.normal(0, 0.1), 0, 1)))
            blind.append(float(random.random()))
    leavings = [(customer, 180) for customer in np.flatnonzero(leaves).tolist()]
    return ground(rows, leavings), replayed(sharp), replayed(blind)


def test_the_better_of_two_is_told_apart() -> None:
    past, sharp, blind = world()
    judged, differences = judge(past, {"tried": sharp, "live": blind}, bootstraps=100)
    tried = judged["tried"].metrics
    assert tried["roc_auc"].value > 0.95
    assert tried["pr_auc"].low <= tried["pr_auc"].value <= tried["pr_auc"].high
    assert tried["green_at_churn"].value < 0.1 < judged["live"].metrics["green_at_churn"].value
    verdicts = {name: each.verdict for name, each in differences.items()}
    assert verdicts["pr_auc"] == verdicts["lift"] == verdicts["green_at_churn"] == verdicts["warning_lead"] == "better"
    assert verdicts["coverage"] == "not told apart"
    _, turned = judge(past, {"tried": blind, "live": sharp}, bootstraps=100)
    assert {name: each.verdict for name, each in turned.items()}["green_at_churn"] == "worse"
    assert turned["pr_auc"].value == -differences["pr_auc"].value


def test_a_definition_is_not_told_apart_from_itself() -> None:
    past, sharp, _ = world()
    _, differences = judge(past, {"tried": sharp, "live": sharp}, bootstraps=20)
    assert {each.verdict for each in differences.values()} == {"not told apart"}
    assert {each.value for each in differences.values()} == {0.0}


def test_the_same_question_has_the_same_answer() -> None:
    past, sharp, blind = world()
    assert judge(past, {"a": sharp, "b": blind}, bootstraps=10) == judge(past, {"a": sharp, "b": blind}, bootstraps=10)


def test_withholding_scores_never_makes_a_ranking_better() -> None:
    past, sharp, _ = world()
    hidden = np.where(past.outcome == CHURNED, np.nan, sharp.score)
    judged, _ = judge(past, {"tried": replace(sharp, score=hidden)}, bootstraps=0)
    metrics = judged["tried"].metrics
    assert metrics["roc_auc"].value == 0.0
    assert metrics["lift"].value == 0.0
    assert metrics["withheld"].value == pytest.approx((past.outcome == CHURNED).mean())


def test_alerts_are_counted_by_csm_and_week() -> None:
    past, sharp, _ = world()
    fired = np.zeros(len(past.customer), dtype=np.bool_)
    fired[:30] = True
    judged, _ = judge(replace(past, csms=3.0, weeks=5.0), {"tried": replace(sharp, fired=fired)}, bootstraps=0)
    assert judged["tried"].metrics["alerts_per_csm_week"].value == 30 / 3 / 5


def test_rows_after_notice_and_days_whose_horizon_is_open_are_not_judged() -> None:
    past, sharp, _ = world()
    at_stake, outcome = past.at_stake.copy(), past.outcome.copy()
    at_stake[0], outcome[1] = False, UNUSED
    judged, _ = judge(replace(past, at_stake=at_stake, outcome=outcome), {"tried": sharp}, bootstraps=0)
    assert sum(rate.rows for rate in judged["tried"].bands) == len(past.customer) - 2


def test_bands_and_deciles_hold_everybody_who_has_a_score() -> None:
    past, sharp, _ = world()
    score = sharp.score.copy()
    score[:7] = np.nan
    judged, _ = judge(past, {"tried": replayed(score.tolist())}, bootstraps=0)
    found = judged["tried"]
    assert [rate.name for rate in found.bands] == ["critical", "warning", "stable", "healthy", "no score"]
    assert found.bands[-1].rows == 7
    assert sum(rate.left for rate in found.bands) == int((past.outcome == CHURNED).sum())
    assert [rate.name for rate in found.deciles] == [str(n) for n in range(1, 11)]
    assert sum(rate.rows for rate in found.deciles) == len(score) - 7
    assert (found.deciles[0].rate or 0) > 0.9 > 0.05 > (found.deciles[-1].rate or 0)


def test_with_too_few_who_left_nothing_is_measured_against_leaving() -> None:
    past, sharp, _ = world(customers=4 * (NEEDED - 1))
    judged, _ = judge(past, {"tried": sharp}, bootstraps=5)
    assert past.churned == NEEDED - 1
    assert set(judged["tried"].metrics) == {"alerts_per_csm_week", "coverage", "withheld"}
    assert sum(rate.rows for rate in judged["tried"].bands) == len(past.customer), "what can be said is said"


def test_a_part_of_the_customers_is_judged_alone() -> None:
    past, sharp, _ = world()
    chosen = np.arange(past.customers) % 2 == 0
    part, rows = past.only(chosen)
    assert rows.sum() == len(part.customer) == len(past.customer) // 2
    assert part.churned == 15
    assert len(part.left) == 15
    assert len(sharp.only(rows).score) == rows.sum()
