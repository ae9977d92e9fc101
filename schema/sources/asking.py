"""What the mutations of sources ask for beside a sync."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Protocol

from hub.store.streams import Check
from hub.sync import StreamReport


class SourceActions(Protocol):
    async def reconcile(
        self, source: str, *, streams: Sequence[str] | None, accept: bool, by: str, now: datetime
    ) -> None:
        """Ask for a comparison that mends what differs; NotFoundError names the streams there are."""
        ...

    async def compare(self, source: str, *, streams: Sequence[str] | None) -> Mapping[str, Check]:
        """{stream: …} of a comparison that changes nothing."""
        ...

    async def retry_quarantine(
        self, source: str, *, streams: Sequence[str] | None, dry_run: bool, by: str, now: datetime
    ) -> Mapping[str, StreamReport]:
        """{stream: what became of the rows that waited}."""
        ...
