"""Comparisons and retries of sources as the GraphQL mutations call them."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from hub.compose.hub import Hub
from hub.compose.jobs import ask_for_score
from hub.compose.sourcing import RECONCILE
from hub.durable import Argument
from hub.store.streams import Check
from hub.sync import StreamReport


class SourceActions:
    """The caller has checked who may, and audits."""

    _hub: Hub

    async def reconcile(
        self, source: str, *, streams: Sequence[str] | None, accept: bool, by: str, now: datetime
    ) -> None:
        self._hub.get_source(source).streams(streams)
        argument: Argument = {"source": source, "accept": accept, "streams": None if streams is None else list(streams)}
        await self._hub.durable.enqueue(RECONCILE, argument, key=f"reconcile {source}")

    async def compare(self, source: str, *, streams: Sequence[str] | None) -> Mapping[str, Check]:
        return (await self._hub.sourcing.reconcile(source, streams=streams, dry_run=True)).checks

    async def retry_quarantine(
        self, source: str, *, streams: Sequence[str] | None, dry_run: bool, by: str, now: datetime
    ) -> Mapping[str, StreamReport]:
        report = await self._hub.sourcing.retry_quarantine(source, streams=streams, dry_run=dry_run)
        if report.moved:
            await ask_for_score(self._hub, now=now)
        return report.streams
