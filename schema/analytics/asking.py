"""What the API asks of reports: the part of `schema.context.Actions` about targets and digests, and what they answer with."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from hub.analytics.targets import Standing


@dataclass(frozen=True, slots=True, kw_only=True)
class DigestPreview:
    """A digest's mail as it would be. charts: what each picture shows, in words."""

    subject: str
    text: str
    html: str
    charts: tuple[str, ...] = ()


class ReportActions(Protocol):
    """Targets as they stand, digests looked at and sent."""

    async def targets(self, *, now: datetime) -> Sequence[Standing]: ...

    async def preview_digest(self, name: str, *, of: str | None, now: datetime) -> DigestPreview: ...

    async def send_digest(self, name: str, *, of: str | None, by: str, now: datetime) -> Sequence[str]:
        """To the CSM `of`, or to everybody; return the ids of the messages."""
        ...
