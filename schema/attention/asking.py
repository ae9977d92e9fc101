"""What the attention budget is asked: the part of `schema.context.Actions` that is about it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from hub.attention.digest import Digest
from hub.attention.inbox import Entry
from hub.attention.voting import Precision, Voted
from hub.store.inbox import Withheld
from hub.store.snoozes import Snooze


@dataclass(frozen=True, slots=True, kw_only=True)
class SnoozeRequest:
    """Nothing new about a customer for a reason (*: any) until then."""

    customer_id: str
    reason: str
    until: datetime
    by: str
    note: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class VoteRequest:
    """Whether a run, or the one that opened an alert, was of use; exactly one of the two is named."""

    voter: str
    useful: bool
    note: str | None = None
    run_id: str | None = None
    alert_id: str | None = None


class AttentionActions(Protocol):
    """Sorted as the docstrings of hub.attention say; `owner` is a CSM's address, `book` that of a viewer's."""

    async def inbox(self, owner: str | None, *, limit: int, book: str | None) -> Sequence[Entry]: ...

    async def withheld(self, owner: str | None, *, limit: int, book: str | None) -> Sequence[Withheld]: ...

    async def digest(self, owner: str, *, book: str | None) -> Digest | None: ...

    async def precision(self, *, days: int) -> Sequence[Precision]: ...

    async def snoozes(self, *, customer_ids: Sequence[str] | None, book: str | None) -> Sequence[Snooze]: ...

    async def snooze(self, request: SnoozeRequest) -> Snooze: ...

    async def unsnooze(self, snooze_id: str, *, by: str) -> Snooze: ...

    async def vote(self, request: VoteRequest) -> Voted: ...
