"""Events to days: what each user did on a day, and how much each company used each feature on it.

A hub needs days, not clicks: 600,000 events become some ten thousand rows, and they are summed here while they stream
by, in one pass, without keeping an event. All plain dicts and tuples, because this runs once per event; a connector turns
its vendor's events into `Seen` tuples and is done.

What is summed
  user_day     company, user, UTC day -> events, sessions, minutes
  feature_day  company, event name, UTC day -> events, distinct users
  A session is a run of events no more than 30 minutes apart; it ends with the day. A lone click counts as a minute.

Exports repeat events: one counts once per (name, user, time, id of the insertion).

Version of a row: the newest version among its events, which is when the vendor last learned something for the row (their
time, where it does not say). Every day is pulled several times, and the version must not be the time of the pull, or each
pull would report every row as changed. So: the same events give the same version and the same content, unchanged; a late
event was processed later and raises it, changed; two events that became visible out of order leave it equal with another
content, which the store takes too. A deleted event may lower it, and the older row stays.

A row stands for a whole day, so a day is either summed from all of its events or not told of. Exports in the order in which
events arrived are summed with the days kept open for as long as late events are waited for, and `close` gives the rows
of days that are complete, and forgets them; what comes later still is counted as a fault, never as a day of its own.

What can't be summed, because the company, the user or the time is missing, is counted as a fault by day, event name and
field, with the first such event as the example: an anonymous website would fill the quarantine otherwise.
"""

from array import array
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import cache
from typing import Any

from hub.model.records import Quarantined

SECONDS_A_DAY = 86_400
MILLISECONDS_A_DAY = 86_400_000
SESSION_GAP = 30 * 60  # seconds
EPOCH = date(1970, 1, 1)
FARTHEST = (date.max - EPOCH).days

Raw = dict[str, Any]
Seen = tuple[Any, Any, Any, Any, Any, Any, Mapping[str, Any]]
"""name, company (or a list of them), user, seconds since 1970 as an int, id of the insertion, version, the event itself.
The first five as the vendor's JSON has them: what is missing or of another kind is refused here."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fields:
    """What the vendor calls what an event must have."""

    event: str = "event"
    time: str = "time"
    user: str = "user"
    company: str = "company"


@dataclass(slots=True)
class _Day:
    """seen: 64-bit hashes of the events counted, a fifth of the memory of the ids; of five million events of a day one is
    lost in a million days. users: [version, time, time, …] of (company, user). features: [version, user, user, …]."""

    seen: set[int] = field(default_factory=set)
    users: dict[tuple[str, str], Any] = field(default_factory=dict)
    features: dict[tuple[str, str], list[Any]] = field(default_factory=dict)

    def count(self, companies: tuple[str, ...], name: str, user: str, at: int, insert_id: Any, version: int) -> bool:
        """Whether the event is a new one. One that was counted before may have been processed again since."""
        identity = hash((name, user, at, insert_id if insert_id.__class__ is str else text(insert_id)))
        new = identity not in self.seen
        if new:
            self.seen.add(identity)
        for company in companies:
            counted = self.users.get((company, user))
            if counted is None:
                counted = self.users[company, user] = array("q", (version,))
            elif version > counted[0]:
                counted[0] = version
            used = self.features.get((company, name))
            if used is None:
                used = self.features[company, name] = [version]
            elif version > used[0]:
                used[0] = version
            if new:
                counted.append(at)
                used.append(user)
        return new


class Usage:
    """Sums of the events it is fed.

    days           first and last UTC day to give rows for; None for all. Other events count as `outside`
    lookback_days  an event that became known (by its version) more days than this after the end of its day is not counted
                   and a fault, whichever pull meets it: else a day's sum would depend on how it was pulled. None: all count
    since          the first day that any pull has told of; None: as `days`
    """

    def __init__(
        self,
        *,
        fields: Fields | None = None,
        days: tuple[date, date] | None = None,
        lookback_days: int | None = None,
        since: date | None = None,
    ) -> None:
        self.events = self.duplicates = self.outside = 0
        self._fields = fields or Fields()
        self._first, self._last = ((day - EPOCH).days for day in days) if days else (0, FARTHEST)
        self._lookback_days = lookback_days
        self._since = (since - EPOCH).days if since else self._first
        self._waits = FARTHEST if lookback_days is None else 1 + lookback_days
        self._days: dict[int, _Day] = {}
        self._words: dict[str, str] = {}
        self._late: Counter[int] = Counter()
        self._faults: dict[tuple[str, str, str], tuple[list[int], Mapping[str, Any]]] = {}

    def add(self, events: Iterable[Seen]) -> None:
        days, first, last, waits = self._days, self._first, self._last, self._waits
        same = self._words.setdefault  # each event comes with texts of its own, and the same few thousand are kept
        for name, company, user, at, insert_id, version, raw in events:
            if at.__class__ is not int:
                self._fault(name, company, user, at, raw)
                continue
            if (
                company.__class__ is str
                and user.__class__ is str
                and name.__class__ is str
                and company
                and user
                and name
            ):
                companies: tuple[str, ...] = (same(company, company),)
                name, user = same(name, name), same(user, user)
            else:
                companies, who, what = names(company), text(user), text(name)
                if not (companies and who and what):
                    self._fault(name, company, user, at, raw)
                    continue
                user, name = who, what
            day = at // SECONDS_A_DAY
            if version.__class__ is not int:
                version = at * 1000
            if not first <= day <= last or version >= (day + waits) * MILLISECONDS_A_DAY:
                self._beside(day, version)
                continue
            held = days.get(day)
            if held is None:
                held = days[day] = _Day()
            if held.count(companies, name, user, at, insert_id, version):
                self.events += 1
            else:
                self.duplicates += 1

    def rows(self) -> Iterator[Raw]:
        """The raw rows of all days still open, in order of their day."""
        yield from _rows(sorted(self._days.items()))

    def close(self, through: date) -> Iterator[Raw]:
        """The rows of the days up to and including `through`, which are forgotten; events of them count no more."""
        until = (through - EPOCH).days
        closed = sorted((day, held) for day, held in self._days.items() if day <= until)
        for day, _ in closed:
            del self._days[day]
        if not self._days:
            self._words = {}
        self._first = max(self._first, until + 1)
        yield from _rows(closed)

    def faults(self, through: date | None = None) -> list[Quarantined]:
        """One per day, event name and missing field, with how many there were and the first one.

        `through`: only those of the days up to and including it, which are forgotten: they have been told.
        """
        limit = None if through is None else through.isoformat()
        chosen = sorted(each for each in self._faults.items() if limit is None or each[0][0] <= limit)
        found = [
            Quarantined(
                key=f"{day}|{name}|{field}"[:240],
                reason=f"no usable {field} in {count} of the events {name!r} of {day}",
                field=field,
                raw=example,
            )
            for (day, name, field), ([count], example) in chosen
        ]
        if limit is not None:
            for key, _ in chosen:
                del self._faults[key]
            return found
        late = [
            Quarantined(
                key=f"late|{iso(day)}",
                reason=f"{count} events of {iso(day)} became known more than {self._lookback_days} days after it and are"
                " not counted; a larger lookback_days waits longer",
                field=self._fields.time,
            )
            for day, count in sorted(self._late.items())
        ]
        return found + late

    def _beside(self, day: int, version: int) -> None:
        """An event that is not counted: another pull does, or it is too late for any."""
        self.outside += 1
        if self._since <= day <= self._last and version >= (day + self._waits) * MILLISECONDS_A_DAY:
            self._late[day] += 1

    def _fault(self, name: Any, company: Any, user: Any, at: Any, raw: Mapping[str, Any]) -> None:
        fields, event = self._fields, text(name)
        known = at.__class__ is int and 0 <= at < FARTHEST * SECONDS_A_DAY
        if not event:
            missing = fields.event
        elif not known:
            missing = fields.time
        elif not text(user):
            missing = fields.user
        else:
            missing = fields.company
        day = iso(at // SECONDS_A_DAY) if known else "an unknown day"
        self._faults.setdefault((day, event or "without a name", missing), ([0], raw))[0][0] += 1


def _rows(days: Sequence[tuple[int, _Day]]) -> Iterator[Raw]:
    for day, held in days:
        for (company, user), (version, *times) in sorted(held.users.items()):
            sessions, minutes = sessions_of(times)
            yield {
                "kind": "user_day",
                "company": company,
                "user": user,
                "day": iso(day),
                "version": version,
                "events": len(times),
                "sessions": sessions,
                "minutes": minutes,
            }
    for day, held in days:
        for (company, name), (version, *users) in sorted(held.features.items()):
            yield {
                "kind": "feature_day",
                "company": company,
                "feature": name,
                "day": iso(day),
                "version": version,
                "events": len(users),
                "users": len(set(users)),
            }


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


def seconds(value: object) -> int | None:
    """A JSON value as whole seconds since 1970; None where it is none."""
    try:
        at = int(value)  # type: ignore[call-overload]  # whatever JSON holds; the refusal is what is asked for
    except (TypeError, ValueError, OverflowError):
        return None
    return at if 0 <= at < FARTHEST * SECONDS_A_DAY else None


@cache
def iso(day: int) -> str:
    """The day so many days after 1970 began."""
    return (EPOCH + timedelta(days=day)).isoformat()


def text(value: object) -> str | None:
    """A name as text; vendors' JSON has numbers for ids too."""
    if isinstance(value, str):
        return value or None
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else None


def names(value: object) -> tuple[str, ...]:
    """The companies of an event: a group key may hold a list."""
    values = value if isinstance(value, list) else [value]
    return tuple(dict.fromkeys(name for name in map(text, values) if name))
