"""PostHog's rows as records: days of use summed by the kit, groups as companies, persons as contacts.

    {"key", "properties"}            -> Company, key the group's key
    {"id", "properties", "created"}  -> Contact, key the person's id; created in milliseconds since 1970

Properties come as an object or as its JSON text. Both come from full listings without a time of change, so their version is
0: the content decides whether a row has changed.
"""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson

from connectors.kit import profiles
from connectors.kit.base import BadRowError, Raw
from connectors.kit.profiles import Names
from connectors.kit.values import text, whole
from hub.model.records import Company, Contact

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def company(raw: Raw, *, names: Names) -> Company:
    return profiles.company(raw["key"], _properties(raw), names=names, version=0)


def contact(raw: Raw, *, company_property: str) -> Contact:
    key = text(raw["id"])
    if key is None:
        raise BadRowError("a person without an id", field="id")
    properties, created = _properties(raw), raw["created"]
    email = text(properties.get("email"))
    return Contact(
        key=key,
        version=0,
        company_key=text(properties.get(company_property)),
        email=email.lower() if email else None,
        name=text(properties.get("name")),
        created_at=EPOCH + timedelta(milliseconds=whole(created, field="created")) if created is not None else None,
    )


def _properties(raw: Raw) -> Mapping[str, Any]:
    properties = raw["properties"]
    if isinstance(properties, str):
        try:
            properties = orjson.loads(properties)
        except orjson.JSONDecodeError:
            raise BadRowError("is no JSON", field="properties") from None
    if not isinstance(properties, dict):
        raise BadRowError(f"must be an object, not {type(properties).__name__}", field="properties")
    return properties
