"""Amplitude's rows as records: days of use summed by the kit, and groups as companies.

{"kind": "user_day" | "feature_day", …}                                as `connectors.kit.usage_records` says
{"kind": "group", "group": value, "version": ms, "properties": {…}}    -> Company, key the group's value
"""

from typing import Any

from connectors.kit import usage_records
from connectors.kit.base import BadRowError, Raw
from connectors.kit.usage import Fields
from connectors.kit.values import text
from hub.model.records import Company, FeatureUsageDay, UserActivityDay


def usage(
    raw: Raw, *, fields: Fields, name: str | None, domain: str, crm_id: str
) -> tuple[Company | UserActivityDay | FeatureUsageDay]:
    if raw["kind"] == "group":
        return (company(raw, name=name, domain=domain, crm_id=crm_id),)
    return usage_records.usage(raw, fields=fields)


def company(raw: Raw, *, name: str | None, domain: str, crm_id: str) -> Company:
    properties = raw["properties"]
    return Company(
        key=raw["group"],
        version=raw["version"],
        company_key=raw["group"],
        name=(text(properties.get(name)) if name else None) or raw["group"],
        domains=_domains(properties.get(domain), field=domain),
        external_key=text(properties.get(crm_id)),
    )


def key(raw: Raw) -> str:
    """A readable id for the quarantine; never raises."""
    return str(raw.get("group")) if raw.get("kind") == "group" else usage_records.usage_key(raw)


def _domains(value: Any, *, field: str) -> tuple[str, ...]:
    """One domain or a list of them, lower case, each once."""
    values = value if isinstance(value, list) else [] if value is None else [value]
    for each in values:
        if not isinstance(each, str):
            raise BadRowError(f"a domain must be text, not {type(each).__name__}", field=field)
    return tuple(dict.fromkeys(found for each in values if (found := each.strip().lower())))
