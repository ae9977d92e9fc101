"""How fast churn risk and its reasons are: against XGBoost itself, on one model and one matrix; and with health, all of it.

    python -m bench.churn [--customers 1000000] [--features 40] [--sample 10000]

Run it as a module: as a file, its own name would hide the package. It prints ratios: our prediction over a bare
`inplace_predict` (calibration included), XGBoost's exact `pred_contribs` over ours, the largest difference between the two,
and the time of the top three reasons of everybody.

All of it is health by every measure, churn risk, exact reasons and the top three of them. It may take so many times as long as
a bare prediction as is usual on machines of all kinds: 1.5 times the 4.5 seconds that go with a prediction of 1.6 seconds.
"""

import argparse
from datetime import date

import numpy as np
import xgboost

from bench.health import every_measure, made_table
from bench.stopwatch import best, load, peak_mb, verdict
from scoring.calibration import Calibration
from scoring.contributions import Contributions, strongest
from scoring.fitting import Fitted
from scoring.health import score
from scoring.learner import SAFE, Rows, boost

TRAINED_ON = 50_000
MISSING = 0.05
TOP = 3
PREDICTION_BOUND = 1.3
LEAST_GAIN = 20
CLOSE = 1e-5
ALL_BOUND = 1.5 * 4.5 / 1.6
"""How many times as long as a bare prediction all of it may take."""


def made_rows(n: int, features: int) -> Rows:
    """Customers at random, a twentieth of whose features are missing, and who leave for a few of them."""
    random = np.random.default_rng(1)
    matrix = random.standard_normal((n, features), dtype=np.float32)
    odds = -2 + matrix[:, 0] - matrix[:, 1] * (matrix[:, 2] > 0) + 0.5 * matrix[:, 3:8].sum(axis=1)
    labels = random.random(n) < 1 / (1 + np.exp(-odds))
    matrix[random.random(matrix.shape, dtype=np.float32) < MISSING] = np.nan
    names = [f"f{i}" for i in range(features)]
    return Rows(
        names, [0] * features, matrix, labels, np.arange(n), np.zeros(n, dtype=np.int64), np.zeros(n, dtype=np.int64)
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--customers", type=int, default=1_000_000)
    parser.add_argument("--features", type=int, default=40)
    parser.add_argument("--sample", type=int, default=10_000, help="customers that XGBoost explains")
    options = parser.parse_args()
    n = options.customers
    rows = made_rows(n, options.features)
    matrix = rows.matrix
    booster = (
        xgboost.Booster()
    )  # as one that comes from the registry: it does not know how many threads it was trained with
    booster.load_model(boost(rows.where(np.arange(n) < TRAINED_ON), SAFE).save_raw("ubj"))
    fitted = Fitted(booster, SAFE, Calibration(1.1, -0.1), None)
    print(f"{n:,} customers x {options.features} features, {SAFE.trees} trees of depth {SAFE.parameters['max_depth']}")

    bare, _ = best(lambda: booster.inplace_predict(matrix))
    ours, _ = best(lambda: fitted.probability(matrix))
    print(
        f"predict: xgboost {bare:.2f} s, ours {ours:.2f} s: {ours / bare:.2f} times as long, "
        f"{verdict(ours / bare, PREDICTION_BOUND)}; {n / ours:,.0f} customers/s ({load()})"
    )

    sample = matrix[: options.sample]
    data = xgboost.DMatrix(sample, feature_names=list(rows.names))
    exact, theirs = best(lambda: booster.predict(data, pred_contribs=True), 2)
    tables, contributions = best(lambda: Contributions.of(booster), 1)
    whole, effects = best(lambda: contributions(matrix), 2)
    difference = float(np.abs(effects[: len(sample)] - theirs[:, :-1]).max())
    ratio = (exact / len(sample)) / (whole / n)
    fast = "at least" if ratio >= LEAST_GAIN else "NOT"
    print(
        f"exact reasons: xgboost {len(sample) / exact:,.0f} customers/s, ours {n / whole:,.0f} ({whole:.2f} s for all, tables "
        f"{tables:.2f} s): {ratio:.0f} times as fast, {fast} {LEAST_GAIN}; largest difference {difference:.1e}, "
        f"{verdict(difference, CLOSE)}"
    )
    ranked, _ = best(lambda: strongest(effects, TOP), 2)
    print(f"top {TOP} reasons of all: {ranked:.2f} s, {n / ranked:,.0f} customers/s")
    facts, definition = made_table(n, date(2026, 6, 30)), every_measure()
    healthy, _ = best(lambda: score(facts, definition), 2)
    print(f"health by {len(definition.places)} measures: {healthy:.2f} s, {n / healthy:,.0f} customers/s")
    total = healthy + ours + whole + ranked
    print(
        f"all of it: {total:.2f} s, {verdict(total, ALL_BOUND * bare)} s, which is {ALL_BOUND:.2f} times a bare prediction; "
        f"{n / total:,.0f} customers/s; peak memory {peak_mb():,.0f} MB ({load()})"
    )


if __name__ == "__main__":
    main()
