"""The attention budget as the GraphQL queries and mutations call it; the caller has checked who may."""

from collections.abc import Sequence

from hub.attention.digest import Digest
from hub.attention.inbox import Entry
from hub.attention.voting import Precision, Voted
from hub.compose.hub import Hub
from hub.store.inbox import Withheld
from hub.store.snoozes import Snooze
from schema.attention.asking import SnoozeRequest, VoteRequest


class AttentionActions:
    """What is audited by the mutation is not audited again."""

    _hub: Hub

    async def inbox(self, owner: str | None, *, limit: int, book: str | None) -> Sequence[Entry]:
        return await self._hub.attending.inbox(owner, limit=limit, book=book)

    async def withheld(self, owner: str | None, *, limit: int, book: str | None) -> Sequence[Withheld]:
        return await self._hub.attending.withheld(owner, limit=limit, book=book)

    async def digest(self, owner: str, *, book: str | None) -> Digest | None:
        return await self._hub.attending.digest(owner, book=book)

    async def precision(self, *, days: int) -> Sequence[Precision]:
        return await self._hub.attending.precision(days=days)

    async def snoozes(self, *, customer_ids: Sequence[str] | None, book: str | None) -> Sequence[Snooze]:
        return await self._hub.attending.snoozes(customer_ids=customer_ids, book=book)

    async def snooze(self, request: SnoozeRequest) -> Snooze:
        return await self._hub.attending.snooze(
            request.customer_id, reason=request.reason, until=request.until, by=request.by, note=request.note
        )

    async def unsnooze(self, snooze_id: str, *, by: str) -> Snooze:
        return await self._hub.attending.unsnooze(snooze_id, by=by)

    async def vote(self, request: VoteRequest) -> Voted:
        return await self._hub.attending.vote(
            voter=request.voter,
            useful=request.useful,
            way="api",
            run_id=request.run_id,
            alert_id=request.alert_id,
            note=request.note,
        )
