"""Merges and decisions of identity as the GraphQL mutations and the command line call them; the caller has checked who may."""

from datetime import datetime

from hub import identity
from hub.compose.hub import Hub
from hub.identity import Merged
from schema.customers.asking import MergeRequest


class IdentityActions:
    """Who has other records than before is scored anew, without firing anything."""

    _hub: Hub

    async def merge_customers(self, request: MergeRequest, *, now: datetime) -> Merged:
        made = await identity.merge(
            self._hub.store,
            request.keep_id,
            request.merge_id,
            reason=request.reason,
            by=request.by,
            now=now,
            dry_run=request.dry_run,
        )
        if not request.dry_run:
            await self._hub.score(customer_ids=[made.kept_id], fire=False)
        return made

    async def undo_merge(self, merge_id: str, *, by: str, dry_run: bool, now: datetime) -> Merged:
        undone = await identity.undo_merge(
            self._hub.store, merge_id, self._hub.settings.identity, by=by, now=now, dry_run=dry_run
        )
        if not dry_run:
            await self._hub.score(customer_ids=[undone.kept_id, undone.merged_id], fire=False)
        return undone

    async def decide_identity(
        self, evidence_id: str, customer_id: str | None, *, new: bool, by: str, now: datetime
    ) -> int:
        return await identity.decide_by_hand(self._hub.store, evidence_id, customer_id, by=by, now=now, new=new)

    async def reopen_identity(self, evidence_id: str, *, now: datetime) -> None:
        await identity.reopen(self._hub.store, self._hub.settings.identity, evidence_id, now=now)
