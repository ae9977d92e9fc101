"""Health and churn risk of a customer, with what they are made of, and the models behind them."""

from datetime import date, datetime
from typing import Any

import strawberry
from strawberry.scalars import JSON

from schema.enums import Band, ChurnBand
from schema.fields import column, computed, key
from schema.nodes import Node


@strawberry.type(description="What one measure of health said, and what it weighed.")
class Reading:
    measure: str = key()
    group: str | None = key()
    input: float | None = key(description="What it read, in `unit`.")
    unit: str | None = key()
    value: float | None = key(description="0 to 1, higher is healthier; null where it is missing.")
    weight: float | None = key(description="Its share of the score.")
    contribution: float | None = key(description="weight * value; all of them add up to the score.")
    missing: str | None = key(description="The policy that was applied for want of data; null where there was some.")
    last: float | None = key(description="The last reading known, where its source is not alive now.")
    reason: str | None = key(description="In words.")


def _readings(prefix: str) -> Any:
    return column(f"{prefix}readings", "The measures it is made of.")


@strawberry.type(description="Health of a customer. Higher is healthier.")
class Health:
    score: float | None = column("score_health", "0 to 1; null below the coverage floor, with a reason.")
    band: Band | None = column("score_band")
    previous_band: Band | None = column("score_previous_band", "Band of the scorecard before.")
    coverage: float = column("score_coverage", "Share of the weight that is backed by live data.")
    reason: str | None = column("score_reason", "Why there is no score, or why the band is lower than the score's.")
    change_30d: float | None = column("number:health_change_30d", "Against the newest score 30 to 45 days before.")
    as_of: date = column("score_as_of", "The day it speaks of.")
    computed_at: datetime = column("score_computed_at")
    readings: list[Reading] = _readings("score_")


@strawberry.type(description="Why a churn probability is what it is.")
class ChurnReason:
    code: str = key()
    text: str = key()
    feature: str | None = key()
    value: JSON | None = key()
    effect: float | None = key(description="In log-odds; above zero raises the risk.")
    direction: str | None = key()


@strawberry.type(description="Calibrated probability that a customer leaves within a horizon.")
class ChurnRisk:
    probability: float = column(description="0 to 1, within `horizonDays`.")
    annualised: float = column(description="0 to 1, within a year at the same rate.")
    band: ChurnBand = column()
    horizon_days: int = column()
    model_version: str = column()
    confidence: str = column(description="normal, low, or prior: the base rate of everybody, for want of a model.")
    as_of: date = column()
    reasons: list[ChurnReason] = column(description="The strongest first.")


@strawberry.type(description="Health and churn risk of a customer on a day.")
class Scorecard(Node):
    as_of: date = column()
    health: float | None = column(description="0 to 1.")
    band: Band | None = column()
    previous_band: Band | None = column()
    coverage: float = column()
    reason: str | None = column()
    churn_probability: float | None = column("churn_risk", "0 to 1, within the model's horizon.")
    churn_annualised: float | None = column()
    churn_band: ChurnBand | None = column()
    facts: JSON = column(description="Every fact of the day.")
    readings: list[Reading] = _readings("")
    definition_hash: str = column(description="Tells one definition of health from another.")
    computed_at: datetime = column()


@strawberry.type(description="A model of churn. The champion is the one whose predictions count.")
class ChurnModel:
    version: str = column()
    kind: str = column(description="xgboost, or prior: the base rate, for want of data to learn from.")
    horizon: str = column(description="30d, 60d, 90d or renewal.")
    horizon_days: int | None = column(description="Null for the renewal.")
    trained_at: datetime = column()
    trained_on_from: date | None = column()
    trained_on_to: date | None = column()
    role: str = column(description="champion, challenger, candidate or retired.")
    champion: bool = computed(lambda row: row["role"] == "champion", "role")
    promoted_at: datetime | None = column(description="When it last became the champion.")
    features: list[str] = column()
    evaluation: JSON = column(description="How well it predicted what it had not seen.")
    parameters: JSON = column()
    feature_count: int = computed(lambda row: len(row["features"]), "features")
