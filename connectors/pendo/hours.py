"""Hours of use as rows of UTC days: what each visitor did, and how much each account used each feature.

Pendo tells events and minutes an hour, not when they were; a session here is a run of hours that follow one another, within
a day. Rows have no time of change: their version is the last hour in them, and the content decides.
"""

from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from connectors.kit.base import Raw
from connectors.pendo.pipeline import HOUR, Row
from hub.model.records import Quarantined


class Days:
    """Sums of the rows it is fed; `faults` tells what belongs to no account."""

    def __init__(self) -> None:
        self._users: dict[tuple[str, str, str], dict[int, list[float]]] = {}
        self._features: dict[tuple[str, str, str], tuple[dict[str, int], list[int]]] = {}
        self._nobodys: dict[tuple[str, str], int] = {}

    def use(self, rows: Iterable[Row]) -> None:
        """Rows of `events`: accountId, visitorId, hour, numEvents, numMinutes."""
        for row in rows:
            day = _day(row["hour"])
            if not row["accountId"] or not row["visitorId"]:
                self._nobody(day, "events", row["numEvents"])
                continue
            hours = self._users.setdefault((day, row["accountId"], row["visitorId"]), {})
            counted = hours.setdefault(row["hour"], [0, 0.0])
            counted[0] += row["numEvents"]
            counted[1] += row["numMinutes"] or 0

    def feature(self, name: str, row: Row) -> None:
        """A row of `featureEvents` or `trackEvents`: accountId, visitorId, hour, numEvents."""
        day = _day(row["hour"])
        if not row["accountId"] or not row["visitorId"]:
            self._nobody(day, name, row["numEvents"])
            return
        users, last = self._features.setdefault((day, row["accountId"], name), ({}, [0]))
        users[row["visitorId"]] = users.get(row["visitorId"], 0) + row["numEvents"]
        last[0] = max(last[0], row["hour"])

    def rows(self) -> Iterator[Raw]:
        for (day, company, user), hours in sorted(self._users.items()):
            sessions = _runs(hours)
            minutes = sum(counted[1] for counted in hours.values())
            yield {
                "kind": "user_day",
                "company": company,
                "user": user,
                "day": day,
                "version": max(hours),
                "events": int(sum(counted[0] for counted in hours.values())),
                "sessions": sessions,
                "minutes": float(max(sessions, minutes)),
            }
        for (day, company, feature), (users, last) in sorted(self._features.items()):
            yield {
                "kind": "feature_day",
                "company": company,
                "feature": feature,
                "day": day,
                "version": last[0],
                "events": sum(users.values()),
                "users": len(users),
            }

    def faults(self) -> list[Quarantined]:
        return [
            Quarantined(
                key=f"{day}|{name}|accountId"[:240],
                reason=f"no usable accountId or visitorId in {count} of the events {name!r} of {day}",
                field="accountId",
            )
            for (day, name), count in sorted(self._nobodys.items())
        ]

    def _nobody(self, day: str, name: str, count: int) -> None:
        self._nobodys[day, name] = self._nobodys.get((day, name), 0) + int(count)


def _runs(hours: Mapping[int, Any]) -> int:
    return sum(hour - HOUR not in hours for hour in hours)


def _day(hour: int) -> str:
    return datetime.fromtimestamp(hour / 1000, UTC).date().isoformat()
