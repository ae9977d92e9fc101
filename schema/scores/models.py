"""Models of churn, and the rate of all customers that is shown where there is none."""

from datetime import date, datetime

import strawberry
from strawberry.scalars import JSON

from schema.fields import column, computed, key
from schema.models.evaluation import FeatureImportance, ModelEvaluation, evaluations_of, importance_of


@strawberry.type(description="The churn rate of all customers within a horizon, as far as it is known.")
class ChurnPrior:
    rate: float = key(description="0 to 1.")
    low: float = key(description="The lower end of its 90 % interval.")
    high: float = key(description="The upper end.")
    rows: int = key(description="Customers observed for a whole horizon each.")
    churned: int = key(description="How many of them left.")


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
    evaluation: JSON = column(
        description="How well it predicted what it had not seen: figures of the model, over all customers together. Who has "
        "a book sees them too: they are of no customer, and without them nobody knows what a probability is worth."
    )
    evaluations: list[ModelEvaluation] = computed(
        evaluations_of, "evaluation", description="The same with types: on later snapshots, then on other customers."
    )
    importance: list[FeatureImportance] = computed(
        importance_of, "evaluation", description="The features it asks for, the strongest first."
    )
    parameters: JSON = column()
    feature_count: int = computed(lambda row: len(row["features"]), "features")
    prior: ChurnPrior | None = computed(
        lambda row: row["parameters"].get("prior"),
        "parameters",
        description="What is said of everybody where the kind is prior.",
    )
    why: str | None = computed(
        lambda row: row["parameters"].get("why") or None, "parameters", description="Why there is only a prior."
    )
