"""Queries for models."""

import strawberry

from hub.store.query import Order, Where
from schema.loaders import ApiInfo, load_first
from schema.permissions import root
from schema.scores.types import ChurnModel


@strawberry.type
class ScoreQueries:
    @root(
        description="The churn model of a horizon (30d, 60d, 90d, renewal) whose predictions count; null before there is one."
    )
    async def churn_model(self, info: ApiInfo, horizon: str = "90d") -> ChurnModel | None:
        model: ChurnModel | None = await load_first(
            info,
            "churn_model",
            order=Order("trained_at", descending=True),
            where=(Where("role", "eq", "champion"), Where("horizon", "eq", horizon)),
        )
        return model
