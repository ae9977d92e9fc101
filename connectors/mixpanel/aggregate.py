"""Events to days: what each user did on a day, and how much each company used each feature on it.

A hub needs days, not clicks: 600,000 events become some ten thousand rows, and they are summed here while they stream
by, in one pass, without keeping an event. All plain dicts and tuples, because this runs once per event.

What is summed
  user_day     company, user, UTC day -> events, sessions, minutes
  feature_day  company, event name, UTC day -> events, distinct users
  A session is a run of events no more than 30 minutes apart; it ends with the day. A lone click counts as a minute.

The export is not de-duplicated by the vendor: an event counts once per (name, distinct_id, time, $insert_id).

Version of a row: the newest `mp_processing_time_ms` among its events (their time, where that is missing), which is when
the vendor last learned something for the row. Every day is pulled several times, and the version must not be the time
of the pull, or each pull would report every row as changed. So: the same events give the same version and the same
content, unchanged; a late event was processed later and raises it, changed; two events that became visible out of order
leave it equal with another content, which the store takes too. A deleted event may lower it, and the older row stays.

What can't be summed, because the company, the user or the time is missing, is counted as a fault by day, event name and
field, with the first such event as the example: an anonymous website would fill the quarantine otherwise.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from functools import cache
from typing import Any
from zoneinfo import ZoneInfo

from hub.model.records import Quarantined

SECONDS_A_DAY = 86_400
SESSION_GAP = 30 * 60  # seconds
EPOCH = date(1970, 1, 1)
FARTHEST = (date.max - EPOCH).days

Raw = dict[str, Any]


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
        self.events = self.duplicates = self.outside = 0
        self._company, self._to_utc = company, to_utc
        self._first, self._last = ((day - EPOCH).days for day in days) if days else (0, FARTHEST)
        # 64-bit hashes of the events counted: a fifth of the memory, and of five million one is lost in a million windows
        self._seen: set[int] = set()
        self._users: dict[tuple[int, str, str], list[int]] = {}  # [version, time, time, …]
        self._features: dict[tuple[int, str, str], list[Any]] = {}  # [version, user, user, …]
        self._faults: dict[tuple[str, str, str], tuple[list[int], Mapping[str, Any]]] = {}

    def add(self, events: Iterable[Mapping[str, Any]]) -> None:
        """Count `events`, as the export has them: {"event": name, "properties": {"time", "distinct_id", …}}."""
        seen, users, features = self._seen, self._users, self._features
        company_property, to_utc, first, last = self._company, self._to_utc, self._first, self._last
        for event in events:
            try:
                name, properties = event["event"], event["properties"]
                at, user, company = int(properties["time"]), properties["distinct_id"], properties[company_property]
            except (KeyError, TypeError, ValueError):
                self._fault(event)
                continue
            if (
                company.__class__ is str
                and user.__class__ is str
                and name.__class__ is str
                and company
                and user
                and name
            ):
                companies: tuple[str, ...] = (company,)
            else:
                companies, user, name = _names(company), _name(user), _name(name)
                if not (companies and user and name):
                    self._fault(event)
                    continue
            if to_utc is not None:
                at = to_utc(at)
            day = at // SECONDS_A_DAY
            if not first <= day <= last:
                self.outside += 1
                continue
            insert_id = properties.get("$insert_id")
            identity = hash((name, user, at, insert_id if insert_id.__class__ is str else _name(insert_id)))
            version = properties.get("mp_processing_time_ms")
            if version.__class__ is not int:
                version = at * 1000
            new = identity not in seen
            if new:
                seen.add(identity)
                self.events += 1
            else:
                self.duplicates += 1
            for company in companies:
                _count(users, (day, company, user), version, at if new else None)
                _count(features, (day, company, name), version, user if new else None)

    def rows(self) -> Iterator[Raw]:
        """The raw rows, in order of their day."""
        for (day, company, user), times in sorted(self._users.items()):
            sessions, minutes = sessions_of(times[1:])
            yield {
                "kind": "user_day",
                "company": company,
                "user": user,
                "day": _iso(day),
                "version": times[0],
                "events": len(times) - 1,
                "sessions": sessions,
                "minutes": minutes,
            }
        for (day, company, name), (version, *users) in sorted(self._features.items()):
            yield {
                "kind": "feature_day",
                "company": company,
                "feature": name,
                "day": _iso(day),
                "version": version,
                "events": len(users),
                "users": len(set(users)),
            }

    def faults(self) -> list[Quarantined]:
        """One per day, event name and missing field, with how many there were and the first one."""
        return [
            Quarantined(
                key=f"{day}|{name}|{field}"[:240],
                reason=f"no usable {field} in {count} of the events {name!r} of {day}",
                field=field,
                raw=example,
            )
            for (day, name, field), ([count], example) in sorted(self._faults.items())
        ]

    def _fault(self, event: Mapping[str, Any]) -> None:
        raw = event.get("properties")
        properties: Mapping[str, Any] = raw if isinstance(raw, Mapping) else {}
        name = _name(event.get("event"))
        time = _time(properties.get("time"))
        if not name:
            field = "event"
        elif time is None:
            field = "time"
        elif not _name(properties.get("distinct_id")):
            field = "distinct_id"
        else:
            field = self._company
        day = "an unknown day" if time is None else _iso(time // SECONDS_A_DAY)
        self._faults.setdefault((day, name or "without a name", field), ([0], event))[0][0] += 1


def _count(into: dict[tuple[int, str, str], list[Any]], key: tuple[int, str, str], version: int, what: Any) -> None:
    """Add `what`, or nothing where it is None, to the list of `key`, whose first item is the highest version."""
    counted = into.get(key)
    if counted is None:
        into[key] = [version, what] if what is not None else [version]
        return
    if version > counted[0]:
        counted[0] = version
    if what is not None:
        counted.append(what)


def sessions_of(times: Sequence[int]) -> tuple[int, float]:
    """Sessions in `times` (seconds, any order, not empty) and their summed length in minutes, at least 1 each."""
    ordered = sorted(times)
    sessions, minutes = 1, 0.0
    start = last = ordered[0]
    for at in ordered:
        if at - last > SESSION_GAP:
            minutes += max(1.0, (last - start) / 60)
            sessions, start = sessions + 1, at
        last = at
    return sessions, round(minutes + max(1.0, (last - start) / 60), 2)


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


@cache
def _iso(day: int) -> str:
    return (EPOCH + timedelta(days=day)).isoformat()


def _time(value: object) -> int | None:
    try:
        at = int(value)  # type: ignore[call-overload]  # whatever JSON holds; the refusal is what is asked for
    except (TypeError, ValueError):
        return None
    return at if 0 <= at < FARTHEST * SECONDS_A_DAY else None


def _name(value: object) -> str | None:
    """A name as text; vendors' JSON has numbers for ids too."""
    if isinstance(value, str):
        return value or None
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else None


def _names(value: object) -> tuple[str, ...]:
    """The companies of an event: a group key may hold a list."""
    values = value if isinstance(value, list) else [value]
    return tuple(dict.fromkeys(name for name in map(_name, values) if name))
