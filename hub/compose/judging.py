"""Judgement as the GraphQL mutations and queries call it: the part of `schema.context.Actions` that is about it."""

from collections.abc import Sequence
from datetime import date, datetime

from hub.backtest import TrackRecord
from hub.compose.hub import Hub
from hub.judgement import Judged
from hub.store.judgement import Kind, Statement
from schema.context import OverrideRequest, SentimentRequest


class JudgementActions:
    """States, withdraws and judges, and tells the record of what is computed; the caller has checked who may."""

    def __init__(self, hub: Hub) -> None:
        self._hub = hub

    async def override(self, request: OverrideRequest, *, now: datetime) -> Statement:
        return await self._hub.override(
            request.customer_id, request.stated, by=request.by, reason=request.reason, until=request.until
        )

    async def feel(self, request: SentimentRequest, *, now: datetime) -> Statement:
        return await self._hub.feel(
            request.customer_id, request.value, by=request.by, reason=request.reason, until=request.until
        )

    async def withdraw(self, kind: Kind, customer_id: str, *, by: str, now: datetime) -> None:
        await self._hub.withdraw(kind, customer_id, by=by)

    async def judgement(self, *, since: date | None, now: datetime) -> Sequence[Judged]:
        return await self._hub.judge(since=since)

    async def track_record(self, *, now: datetime) -> TrackRecord:
        return await self._hub.track_record()
