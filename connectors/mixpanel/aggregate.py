"""Mixpanel's events for `connectors.kit.usage`, which sums them to days: where an event says what, and in which zone.

    {"event": name, "properties": {"time": seconds, "distinct_id", "$insert_id", "mp_processing_time_ms", company…}}

An event counts once per (name, distinct_id, time, $insert_id); a row's version is the newest `mp_processing_time_ms`.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import UTC, date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from connectors.kit import usage
from connectors.kit.usage import Fields, Seen, seconds

NOTHING: Mapping[str, Any] = {}
FARTHEST = usage.FARTHEST * usage.SECONDS_A_DAY


class Usage:
    """Sums of the events it is fed.

    company     the event property that names the company
    days        first and last UTC day to give rows for; None for all. Other events count as `outside`
    to_utc      turns an event's `time`, in seconds, into a UTC one: see `project_clock`
    """

    def __init__(
        self,
        *,
        company: str,
        days: tuple[date, date] | None = None,
        to_utc: Callable[[int], int] | None = None,
    ) -> None:
        fields = Fields(event="event", time="time", user="distinct_id", company=company)
        self._sums = usage.Usage(fields=fields, days=days)
        self._company, self._to_utc = company, to_utc
        self.rows, self.faults = self._sums.rows, self._sums.faults

    @property
    def events(self) -> int:
        return self._sums.events

    @property
    def duplicates(self) -> int:
        return self._sums.duplicates

    @property
    def outside(self) -> int:
        return self._sums.outside

    def add(self, events: Iterable[Mapping[str, Any]]) -> None:
        """Count `events`, as the export has them."""
        self._sums.add(self._seen(events))

    def _seen(self, events: Iterable[Mapping[str, Any]]) -> Iterator[Seen]:
        company, to_utc = self._company, self._to_utc
        for event in events:
            properties = event.get("properties")
            if properties.__class__ is not dict:
                properties = NOTHING
            at = properties.get("time")
            if at.__class__ is not int or not 0 <= at < FARTHEST:
                at = seconds(at)
            if to_utc is not None and at is not None:
                at = to_utc(at)
            yield (
                event.get("event"),
                properties.get(company),
                properties.get("distinct_id"),
                at,
                properties.get("$insert_id"),
                properties.get("mp_processing_time_ms"),
                event,
            )


def project_clock(zone: str) -> Callable[[int], int] | None:
    """What turns event times of a project in `zone` into UTC, or None where they are UTC already.

    Projects older than 2023 export the reading of a wall clock in the project's zone as if it were UTC.
    """
    if zone == "UTC":
        return None
    local = ZoneInfo(zone)
    offsets: dict[int, int] = {}

    def to_utc(at: int) -> int:
        hour = at // 3600
        if hour not in offsets:
            wall = datetime.fromtimestamp(hour * 3600, UTC).replace(tzinfo=local)
            offset = wall.utcoffset()
            assert offset is not None  # it has a zone
            offsets[hour] = int(offset.total_seconds())
        return at - offsets[hour]

    return to_utc
