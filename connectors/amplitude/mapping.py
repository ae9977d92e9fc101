"""Amplitude's rows as records: days of use summed by the kit, and groups as companies.

{"kind": "user_day" | "feature_day", …}                                as `connectors.kit.usage_records` says
{"kind": "group", "group": value, "version": ms, "properties": {…}}    -> Company, key the group's value
"""

from dataclasses import replace

from connectors.kit import usage_records
from connectors.kit.base import Raw
from connectors.kit.profiles import Names, company
from connectors.kit.usage import Fields
from hub.model.records import Company, FeatureUsageDay, UserActivityDay


def usage(raw: Raw, *, fields: Fields, names: Names) -> tuple[Company | UserActivityDay | FeatureUsageDay]:
    if raw["kind"] == "group":
        known = company(raw["group"], raw["properties"], names=names, version=raw["version"], field="group")
        return (known if known.name else replace(known, name=known.key),)
    return usage_records.usage(raw, fields=fields)


def key(raw: Raw) -> str:
    """A readable id for the quarantine; never raises."""
    return str(raw.get("group")) if raw.get("kind") == "group" else usage_records.usage_key(raw)
