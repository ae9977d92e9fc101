"""Churn models and post-mortems as the API calls them: the part of `schema.context.Actions` that is about them."""

from collections.abc import Sequence
from datetime import date, datetime

from hub.compose.hub import Hub
from hub.postmortem import PostMortems, post_mortems
from hub.store.promotions import Promotion
from hub.training.comparison import Comparison
from hub.training.drift import DriftReport


class ModelActions:
    """Compares, promotes, takes back, looks back; the caller has checked who may."""

    _hub: Hub

    async def compare_models(self, *, horizon: str | None) -> Sequence[Comparison]:
        return await self._hub.models.compare(horizon=horizon)

    async def promote_model(self, version: str, *, by: str, force: bool, reason: str | None) -> Promotion:
        return await self._hub.models.promote(version, by=by, force=force, reason=reason)

    async def roll_back_model(self, horizon: str | None, *, by: str, reason: str | None) -> Promotion:
        return await self._hub.models.roll_back(horizon, by=by, reason=reason)

    async def drift(self, *, horizon: str | None) -> Sequence[DriftReport]:
        return await self._hub.models.drift(horizon=horizon)

    async def promotions(self, *, horizon: str | None) -> Sequence[Promotion]:
        return await self._hub.models.promotions(horizon=horizon)

    async def post_mortems(
        self, *, since: date | None, customer_ids: Sequence[str] | None, now: datetime
    ) -> PostMortems:
        grace = self._hub.settings.churn.grace_days
        return await post_mortems(self._hub.store, grace_days=grace, now=now, since=since, customer_ids=customer_ids)
