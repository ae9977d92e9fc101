"""What is asked about who customers are: the part of `schema.context.Actions` that is about it."""

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from hub.identity import Merged


@dataclass(frozen=True, slots=True, kw_only=True)
class MergeRequest:
    """`merge_id` is to become part of `keep_id`."""

    keep_id: str
    merge_id: str
    reason: str
    by: str
    dry_run: bool = False


class IdentityActions(Protocol):
    """See hub.identity."""

    async def merge_customers(self, request: MergeRequest, *, now: datetime) -> Merged: ...

    async def undo_merge(self, merge_id: str, *, by: str, dry_run: bool, now: datetime) -> Merged: ...

    async def decide_identity(
        self, evidence_id: str, customer_id: str | None, *, new: bool, by: str, now: datetime
    ) -> int:
        """Return how many records that moved."""
        ...

    async def reopen_identity(self, evidence_id: str, *, now: datetime) -> None: ...
