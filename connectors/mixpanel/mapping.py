"""Mixpanel's rows as records: days of use summed by `aggregate`, and group profiles as companies.

    usage     {"kind": "user_day", …} -> UserActivityDay      key "<day>|<company>|<user>"
              {"kind": "feature_day", …} -> FeatureUsageDay   key "<day>|<company>|<event name>"
    groups    a group profile -> Company                      key the group's id

Companies come from a full listing without a time of change, so their version is always 0: the content decides whether
a row has changed, and the last listing wins.
"""

from datetime import date
from typing import Any

from connectors.kit.base import BadRowError, Raw
from hub.model.records import Company, FeatureUsageDay, UserActivityDay

LONGEST_KEY = 240
LONGEST_FEATURE = 120


def user_activity_day(raw: Raw) -> UserActivityDay:
    return UserActivityDay(
        key=_key(raw["company"], raw["user"], raw["day"], field="distinct_id"),
        version=raw["version"],
        company_key=raw["company"],
        user_key=raw["user"],
        day=date.fromisoformat(raw["day"]),
        events=raw["events"],
        sessions=raw["sessions"],
        minutes=raw["minutes"],
    )


def feature_usage_day(raw: Raw) -> FeatureUsageDay:
    feature = raw["feature"]
    if len(feature) > LONGEST_FEATURE:
        raise BadRowError(f"an event name of {len(feature)} characters; {LONGEST_FEATURE} are kept", field="event")
    return FeatureUsageDay(
        key=_key(raw["company"], feature, raw["day"], field="event"),
        version=raw["version"],
        company_key=raw["company"],
        feature=feature,
        day=date.fromisoformat(raw["day"]),
        events=raw["events"],
        users=raw["users"],
    )


def usage(raw: Raw) -> tuple[UserActivityDay | FeatureUsageDay]:
    """The record of a row of `aggregate.Usage.rows`."""
    if raw["kind"] == "user_day":
        return (user_activity_day(raw),)
    return (feature_usage_day(raw),)


def usage_key(raw: Raw) -> str:
    """A readable id of a summed row, for the quarantine; never raises."""
    return "|".join(str(raw.get(name)) for name in ("day", "company", "user", "feature") if name in raw)


def company(raw: Raw, *, name: str, domain: str, crm_id: str) -> Company:
    """The company of a group profile; `name`, `domain` and `crm_id` say which properties hold what."""
    key = _text(raw["$distinct_id"])
    if not key:
        raise BadRowError("a group profile without an id", field="$distinct_id")
    properties = raw["$properties"]
    return Company(
        key=key,
        version=0,
        company_key=key,
        name=_text(properties.get(name)),
        domains=_domains(properties.get(domain), field=domain),
        external_key=_text(properties.get(crm_id)),
    )


def _domains(value: Any, *, field: str) -> tuple[str, ...]:
    """One domain or a list of them, lower case, each once."""
    values = value if isinstance(value, list) else [] if value is None else [value]
    for each in values:
        if not isinstance(each, str):
            raise BadRowError(f"a domain must be text, not {type(each).__name__}", field=field)
    return tuple(dict.fromkeys(domain for each in values if (domain := each.strip().lower())))


def _key(company_key: str, other: str, day: str, *, field: str) -> str:
    key = f"{day}|{_part(company_key)}|{_part(other)}"  # the day first: an index on keys then grows at its end
    if len(key) > LONGEST_KEY:
        raise BadRowError(f"a key of {len(key)} characters; {LONGEST_KEY} are the most", field=field)
    return key


def _part(text: str) -> str:
    """`text` with no separator in it, so that two different rows can't share a key."""
    return text.replace("%", "%25").replace("|", "%7C") if "|" in text or "%" in text else text


def _text(value: Any) -> str | None:
    if value is None or isinstance(value, bool):
        return None
    text = str(value).strip()
    return text or None
