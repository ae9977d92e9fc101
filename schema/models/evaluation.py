"""What a churn model was worth on what it had not seen: metrics with their intervals, curves, and the same by segment.

A model keeps two evaluations, on later snapshots and on other customers. Where none could be made, there is none.
"""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

import strawberry

from schema.fields import computed, key

METRICS = ("roc_auc", "pr_auc", "log_loss", "skill", "brier", "calibration_error", "lift")


@strawberry.type(description="A measured value and its 90 % interval.")
class ModelMetric:
    name: str = key(
        description="roc_auc, pr_auc, log_loss, skill, brier, calibration_error, or lift of the riskiest tenth."
    )
    value: float = key()
    low: float = key()
    high: float = key()


@strawberry.type(description="Rows of like probability: what was predicted beside what happened.")
class CalibrationPoint:
    predicted: float = key(description="Mean probability, 0 to 1.")
    observed: float = key(description="Share that left, 0 to 1.")
    low: float = key()
    high: float = key()
    count: int = key()


@strawberry.type(description="Of the share of rows with the highest risk, how many times as many left as of all.")
class LiftPoint:
    share: float = computed(lambda pair: pair[0])
    lift: float = computed(lambda pair: pair[1])


@strawberry.type(
    description="How much a feature moves the log-odds of the model, in the mean over the rows it learned from."
)
class FeatureImportance:
    feature: str = computed(lambda pair: pair[0])
    effect: float = computed(lambda pair: pair[1], description="Mean absolute part of the log-odds.")


@strawberry.type(description="How early customers who left were flagged.")
class EarlyWarning:
    churned: int = key(description="Leavings in the time judged.")
    flagged: float = computed(lambda found: found["share"]["value"], description="Share of them, flagged before.")
    days: float | None = computed(
        lambda found: (found["days"] or {}).get("value"),
        description="Median from the first flag to leaving, of those flagged.",
    )


def _metrics(found: Mapping[str, Any]) -> list[dict[str, Any]]:
    return [{"name": name, **found[name]} for name in METRICS if found.get(name)]


def _segments(found: Mapping[str, Any]) -> list[dict[str, Any]]:
    return [{"segment": name, **one} for name, one in (found.get("segments") or {}).items()]


@strawberry.type(description="The same of the customers of one segment.")
class SegmentEvaluation:
    segment: str = key()
    rows: int = key(description="Customer-days judged.")
    customers: int = key()
    churned: int = key(description="Distinct customers who left.")
    base_rate: float = key(description="Share of the rows that left.")
    metrics: list[ModelMetric] = computed(_metrics)


@strawberry.type(description="What predictions were worth on rows the model had not seen.")
class ModelEvaluation:
    split: str = key(description="later snapshots, or other customers.")
    first_day: date = computed(lambda found: date.fromisoformat(found["first_day"]))
    last_day: date = computed(lambda found: date.fromisoformat(found["last_day"]))
    rows: int = key(description="Customer-days judged.")
    customers: int = key()
    churned: int = key(description="Distinct customers who left.")
    base_rate: float = key(description="Share of the rows that left.")
    metrics: list[ModelMetric] = computed(_metrics)
    calibration: list[CalibrationPoint] = computed(
        lambda found: found.get("calibration") or [], description="From the lowest probabilities up."
    )
    lift_curve: list[LiftPoint] = computed(lambda found: found.get("lift_curve") or [])
    warning: EarlyWarning | None = key()
    segments: list[SegmentEvaluation] = computed(_segments)


def evaluations_of(row: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
    """The evaluations a model was stored with, that on later snapshots first."""
    kept = row["evaluation"]
    return [found for name in ("later_snapshots", "other_customers") if (found := kept.get(name))]


def importance_of(row: Mapping[str, Any]) -> Sequence[tuple[str, float]]:
    """The features the model asks for, the strongest first; none for a prior, or a model from before this was kept."""
    return list((row["evaluation"].get("importance") or {}).items())
