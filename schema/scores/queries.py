"""Queries for models."""

import strawberry

from hub.store.query import Order, Where
from schema.loaders import ApiInfo, load_first
from schema.permissions import root
from schema.scores.types import ChurnModel


@strawberry.type
class ScoreQueries:
    @root(description="The churn model whose predictions count; null before the first training.")
    async def churn_model(self, info: ApiInfo) -> ChurnModel | None:
        model: ChurnModel | None = await load_first(
            info,
            "churn_model",
            order=Order("trained_at", descending=True),
            where=(Where("champion", "eq", True),),
        )
        return model
