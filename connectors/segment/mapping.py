"""Calls of tracking libraries: group -> Company; identify and group -> what is said of a user; track, page, screen -> acts.

A raw row is a call as it was sent, with `receivedAt` and `sentAt`. Clocks of devices are wrong: where a call says when it was
sent, what it says of its own time is taken as so long before the time it was received.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from connectors.kit import values
from connectors.kit.base import BadRowError, Raw
from connectors.kit.tracking import Act, Profile
from hub.model.records import Company, Contact

LONGEST = 200
ACTS = ("track", "page", "screen")
SKEW = timedelta(minutes=1)


def companies(raw: Raw, *, crm_trait: str | None = None) -> list[Company]:
    """The company of a call of group, or of an identify that names the user's."""
    traits, key = _traits(raw), _group(raw)
    if raw.get("type") != "group":
        traits = _mapping(traits.get("company"))
        key = key or values.text(traits.get("id"))
    if key is None:
        raise BadRowError("names no group", field="groupId")
    domain = values.text(traits.get("domain") or traits.get("website"))
    employees = traits.get("employees")
    return [
        Company(
            key=key,
            version=_version(raw),
            company_key=key,
            name=values.text(traits.get("name")),
            domains=(_host(domain),) if domain else (),
            external_key=values.text(traits.get(crm_trait)) if crm_trait else None,
            industry=values.text(traits.get("industry")),
            employees=values.whole(employees, field="traits.employees") if values.given(employees) else None,
        )
    ]


def contacts(raw: Raw) -> list[Contact]:
    """A user as all calls together tell of it: a row of `connectors.kit.tracking`."""
    created = raw.get("created_at")
    return [
        Contact(
            key=raw["user"],
            version=raw["version"],
            company_key=raw["company"],
            email=raw["email"],
            name=raw["name"],
            title=raw["title"],
            created_at=values.moment(created, field="traits.createdAt") if created else None,
        )
    ]


def profile(raw: Raw) -> Profile:
    """What an identify or a group says of its user."""
    said = _traits(raw) if raw.get("type") == "identify" else _mapping(_mapping(raw.get("context")).get("traits"))
    first, last = values.text(said.get("firstName")), values.text(said.get("lastName"))
    created = said.get("createdAt") or said.get("created_at")
    email = values.text(said.get("email"))
    return Profile(
        user=_user(raw),
        version=_version(raw),
        company=_group(raw) or values.text(_mapping(said.get("company")).get("id")),
        email=email.lower() if email else None,
        name=values.text(said.get("name")) or " ".join(part for part in (first, last) if part) or None,
        title=values.text(said.get("title")),
        created_at=values.moment(created, field="traits.createdAt") if values.given(created) else None,
    )


def act(raw: Raw, *, company_property: str | None = None) -> Act:
    """What a track, page or screen tells that its user did."""
    kind = raw.get("type")
    if kind not in ACTS:
        known = "track, page, screen, identify, group, alias"
        raise BadRowError(f"{kind!r} is none of: {known}", field="type")
    properties = _mapping(raw.get("properties"))
    name = values.text(raw.get("event") if kind == "track" else raw.get("name") or properties.get("name"))
    if kind == "track" and name is None:
        raise BadRowError("is empty", field="event")
    shown = str(name) if kind == "track" else f"{str(kind).capitalize()} {name or 'viewed'}"
    company = values.text(properties.get(company_property)) if company_property else None
    return Act(
        id=key_of(raw),
        user=_user(raw),
        name=shown[:LONGEST],
        at=_time(raw),
        version=_version(raw),
        company=company or _group(raw),
    )


def key_of(raw: Raw) -> str:
    """The sender's id of the call, or of a summed row what it is about."""
    known = raw.get("messageId") or raw.get("user") or raw.get("company") or ""
    return str(known)[:LONGEST]


def _user(raw: Raw) -> str:
    user, unknown = values.text(raw.get("userId")), values.text(raw.get("anonymousId"))
    if user is None and unknown is None:
        raise BadRowError("names neither userId nor anonymousId", field="userId")
    return (user or f"anonymous {unknown}")[:LONGEST]


def _group(raw: Raw) -> str | None:
    own = values.text(raw.get("groupId")) if raw.get("type") == "group" else None
    return own or values.text(_mapping(raw.get("context")).get("groupId"))


def _traits(raw: Raw) -> Mapping[str, Any]:
    return _mapping(raw.get("traits"))


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _time(raw: Raw) -> datetime:
    received = values.moment(raw["receivedAt"], field="receivedAt")
    said = raw.get("timestamp") or raw.get("originalTimestamp")
    if not values.given(said):
        return received
    at = values.moment(said, field="timestamp")
    if values.given(raw.get("sentAt")):
        skew = received - values.moment(raw["sentAt"], field="sentAt")
        if abs(skew) > SKEW:
            at += skew
    return min(at, received)


def _version(raw: Raw) -> int:
    return values.version(values.moment(raw["receivedAt"], field="receivedAt"))


def _host(domain: str) -> str:
    return domain.lower().removeprefix("https://").removeprefix("http://").removeprefix("www.").partition("/")[0]
