"""What a sync is asked for and what it tells: a source, and what became of each of its streams."""

from collections.abc import Callable, Collection
from dataclasses import dataclass, field, fields, replace
from datetime import datetime

from connectors.kit.base import Connector, Stream
from hub.errors import NotFoundError
from hub.identity import Resolution
from hub.model.actions import SyncState
from hub.sync.landing import Landed


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """One configured use of a connector.

    raw_days     for how many days its rows are kept as they came; None: they are not
    extra_share  of a stream's rows, how many a comparison with the vendor may mark deleted without a person's word
    """

    name: str
    connector: Connector
    connector_name: str
    raw_days: int | None = None
    extra_share: float = 0.1

    def streams(self, names: Collection[str] | None = None) -> tuple[Stream, ...]:
        """Its streams in their order, or those of these names; NotFoundError names those there are."""
        streams = self.connector.streams()
        known = [stream.name for stream in streams]
        for name in names or ():
            if name not in known:
                raise NotFoundError(f"{self.name} has no stream {name!r}; it has: {', '.join(known)}")
        return tuple(stream for stream in streams if names is None or stream.name in names)


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamReport:
    """What a sync did with one stream. state: "done", "denied", "paused", "failed", or "skipped" after a failure.

    erased  rows of erased people or customers: left out, or taken without the person
    gone    records marked deleted because the vendor said, by their keys, that they are no more
    """

    pulled: int = 0
    new: int = 0
    changed: int = 0
    unchanged: int = 0
    quarantined: int = 0
    erased: int = 0
    gone: int = 0
    total: int | None = None
    state: str = "running"
    error: str | None = None

    @property
    def brought(self) -> bool:
        """Whether anything is here now that was not before, or not so."""
        return self.new + self.changed + self.gone > 0

    def plus(self, landed: Landed, *, total: int | None) -> "StreamReport":
        """After one more batch. total: the vendor's newest word on it; None: it said nothing."""
        sums = {each.name: getattr(self, each.name) + getattr(landed, each.name) for each in fields(landed)}
        return replace(self, **sums, total=self.total if total is None else total)


@dataclass(frozen=True, slots=True, kw_only=True)
class SyncReport:
    """What a sync did. `error` says what is incomplete and why, fit to show."""

    run_id: str
    source: str
    state: SyncState
    started_at: datetime
    finished_at: datetime
    streams: dict[str, StreamReport]
    resolution: Resolution = field(default_factory=Resolution)
    error: str | None = None
    paused_until: datetime | None = None

    @classmethod
    def refused(cls, source: str, error: str, *, at: datetime) -> "SyncReport":
        """Of a sync that did not begin."""
        return cls(
            run_id="", source=source, state=SyncState.FAILED, started_at=at, finished_at=at, streams={}, error=error
        )

    @property
    def moved(self) -> bool:
        """Whether anything is other than before, so that scores may be too."""
        found = self.resolution
        return bool(
            found.linked
            or found.created
            or any(each.new or each.changed or each.gone for each in self.streams.values())
        )


Progress = Callable[[str, StreamReport], None]
"""Called with a stream's name and how it stands, after every batch and at its end."""


def silent(_stream: str, _report: StreamReport) -> None:
    return None
