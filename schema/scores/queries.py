"""Queries for models."""

from datetime import date
from typing import Annotated, Any

import strawberry

from hub.store.query import Order, Where
from schema.loaders import ApiInfo, load_first
from schema.permissions import root
from schema.scores.judgement import Judgement
from schema.scores.models import ChurnModel

Since = Annotated[
    date | None,
    strawberry.argument(description="Only what was stated from this day on; three years where nothing is said."),
]


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

    @root(
        whole=True,
        description="Overrides, then sentiment, scored afterwards against who left, of everybody and of each CSM.",
    )
    async def judgement(self, info: ApiInfo, since: Since = None) -> list[Judgement]:
        judged: Any = list(await info.context.actions.judgement(since=since, now=info.context.now))
        return judged  # type: ignore[no-any-return]  # verdicts, read by their attributes
