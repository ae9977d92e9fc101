"""Rows that `connectors.kit.usage` has summed, as records and as pages.

{"kind": "user_day", company, user, day, version, events, sessions, minutes} -> UserActivityDay   "<day>|<company>|<user>"
{"kind": "feature_day", company, feature, day, version, events, users} -> FeatureUsageDay         "<day>|<company>|<feature>"
"""

from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from itertools import islice

from connectors.kit.base import BadRowError, Bookmark, Page, Raw
from connectors.kit.usage import Fields
from hub.model.records import FeatureUsageDay, Quarantined, UserActivityDay

LONGEST_KEY = 240
LONGEST_FEATURE = 120
ROWS_A_PAGE = 1_000
PLAIN = Fields()


def usage(raw: Raw, *, fields: Fields = PLAIN) -> tuple[UserActivityDay | FeatureUsageDay]:
    """The record of a summed row; BadRowError, naming the vendor's field, for a name longer than is kept."""
    if raw["kind"] == "user_day":
        return (user_activity_day(raw, fields=fields),)
    if raw["kind"] == "feature_day":
        return (feature_usage_day(raw, fields=fields),)
    raise BadRowError(f"{raw['kind']!r} is none of: user_day, feature_day", field="kind")


def user_activity_day(raw: Raw, *, fields: Fields = PLAIN) -> UserActivityDay:
    return UserActivityDay(
        key=day_key(raw["company"], raw["user"], raw["day"], field=fields.user),
        version=raw["version"],
        company_key=raw["company"],
        user_key=raw["user"],
        day=date.fromisoformat(raw["day"]),
        events=raw["events"],
        sessions=raw["sessions"],
        minutes=raw["minutes"],
    )


def feature_usage_day(raw: Raw, *, fields: Fields = PLAIN) -> FeatureUsageDay:
    feature = raw["feature"]
    if len(feature) > LONGEST_FEATURE:
        raise BadRowError(f"an event name of {len(feature)} characters; {LONGEST_FEATURE} are kept", field=fields.event)
    return FeatureUsageDay(
        key=day_key(raw["company"], feature, raw["day"], field=fields.event),
        version=raw["version"],
        company_key=raw["company"],
        feature=feature,
        day=date.fromisoformat(raw["day"]),
        events=raw["events"],
        users=raw["users"],
    )


def usage_key(raw: Raw) -> str:
    """A readable id of a summed row, for the quarantine; never raises."""
    return "|".join(str(raw.get(name)) for name in ("day", "company", "user", "feature") if name in raw)


def day_key(company_key: str, other: str, day: str, *, field: str = "key") -> str:
    """A record's key; `other` is the user or the feature. The day first: an index on keys then grows at its end."""
    key = f"{day}|{_part(company_key)}|{_part(other)}"
    if len(key) > LONGEST_KEY:
        raise BadRowError(f"a key of {len(key)} characters; {LONGEST_KEY} are the most", field=field)
    return key


def pages(
    rows: Iterable[Raw], *, bookmark: Bookmark | None = None, faults: Sequence[Quarantined] = ()
) -> Iterator[Page]:
    """`rows` a thousand at a time, one page at least; the last one carries `bookmark` and `faults`."""
    left = iter(rows)
    chunk = list(islice(left, ROWS_A_PAGE))
    while following := list(islice(left, ROWS_A_PAGE)):
        yield Page(rows=chunk)
        chunk = following
    yield Page(rows=chunk, bookmark=bookmark, faults=faults)


def _part(text: str) -> str:
    """`text` with no separator in it, so that two different rows can't share a key."""
    return text.replace("%", "%25").replace("|", "%7C") if "|" in text or "%" in text else text
