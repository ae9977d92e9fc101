"""A model as training keeps it, fitted to random facts within a moment: for tests of what is done with one."""

from datetime import UTC, date, datetime
from functools import cache
from typing import Any

import numpy as np

from hub.store.models import StoredModel
from scoring.churn import ModelPredictor
from scoring.churn_definition import ChurnDefinition
from scoring.contributions import Contributions
from scoring.encoding import Encoding
from scoring.facts import CATALOGUE, FactTable
from scoring.fitting import fit
from scoring.learner import TINY, Rows
from scoring.reasons import medians


@cache
def fitted_predictor() -> ModelPredictor:
    random = np.random.default_rng(0)
    count = 60
    columns: dict[str, list[Any]] = {"customer_id": [f"x{place}" for place in range(count)]}
    for fact in CATALOGUE:
        columns[fact.name] = ["Pro"] * count if fact.kind == "text" else random.normal(5, 2, count).tolist()
    table = FactTable.of(date(2025, 6, 1), columns)
    encoding = Encoding.of([table], texts=("plan",))
    matrix = encoding.matrix(table)
    at = encoding.names.index
    shown = matrix[:, at("tenure_days")] - matrix[:, at("mau")]
    labels = shown > np.median(shown)
    days = np.full(count, table.as_of.toordinal(), dtype=np.int64)
    rows = Rows(encoding.names, encoding.signs, matrix, labels, np.arange(count), days, days + 97)
    fitted = fit(rows, TINY)
    definition = ChurnDefinition()
    return ModelPredictor(
        model_version="fitted",
        horizon="90d",
        confidence="low",
        booster=fitted.booster,
        calibration=fitted.calibration,
        encoding=encoding,
        contributions=Contributions.of(fitted.booster),
        medians=medians(encoding, matrix),
        bands=definition.bands,
        limits=definition.reasons,
    )


def stored_model(version: str, **given: Any) -> StoredModel:
    predictor = fitted_predictor()
    prior = {"rate": 0.1, "low": 0.05, "high": 0.2, "rows": 60, "churned": 6}
    usual: dict[str, Any] = {
        "version": version,
        "kind": "xgboost",
        "horizon": "90d",
        "horizon_days": 90,
        "trained_at": datetime(2026, 5, 1, tzinfo=UTC),
        "trained_on_from": date(2025, 1, 1),
        "trained_on_to": date(2025, 12, 1),
        "features": list(predictor.encoding.names),
        "evaluation": {"later_snapshots": {"roc_auc": {"value": 0.8, "low": 0.7, "high": 0.9}}},
        "parameters": {"prior": prior, "why": "", **predictor.as_json()},
        "artifact": predictor.artifact,
        "role": "candidate",
    }
    return StoredModel(**usual | given)
