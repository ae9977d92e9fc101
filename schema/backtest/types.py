"""What a backtest found, as the API shows it. Rates and scores are 0 to 1; intervals hold 90 %."""

from collections.abc import Mapping
from datetime import date
from math import isfinite
from typing import Any

import strawberry

from schema.fields import computed


def _of(name: str, description: str | None = None) -> Any:
    return computed(lambda found: getattr(found, name), description=description)


def _edge(place: int) -> Any:
    """An end of an interval; null where too few were drawn to have one."""
    return computed(lambda row: row[place] if isfinite(row[place]) else None)


@strawberry.type(description="Something measured.")
class BacktestMetric:
    name: str = computed(
        lambda row: row[0],
        description="pr_auc, roc_auc, lift (at 10 %), green_at_churn, warned, warning_lead (days), alerts_per_csm_week, "
        "coverage, withheld.",
    )
    value: float = computed(lambda row: row[1])
    low: float | None = _edge(2)
    high: float | None = _edge(3)


@strawberry.type(description="A metric of what was tried minus that of what is live, on the same customers.")
class BacktestDifference:
    name: str = computed(lambda row: row[0])
    value: float = computed(lambda row: row[1])
    low: float | None = _edge(2)
    high: float | None = _edge(3)
    verdict: str = computed(lambda row: row[4], description="better, worse, or not told apart.")


@strawberry.type(description="Customer-days of a band or of a tenth of all scores, and how many of them left.")
class BacktestRate:
    name: str = _of("name")
    rows: int = _of("rows")
    left: int = _of("left")
    rate: float | None = _of("rate")
    low: float | None = _of("low")
    high: float | None = _of("high")


@strawberry.type
class BacktestPoint:
    x: float = computed(lambda point: point[0])
    y: float = computed(lambda point: point[1])


def metrics_of(judged: Any) -> list[tuple[str, float, float, float]]:
    return [(name, each.value, each.low, each.high) for name, each in judged.metrics.items()]


@strawberry.type(description="What one candidate was worth.")
class BacktestCandidate:
    name: str = computed(lambda row: row[0])
    hashes: list[str] = computed(lambda row: list(row[2]), description="Of the definitions; empty for a condition.")
    metrics: list[BacktestMetric] = computed(lambda row: metrics_of(row[1]))
    bands: list[BacktestRate] = computed(lambda row: list(row[1].bands), description="The worst first.")
    deciles: list[BacktestRate] = computed(lambda row: list(row[1].deciles), description="The lowest scores first.")
    precision_recall: list[BacktestPoint] = computed(
        lambda row: list(row[1].precision_recall), description="x: share of those who left that is found; y: precision."
    )


def candidates_of(judged: Mapping[str, Any], hashes: Mapping[str, Any]) -> list[tuple[str, Any, Any]]:
    return [(name, each, hashes.get(name, ())) for name, each in judged.items()]


@strawberry.type(description="The customers of a segment alone.")
class BacktestSegment:
    name: str = _of("name")
    customers: int = _of("customers")
    churned: int = _of("churned", "Distinct customers who left within the horizon.")
    base_rate: float | None = _of("base_rate")
    candidates: list[BacktestCandidate] = computed(lambda found: candidates_of(found.judged, {}))
    too_few: str | None = _of("too_few", "Why nothing is measured; null where enough left.")


@strawberry.type(description="The past, replayed under what is tried and under what is live.")
class Backtest:
    what: str = _of("what", "definition, playbook, or live: the live definitions alone.")
    first_day: date = _of("first_day")
    last_day: date = _of("last_day")
    days: int = _of("days")
    stored_days: int = _of("stored_days", "Of these, days read from scorecards as they were.")
    horizon: int = _of("horizon", "Days within which leaving counts as foreseen.")
    rows: int = _of("rows", "Customer-days at stake whose outcome is known.")
    customers: int = _of("customers")
    churned: int = _of("churned", "Distinct customers who left within the horizon.")
    base_rate: float | None = _of("base_rate", "Share of the rows; the PR-AUC of chance.")
    candidates: list[BacktestCandidate] = computed(
        lambda found: candidates_of(found.judged, found.hashes), description="What was tried first, then live."
    )
    differences: list[BacktestDifference] = computed(
        lambda found: [(name, e.value, e.low, e.high, e.verdict) for name, e in found.differences.items()]
    )
    segments: list[BacktestSegment] = computed(lambda found: list(found.segments))
    too_few: str | None = _of("too_few", "Why nothing is measured against leaving; null where enough customers left.")
    peeks: list[str] = computed(lambda found: list(found.peeks), description="What knows the future, where allowed.")
    cautions: list[str] = computed(lambda found: list(found.cautions))
