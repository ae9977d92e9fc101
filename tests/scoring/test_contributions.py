"""Contributions from tables against XGBoost's own, over trees at random, with missing values and values on thresholds."""

import numpy as np
import pytest
import xgboost

from scoring import chunks, contributions
from scoring.contributions import Contributions, strongest
from scoring.learner import Matrix


def trained(random: np.random.Generator, *, rows: int, features: int, missing: float) -> tuple[xgboost.Booster, Matrix]:
    """A booster with parameters at random, on a matrix of coarse values: many of them lie exactly on a threshold."""
    matrix = random.integers(-4, 5, (rows, features)).astype(np.float32) / np.float32(random.choice([1, 3, 1e-3]))
    holes = random.random(matrix.shape) < missing
    odds = np.nan_to_num(matrix[:, 0] * 0.5 - matrix[:, -1] * (matrix[:, 1] > 0)) + 2 * holes[:, 0]
    matrix[holes] = np.nan
    labels = random.random(rows) < 1 / (1 + np.exp(-np.clip(odds, -4, 4)))
    parameters = {
        "objective": "binary:logistic",
        "tree_method": "hist",
        "max_depth": int(random.integers(1, 4)),
        "learning_rate": float(random.uniform(0.02, 0.8)),
        "min_child_weight": float(random.choice([0, 1, 5])),
        "reg_lambda": float(random.choice([0.1, 1, 20])),
        "subsample": float(random.uniform(0.5, 1)),
        "colsample_bytree": float(random.uniform(0.4, 1)),
        "gamma": float(random.choice([0, 1, 5])),
        "base_score": float(random.uniform(0.05, 0.95)),
        "seed": int(random.integers(1000)),
        "nthread": 1,
    }
    return xgboost.train(parameters, xgboost.DMatrix(matrix, label=labels), int(random.integers(1, 40))), matrix


@pytest.mark.parametrize("seed", range(30))
def test_they_are_those_of_xgboost_whatever_the_trees(seed: int) -> None:
    random = np.random.default_rng(seed)
    missing = float(random.choice([0, 0.05, 0.5, 0.95]))
    booster, matrix = trained(
        random, rows=int(random.integers(20, 600)), features=int(random.integers(2, 12)), missing=missing
    )
    unseen = random.permuted(matrix, axis=0)
    unseen[0] = np.nan
    theirs = booster.predict(xgboost.DMatrix(unseen), pred_contribs=True)
    made = Contributions.of(booster)
    ours = made(unseen)
    np.testing.assert_allclose(ours, theirs[:, :-1], rtol=0, atol=1e-5)
    assert made.bias == pytest.approx(float(theirs[0, -1]), abs=1e-5)
    margin = booster.predict(xgboost.DMatrix(unseen), output_margin=True)
    np.testing.assert_allclose(ours.sum(axis=1) + made.bias, margin, rtol=0, atol=1e-4)


def test_chunks_and_threads_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    booster, matrix = trained(np.random.default_rng(0), rows=500, features=6, missing=0.2)
    made = Contributions.of(booster)
    whole = made(matrix)
    assert np.abs(whole).max() > 0.1
    monkeypatch.setattr(contributions, "CHUNK", 64)
    for threads in (1, 3):
        monkeypatch.setattr(chunks, "THREADS", threads)
        assert made(matrix).tobytes() == whole.tobytes()
    assert made(matrix[:0]).shape == (0, 6)


def test_the_strongest_are_ordered_and_of_equal_ones_the_first_is_taken() -> None:
    effects = np.array([[0.1, 0.5, 0.5, -1], [0, 0, 0, 0], [-3, -1, -2, -4]], dtype=np.float32)
    before = effects.copy()
    assert strongest(effects, 3).tolist() == [[1, 2, 0], [0, 1, 2], [1, 2, 0]]
    assert strongest(effects, 9).shape == (3, 4)
    assert strongest(effects[:0], 2).shape == (0, 2)
    np.testing.assert_array_equal(effects, before)
    random = np.random.default_rng(0).normal(size=(200, 17)).astype(np.float32)
    np.testing.assert_array_equal(strongest(random, 5), np.argsort(-random, axis=1, kind="stable")[:, :5])
