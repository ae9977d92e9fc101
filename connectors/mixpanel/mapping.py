"""Mixpanel's rows as records: days of use summed by `aggregate`, and group profiles as companies.

    usage     {"kind": "user_day", …} -> UserActivityDay      key "<day>|<company>|<user>"
              {"kind": "feature_day", …} -> FeatureUsageDay   key "<day>|<company>|<event name>"
    groups    a group profile -> Company                      key the group's id

Companies come from a full listing without a time of change, so their version is always 0: the content decides whether
a row has changed, and the last listing wins.
"""

from typing import Any

from connectors.kit import usage_records
from connectors.kit.base import BadRowError, Raw
from connectors.kit.usage import Fields
from connectors.kit.usage_records import usage_key
from hub.model.records import Company, FeatureUsageDay, UserActivityDay

__all__ = ["company", "usage", "usage_key"]

FIELDS = Fields(event="event", user="distinct_id")


def usage(raw: Raw) -> tuple[UserActivityDay | FeatureUsageDay]:
    """The record of a row of `aggregate.Usage.rows`."""
    return usage_records.usage(raw, fields=FIELDS)


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


def _text(value: Any) -> str | None:
    if value is None or isinstance(value, bool):
        return None
    text = str(value).strip()
    return text or None
