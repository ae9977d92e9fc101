"""Splits do not leak, learning is deterministic and monotone, the gate keeps its word, and few labels make no model."""

from dataclasses import replace
from datetime import date, timedelta

import numpy as np
import pytest

from scoring.calibration import DRIFT, Calibration, level, platt
from scoring.churn import PriorRate
from scoring.churn_definition import ChurnDefinition
from scoring.fitting import fit, out_of_fold
from scoring.learner import HALF_LIFE_DAYS, SAFE, SEED, TINY, Rows, boost, data_of, learner_for, margins, settings
from scoring.outcomes import CHURNED, NEVER, STAYED, UNUSED, Churns, outcomes, window
from scoring.splits import folds_of, split_by_time
from scoring.training import prior_rate, snapshot_days, train, version_of

DEFINITION = ChurnDefinition()
DAY = date(2026, 1, 1)
AHEAD = 97  # the lead and the primary horizon
MONTHS = [date(2025, month, 1).toordinal() for month in range(1, 13)]


def made(customers: int, *, seed: int = 0, signal: float = 2.0, base: float = -2.5, months: list[int] = MONTHS) -> Rows:
    """Customers with a hidden mood that the first column shows with noise and the second shows not at all."""
    random = np.random.default_rng(seed)
    mood = random.normal(size=customers)
    leaves = random.random((len(months), customers)) < 1 / (1 + np.exp(-(base - signal * mood)))
    n = len(months) * customers
    seen = np.tile(mood, len(months)) + random.normal(size=n) / 3
    matrix = np.column_stack([seen, random.normal(size=n)]).astype(np.float32)
    matrix[random.random(matrix.shape) < 0.05] = np.nan
    return Rows(
        ("use", "noise"),
        (-1, 0),
        matrix,
        leaves.ravel(),
        np.tile(np.arange(customers), len(months)),
        np.repeat(np.array(months), customers),
        np.repeat(np.array(months), customers) + AHEAD,
    )


def read_outcomes(
    customers: list[str], churns: Churns, horizon: str = "90d", *, due: float = np.nan, involuntary: bool = True
) -> dict[str, int]:
    first, last = window(np.full(len(customers), due), DAY, horizon, DEFINITION)
    verdicts = outcomes(customers, DAY, churns, first=first, last=last, count_involuntary=involuntary)
    return dict(zip(customers, verdicts.tolist(), strict=True))


def test_snapshots_are_month_starts() -> None:
    newest = date(2025, 8, 26)
    days = snapshot_days(first=date(2025, 3, 2), until=newest, months=24)
    assert days == [date(2025, month, 1) for month in (4, 5, 6, 7, 8)]
    assert snapshot_days(first=date(2025, 3, 2), until=date(2025, 9, 1), months=24)[-1] == date(2025, 9, 1)
    assert snapshot_days(first=date(2020, 1, 1), until=newest, months=3) == days[-3:]
    assert snapshot_days(first=date(2025, 12, 1), until=newest, months=24) == []


def test_outcomes_of_a_day() -> None:
    left = {"at-lead": 7, "after-lead": 8, "last-day": 97, "too-late": 98, "earlier": -5, "unpaid": 40}
    churns = Churns.of(
        [*left, "earlier"],
        [DAY + timedelta(days=days) for days in [*left.values(), 50]],
        [name == "unpaid" for name in [*left, "earlier"]],
    )
    customers = sorted([*left, "stays"])
    assert read_outcomes(customers, churns) == {
        "at-lead": UNUSED,
        "after-lead": CHURNED,
        "last-day": CHURNED,
        "too-late": STAYED,
        "earlier": CHURNED,  # left before, came back and left again
        "unpaid": CHURNED,
        "stays": STAYED,
    }
    assert read_outcomes(["stays", "unpaid"], churns, involuntary=False) == {"stays": STAYED, "unpaid": UNUSED}
    assert read_outcomes(["stays"], Churns.of([], [], [])) == {"stays": STAYED}
    shorter = read_outcomes(customers, churns, "30d")
    assert [name for name, verdict in shorter.items() if verdict == CHURNED] == ["after-lead"]
    assert churns.next(["earlier", "stays", "at-lead"], DAY).tolist() == [
        (DAY + timedelta(days=50)).toordinal(),
        NEVER,
        (DAY + timedelta(days=7)).toordinal(),
    ]


def test_who_leaves_by_the_renewal() -> None:
    left = {"at-once": 1, "when-due": 20, "unpaid-then": 34, "the-one-after": 35}
    churns = Churns.of(list(left), [DAY + timedelta(days=days) for days in left.values()], [False] * 4)
    assert read_outcomes([*left, "stays"], churns, "renewal", due=20) == {
        "at-once": CHURNED,  # everybody knows the day: there is no lead
        "when-due": CHURNED,
        "unpaid-then": CHURNED,  # a payment that failed ended the term 14 days late
        "the-one-after": STAYED,
        "stays": STAYED,
    }
    for due in (np.nan, 0, -3, 401):  # nothing falls due, or too far off for anybody to know
        assert set(read_outcomes([*left, "stays"], churns, "renewal", due=due).values()) == {UNUSED}


def test_the_split_leaves_a_gap_that_no_label_reaches_across() -> None:
    days = np.array(MONTHS)
    split = split_by_time(days, days + AHEAD, test_share=0.25)
    assert split is not None
    earlier, later = split
    assert [date.fromordinal(day).month for day in days[later]] == [10, 11, 12]
    assert [date.fromordinal(day).month for day in days[earlier]] == [1, 2, 3, 4, 5, 6]  # 1 July + 97 is 6 October
    assert days[earlier].max() + 97 <= days[later].min()
    assert split_by_time(days[:4], days[:4] + AHEAD, test_share=0.25) is None
    assert split_by_time(days[:1], days[:1], test_share=0.25) is None


def test_a_row_is_learned_from_by_where_its_own_label_ends() -> None:
    """Renewals fall due on different days: of one snapshot some rows are old enough, and some are not."""
    days = np.array(MONTHS)
    ends = days + np.where(np.arange(12) % 2, 300, 20)
    split = split_by_time(days, ends, test_share=0.25)
    assert split is not None
    assert [date.fromordinal(day).month for day in days[split[0]]] == [1, 3, 5, 7, 9]


def test_later_labels_do_not_reach_the_model_that_is_judged() -> None:
    """Turning every label in the gap around changes nothing of the evaluation."""
    rows = made(150)
    gap = np.isin(rows.days, MONTHS[6:9])
    turned = replace(rows, labels=np.where(gap, ~rows.labels, rows.labels))
    assert learner_for(rows.churned) == learner_for(turned.churned) == TINY
    assert train(turned, DEFINITION, "90d").evaluation == train(rows, DEFINITION, "90d").evaluation


@pytest.mark.parametrize(
    ("churned", "name"), [(0, None), (19, None), (20, "tiny"), (199, "tiny"), (200, "safe"), (5_000, "safe")]
)
def test_the_learner_hangs_on_how_many_customers_left(churned: int, name: str | None) -> None:
    learner = learner_for(churned)
    assert (learner.name if learner else None) == name


def test_parameters_are_fixed_and_never_reweight() -> None:
    told = settings(SAFE, (-1, 0), 10_000)
    assert (told["max_depth"], told["learning_rate"], SAFE.trees, told["seed"], told["nthread"]) == (
        3,
        0.03,
        300,
        SEED,
        1,
    )
    assert told["monotone_constraints"] == "(-1,0)"
    assert not {"scale_pos_weight", "sample_weight"} & told.keys()
    free = settings(TINY, (0,), 10)
    assert free["max_depth"] == 2
    assert "monotone_constraints" not in free  # they would cost time and constrain nothing
    assert settings(SAFE, (-1,) * 501, 10)["max_bin"] == 64


def test_the_same_rows_make_the_same_bytes() -> None:
    rows = made(200)
    again = replace(rows, matrix=rows.matrix.copy())
    assert bytes(boost(rows, SAFE).save_raw("ubj")) == bytes(boost(again, SAFE).save_raw("ubj"))
    first, second = fit(rows, TINY), fit(again, TINY)
    assert first.calibration == second.calibration
    assert first.held_out is not None
    assert np.array_equal(first.held_out, second.held_out)  # type: ignore[arg-type] # both are there, or this fails


def test_more_use_never_raises_the_risk() -> None:
    rows = made(300, signal=-1.0)  # the data say the opposite
    grid = np.column_stack([np.linspace(-4, 4, 200), np.zeros(200)]).astype(np.float32)
    assert (np.diff(margins(boost(rows, SAFE), grid)) <= 1e-6).all()
    free = replace(rows, signs=(0, 0))
    assert np.diff(margins(boost(free, SAFE), grid)).max() > 0.01


def test_held_out_predictions_come_from_other_customers() -> None:
    """A column that is the customer's own answer is worth nothing, but for chance, on customers who were not seen."""
    spreads = []
    for seed in range(8):
        answers = np.random.default_rng(seed).random(200) < 0.3
        customers = np.tile(np.arange(200), 6)
        matrix = customers[:, None].astype(np.float32)
        rows = Rows(("who",), (0,), matrix, answers[customers], customers, *np.repeat([np.arange(6)] * 2, 200, axis=1))
        held = out_of_fold(rows, SAFE)
        assert held is not None
        seen = margins(boost(rows, SAFE), matrix)
        spreads.append([margin[rows.labels].mean() - margin[~rows.labels].mean() for margin in (seen, held)])
    assert min(seen for seen, _ in spreads) > 0.3
    assert abs(np.mean([held for _, held in spreads])) < 0.1


def test_folds_part_whole_customers_and_those_who_left_evenly() -> None:
    rows = made(103)
    folds = folds_of(rows.labels, rows.customers, count=4, seed=0)
    of = [np.unique(folds[rows.customers == who]) for who in range(103)]
    assert all(len(one) == 1 for one in of)
    left = np.isin(np.arange(103), rows.customers[rows.labels])
    for kind in (left, ~left):
        counts = np.bincount(np.concatenate(of)[kind], minlength=4)
        assert counts.max() - counts.min() <= 1
    assert not np.array_equal(folds, folds_of(rows.labels, rows.customers, count=4, seed=1))


def test_where_there_are_many_cells_two_folds_are_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = made(60)
    whole = out_of_fold(rows, TINY)
    monkeypatch.setattr("scoring.learner.MANY_CELLS", rows.matrix.size)
    assert np.array_equal(whole, out_of_fold(rows, TINY))  # type: ignore[arg-type] # both are there, or this fails
    monkeypatch.setattr("scoring.learner.MANY_CELLS", rows.matrix.size - 1)
    first = folds_of(rows.labels, rows.customers, count=2, seed=SEED) == 0
    held = out_of_fold(rows, TINY)
    assert held is not None
    assert np.array_equal(held[first], margins(boost(rows.where(~first), TINY), rows.matrix[first]))


def test_where_nearly_everybody_left_those_who_stayed_are_too_few() -> None:
    rows = made(150)
    labels = rows.customers >= 19
    trained = train(replace(rows, labels=labels), DEFINITION, "90d")
    assert trained.why_not == "19 customers have stayed so far, and 20 are needed to learn from"
    assert out_of_fold(replace(rows, labels=rows.customers >= 4), TINY) is None


def test_platt_finds_the_line_that_made_the_labels() -> None:
    random = np.random.default_rng(2)
    margin = random.normal(size=50_000)
    labels = random.random(50_000) < 1 / (1 + np.exp(-(1.5 * margin - 0.5)))
    found = platt(margin, labels, known=False)
    assert (found.slope, found.intercept) == pytest.approx((1.5, -0.5), abs=0.06)
    assert platt(margin, labels, known=True) == found
    # too sure of itself: all the way back on strangers, half-way where customers are known
    strangers, known = platt(3 * margin, labels, known=False), platt(3 * margin, labels, known=True)
    assert (strangers.slope, strangers.intercept) == pytest.approx((0.5, -0.5), abs=0.03)
    assert (known.slope, known.intercept) == pytest.approx(((1 + strangers.slope) / 2, strangers.intercept / 2))


def test_a_model_that_tells_strangers_nothing_gives_nearly_everybody_their_rate_and_keeps_its_order() -> None:
    random = np.random.default_rng(2)
    margin = random.normal(size=5_000) * 3 - 2
    labels = random.random(5_000) < 1 / (1 + np.exp(1 + 0.3 * margin))  # the higher, the fewer leave
    found = platt(margin, labels, known=False)
    assert found.slope == 0.01
    probability = found.probability(margin)
    assert probability.mean() == pytest.approx(labels.mean(), abs=1e-9)
    assert np.ptp(probability) < 0.06
    assert (np.diff(probability[np.argsort(margin)]) >= 0).all()
    half = platt(margin, labels, known=True)
    assert (half.slope, half.intercept) == pytest.approx((0.505, found.intercept / 2))


def test_calibration_maths() -> None:
    read = Calibration(2.0, -1.0).probability(np.array([0.0, 0.5, 1.0]))
    assert read == pytest.approx([0.2689414, 0.5, 0.7310586])
    assert Calibration().probability(np.array([0.0]))[0] == 0.5


def test_the_level_is_the_newest_days_as_far_as_it_is_known() -> None:
    """What the newest snapshot shows counts by how many it is of; the belief that rates drift little does the rest."""
    random = np.random.default_rng(3)

    def shift(count: int) -> float:
        margin = random.normal(size=2 * count) - 1
        days = np.repeat([1, 2], count)
        labels = random.random(2 * count) < 1 / (1 + np.exp(-(margin + 0.3 * (days == 2))))
        return level(Calibration(), margin, labels, days).intercept

    assert shift(200_000) == pytest.approx(0.3, abs=0.03)
    assert 0.0 < shift(600) < 0.27
    assert abs(shift(3)) < 0.03
    margin, labels = random.normal(size=50), random.random(50) < 0.5
    assert level(Calibration(1.1, 0.2), margin, labels, np.zeros(50, dtype=np.int64)) == Calibration(1.1, 0.2)
    # sum(labels - p) = d / DRIFT ** 2, by hand: one customer at even odds who left
    found = level(Calibration(), np.zeros(2), np.array([True, True]), np.array([1, 2])).intercept
    assert 1 - 1 / (1 + np.exp(-found)) == pytest.approx(found / DRIFT**2)


def test_a_row_a_year_older_counts_half() -> None:
    rows = made(10, months=[1, 1 + HALF_LIFE_DAYS])
    assert data_of(rows).get_weight().tolist() == pytest.approx([0.5] * 10 + [1.0] * 10)
    assert data_of(rows.where(rows.days == 1)).get_weight().size == 0  # of one age: nothing to weigh


def test_below_fifty_churned_nothing_is_calibrated() -> None:
    rows = made(60, base=-3.0)
    assert 20 <= rows.churned < 50
    assert fit(rows, TINY).calibration == Calibration()


def test_a_signal_opens_the_gate() -> None:
    rows = made(300, base=-2.0)
    trained = train(rows, DEFINITION, "90d")
    assert trained.churned == rows.churned >= 200
    assert trained.why_not is None
    assert trained.fitted is not None
    assert (trained.fitted.learner, trained.confidence) == (SAFE, "normal")
    assert trained.evaluation is not None
    assert trained.evaluation.first_day == date(2025, 10, 1)
    assert trained.evaluation.roc_auc.low > 0.75
    assert trained.by_customer is not None
    assert trained.by_customer.rows == len(rows)


def test_few_churned_customers_are_said_to_be_few() -> None:
    trained = train(made(150, base=-6.0, signal=2.5), DEFINITION, "90d")
    assert 20 <= trained.churned < 50
    assert trained.fitted is not None
    assert (trained.fitted.learner, trained.confidence) == (TINY, "low")


def test_random_labels_leave_the_gate_closed() -> None:
    for seed in range(2):
        trained = train(made(300, seed=seed, signal=0.0, base=-2.0), DEFINITION, "90d")
        assert trained.churned >= 200
        assert (trained.fitted, trained.confidence) == (None, "prior")
        assert trained.evaluation is not None
        assert str(trained.why_not).startswith("the model is not shown to beat the base rate: skill over the base rate")


def test_with_19_customers_who_left_there_is_no_model_at_any_strength_of_signal() -> None:
    rows = made(200, signal=0.0, base=-30.0)
    labels = rows.labels.copy()
    labels[np.isin(rows.customers, np.arange(19)) & (rows.days == MONTHS[0])] = True
    trained = train(replace(rows, labels=labels), DEFINITION, "90d")
    assert (trained.fitted, trained.evaluation, trained.confidence) == (None, None, "prior")
    assert trained.why_not == "19 customers have left so far, and 20 are needed to learn from"


def test_a_short_history_cannot_be_judged() -> None:
    trained = train(made(300, months=MONTHS[:4]), DEFINITION, "90d")
    assert trained.fitted is None
    assert trained.why_not == (
        "the history is too short to judge a model on snapshots 97 days later than those it learned from"
    )


def test_the_prior_counts_no_span_of_a_customer_twice() -> None:
    rows = made(100)
    # the newest day is 1 December; at least 90 days before it: 1 September, then 1 June, then 1 March
    chosen = np.isin(rows.days, [MONTHS[month - 1] for month in (12, 9, 6, 3)])
    prior = prior_rate(rows, DEFINITION, "90d")
    assert (prior.rows, prior.churned) == (400, int(rows.labels[chosen].sum()))
    assert prior == PriorRate.of(churned=prior.churned, rows=400, days=90, definition=DEFINITION)


def test_nothing_at_all_is_a_prior_too() -> None:
    rows = made(2).where(np.zeros(24, dtype=np.bool_))
    trained = train(rows, DEFINITION, "90d")
    assert trained.why_not == "0 customers have left so far, and 20 are needed to learn from"
    assert (trained.prior.rows, trained.prior.rate) == (0, pytest.approx(DEFINITION.believed(90)))
    assert version_of(rows, [], DEFINITION, "90d", kind="prior").startswith("prior-90d-untrained-")


def test_a_version_names_its_data_and_nothing_else() -> None:
    rows, names = made(50), [f"c{n}" for n in range(50)]
    version = version_of(rows, names, DEFINITION, "90d", kind="xgb")
    assert version.startswith("xgb-90d-2025-12-01-")
    assert len(version) == len("xgb-90d-2025-12-01-") + 8
    assert version_of(replace(rows, matrix=rows.matrix.copy()), names, DEFINITION, "90d", kind="xgb") == version
    bands = DEFINITION.model_copy(update={"bands": DEFINITION.bands.model_copy(update={"high": 0.8})})
    assert version_of(rows, names, bands, "90d", kind="xgb") == version  # how it is shown is not what it is
    labels = rows.labels.copy()
    labels[0] = ~labels[0]
    others = [
        version_of(replace(rows, labels=labels), names, DEFINITION, "90d", kind="xgb"),
        version_of(rows, [*names[1:], "x"], DEFINITION, "90d", kind="xgb"),
        version_of(rows, names, DEFINITION.model_copy(update={"lead_days": 14}), "90d", kind="xgb"),
    ]
    assert len({version, *others}) == 4
