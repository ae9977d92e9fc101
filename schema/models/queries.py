"""Queries for the registry of models, for comparisons, and for drift."""

from typing import Annotated, Any

import strawberry

from hub.store.query import Order, Where
from schema.fields import DEFAULT_FIRST
from schema.loaders import ApiInfo, load_page
from schema.models.types import ChurnModelComparison, ChurnModelPromotion, Drift
from schema.paging import Connection
from schema.permissions import root
from schema.scores.models import ChurnModel

Horizon = Annotated[str | None, strawberry.argument(description="30d, 60d, 90d or renewal; all of them without it.")]
Roles = Annotated[
    list[str] | None,
    strawberry.argument(description="champion, challenger, candidate, retired; all of them without it."),
]


@strawberry.type
class ModelQueries:
    @root(description="Every churn model there is, newest first. A challenger predicts beside its champion, unseen.")
    async def churn_models(
        self,
        info: ApiInfo,
        first: int = DEFAULT_FIRST,
        after: str | None = None,
        horizon: Horizon = None,
        role: Roles = None,
    ) -> Connection[ChurnModel]:
        where = [Where("horizon", "eq", horizon)] if horizon is not None else []
        if role is not None:
            where.append(Where("role", "in", role))
        order = Order("trained_at", descending=True)
        page: Connection[ChurnModel] = await load_page(
            info, "churn_model", order=order, first=first, after=after, where=where
        )
        return page

    @root(whole=True, description="Each challenger beside the champion of its horizon, by what has come true.")
    async def churn_model_comparisons(self, info: ApiInfo, horizon: Horizon = None) -> list[ChurnModelComparison]:
        found: Any = list(await info.context.actions.compare_models(horizon=horizon))
        return found  # type: ignore[no-any-return]  # comparisons, read by their attributes

    @root(whole=True, description="Who became champion when, by whom and why, newest first; at most 50.")
    async def churn_model_promotions(self, info: ApiInfo, horizon: Horizon = None) -> list[ChurnModelPromotion]:
        found: Any = list(await info.context.actions.promotions(horizon=horizon))
        return found  # type: ignore[no-any-return]  # promotions, read by their attributes

    @root(
        whole=True,
        description="How far customers have moved from those the champions learned from: the newest stored checks.",
    )
    async def drift(self, info: ApiInfo, horizon: Horizon = None) -> list[Drift]:
        found: Any = list(await info.context.actions.drift(horizon=horizon))
        return found  # type: ignore[no-any-return]  # reports, read by their attributes
