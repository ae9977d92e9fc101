"""Health and churn risk of a customer, with what they are made of, and the models behind them."""

from datetime import date, datetime
from typing import Any

import strawberry
from strawberry.scalars import JSON

from hub.store.query import Order
from schema.enums import Band, ChurnBand
from schema.fields import column, computed, key, one
from schema.nodes import Node, global_id
from schema.scores.judgement import HealthOverride
from schema.scores.models import ChurnModel


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
    score: float | None = column(
        "score_health", "In force, an override included; 0 to 1; null below the coverage floor, with a reason."
    )
    band: Band | None = column("score_band")
    computed_score: float | None = column("score_computed_health", "What the definition makes of the facts.")
    computed_band: Band | None = column("score_computed_band")
    override: HealthOverride | None = one(
        "health_override",
        key="id",
        parent="score_override_id",
        unique=True,
        description="The one that makes `score` another than `computedScore`.",
    )
    definition: str = column("score_definition", "Name of the definition that speaks of this customer.")
    previous_band: Band | None = column("score_previous_band", "Band of the scorecard before.")
    coverage: float = column("score_coverage", "Share of the weight that is backed by live data.")
    reason: str | None = column(
        "score_reason", "Why there is no score, why the band is lower than the score's, or who overrides it."
    )
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


@strawberry.type(
    description="Calibrated probability that a customer leaves within a horizon. Who has given notice has none: see `band`."
)
class ChurnRisk:
    probability: float | None = column(description="0 to 1, within the horizon; null of who has given notice.")
    annualised: float | None = column(description="0 to 1, within a year at the same rate; null likewise.")
    band: ChurnBand = column()
    horizon: str = column(description="30d, 60d, 90d or renewal.")
    horizon_days: int | None = column(description="Null for the renewal.")
    model_version: str = column()
    confidence: str = column(
        description="normal, low, prior: the base rate of everybody, for want of a model; or noticed: no prediction is needed."
    )
    as_of: date = column()
    reasons: list[ChurnReason] = column(description="The strongest first.")
    model: ChurnModel = one(
        "churn_model",
        key="version",
        parent="model_version",
        order=Order("version"),
        unique=True,
        description="Where the numbers come from.",
    )


@strawberry.type(description="What another definition, read beside the main one, says of a customer.")
class ExtraScorecard:
    name: str = column(description="Of its file in config/health/.")
    score: float | None = column("health", "0 to 1; null below the coverage floor, with a reason.")
    band: Band | None = column()
    coverage: float = column(description="Share of the weight that is backed by live data.")
    reason: str | None = column()
    as_of: date = column()
    computed_at: datetime = column()
    definition_hash: str = column()
    readings: list[Reading] = _readings("")


@strawberry.type(description="A customer in a roll-up.")
class RollupPart:
    customer_id: strawberry.ID = computed(lambda part: global_id("customer", part["customer_id"]))
    name: str = key()
    score: float | None = key(description="In force; null where it has none, and no weight.")
    weight: float = key(description="0 to 1; all of them add up to 1.")
    contribution: float = key(description="weight * score; all of them add up to the roll-up's score.")


@strawberry.type(description="The health of a parent customer, made of everybody below it and itself.")
class Rollup:
    score: float | None = column("health", "0 to 1; null where nobody below it has a score.")
    band: Band | None = column()
    method: str = column(description="value: weighed by recurring revenue; mean; or worst.")
    customers: int = column(description="How many scorecards it was made of.")
    note: str | None = column(description="What stood in the way of the method, or of a score.")
    as_of: date = column()
    parts: list[RollupPart] = column(description="In order of customer.")


@strawberry.type(description="Health and churn risk of a customer on a day.")
class Scorecard(Node):
    as_of: date = column()
    health: float | None = column(description="In force, an override included; 0 to 1.")
    band: Band | None = column()
    computed_health: float | None = column(description="What the definition made of the facts.")
    computed_band: Band | None = column()
    override: HealthOverride | None = one("health_override", key="id", parent="override_id", unique=True)
    previous_band: Band | None = column()
    coverage: float = column()
    reason: str | None = column()
    churn_probability: float | None = column("churn_risk", "0 to 1, within the model's horizon.")
    churn_annualised: float | None = column()
    churn_band: ChurnBand | None = column()
    facts: JSON = column(description="Every fact of the day.")
    readings: list[Reading] = _readings("")
    definition: str = column(description="Name of the definition that made it.")
    definition_hash: str = column(description="Tells one definition of health from another.")
    computed_at: datetime = column()
