"""What analytics products know of a company: an id and properties that somebody chose, as a Company.

company("acme", {"name": "Acme", "domain": "acme.example", "crm_id": 7}, names=Names(), version=0)
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from connectors.kit.base import BadRowError
from connectors.kit.values import text
from hub.model.records import Company


@dataclass(frozen=True, slots=True, kw_only=True)
class Names:
    """Which property holds the company's name, its e-mail domain or a list of them, and its id in the CRM."""

    name: str = "name"
    domain: str = "domain"
    crm_id: str = "crm_id"


def company(key: Any, properties: Mapping[str, Any], *, names: Names, version: int, field: str = "key") -> Company:
    """The company `key`; BadRowError, naming `field` or the property, where there is no id or a domain is no text.

    version  milliseconds of the last change; 0 where nobody says: the content then decides whether it has changed
    """
    known = text(key) if not isinstance(key, bool) else None
    if known is None:
        raise BadRowError("a company without an id", field=field)
    return Company(
        key=known,
        version=version,
        company_key=known,
        name=text(properties.get(names.name)),
        domains=domains(properties.get(names.domain), field=names.domain),
        external_key=text(properties.get(names.crm_id)),
    )


def domains(value: Any, *, field: str) -> tuple[str, ...]:
    """One domain or a list of them, lower case, each once."""
    values = value if isinstance(value, list) else [] if value is None else [value]
    for each in values:
        if not isinstance(each, str):
            raise BadRowError(f"a domain must be text, not {type(each).__name__}", field=field)
    return tuple(dict.fromkeys(found for each in values if (found := each.strip().lower())))
