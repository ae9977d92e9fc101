"""What a try on a data set came to: the evaluation, the gate, and both as one line of JSON."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from scoring.appraisal import appraise
from scoring.churn_definition import Gate
from scoring.evaluation import Evaluation, Flags, Integers, evaluate
from scoring.facts import Floats
from scoring.learner import Learner, Rows, learner_for
from scoring.training import too_few

NAMES = {
    "roc_auc": "roc_auc",
    "pr_auc": "pr_auc",
    "log_loss": "log_loss",
    "brier": "brier",
    "calibration_error": "ece15",
    "lift": "lift_10",
    "skill": "skill",
}
"""Metrics as `Evaluation` calls them, and as the line does."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """why_closed: why the gate stays closed; None where it opens. learner: "safe", "tiny" or "prior"."""

    evaluation: Evaluation
    learner: str
    features: int
    why_closed: str | None

    def as_json(self) -> dict[str, Any]:
        """The keys of NAMES with n, positives, churned, base_rate, learner, gate, why and the 90 % intervals."""
        metrics = {name: getattr(self.evaluation, metric) for metric, name in NAMES.items()}
        return {
            **{name: round(estimate.value, 6) for name, estimate in metrics.items()},
            "n": self.evaluation.rows,
            "positives": self.evaluation.positives,
            "customers": self.evaluation.customers,
            "base_rate": round(self.evaluation.base_rate, 6),
            "gate": "open" if self.why_closed is None else "closed",
            "why": self.why_closed,
            "learner": self.learner,
            "features": self.features,
            "split": self.evaluation.split,
            "intervals": {
                name: [round(estimate.low, 6), round(estimate.high, 6)] for name, estimate in metrics.items()
            },
        }


def choose(rows: Rows) -> Learner | None:
    """The pipeline's choice for what `rows` hold; None where they hold too little, and the base rate must do."""
    return learner_for(rows.rarer)


def judge(
    labels: Flags,
    probability: Floats,
    *,
    customers: Integers,
    days: Integers,
    ends: Integers,
    split: str,
    learner: Learner | None,
    learned: Rows,
    features: int,
    gate: Gate,
) -> Verdict:
    """The pipeline's evaluation and gate. learned: the rows learned from."""
    probability = np.asarray(probability, dtype=np.float64)
    found = appraise(
        evaluate(labels, probability, customers=customers, days=days, split=split, bootstraps=gate.bootstraps),
        labels,
        probability,
        customers=customers,
        days=days,
        ends=ends,
        bootstraps=gate.bootstraps,
    )
    why = found.closed_because(gate)
    if learner is None:
        why = too_few(learned)
    return Verdict(evaluation=found, learner=learner.name if learner else "prior", features=features, why_closed=why)
