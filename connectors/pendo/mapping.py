"""Pendo's rows as records.

    account    {"accountId", "metadata": {"auto": {"lastupdatedat"}, "agent": {…}, "custom": {…}, …}} -> Company
    visitor    {"visitorId", "metadata": {"auto": {"accountid", "accountids", "firstvisit", "lastvisit"}, …}} -> Contact
    answer     {"visitorId", "accountId", "pollId", "browserTime", "pollResponse", "reason", "email"} -> SurveyResponse

Times are milliseconds since 1970. Where metadata holds what is a setting, a path such as agent.email.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any

from connectors.kit.base import BadRowError, Raw
from connectors.kit.profiles import domains
from connectors.kit.values import given, moment, text, whole
from hub.model.records import Company, Contact, SurveyResponse, SurveyType


@dataclass(frozen=True, slots=True, kw_only=True)
class Places:
    """Paths within `metadata`."""

    name: str
    domain: str
    crm_id: str
    email: str
    visitor_name: str
    role: str


def company(raw: Raw, *, places: Places) -> Company:
    key = _id(raw, "accountId")
    metadata = raw["metadata"]
    return Company(
        key=key,
        version=_changed(metadata),
        company_key=key,
        name=text(at(metadata, places.name)),
        domains=domains(at(metadata, places.domain), field=places.domain),
        external_key=text(at(metadata, places.crm_id)),
    )


def contact(raw: Raw, *, places: Places) -> Contact:
    metadata = raw["metadata"]
    auto = metadata.get("auto") or {}
    several = auto.get("accountids") or []
    account = auto.get("accountid") or (several[0] if several else None)
    email = text(at(metadata, places.email))
    seen, first = auto.get("lastvisit"), auto.get("firstvisit")
    return Contact(
        key=_id(raw, "visitorId"),
        version=_changed(metadata),
        company_key=text(account),
        email=email.lower() if email else None,
        name=text(at(metadata, places.visitor_name)),
        role=(text(at(metadata, places.role)) or "").lower() or None,
        last_seen_at=moment(seen, field="metadata.auto.lastvisit") if seen else None,
        created_at=moment(first, field="metadata.auto.firstvisit") if first else None,
    )


def survey_response(raw: Raw) -> SurveyResponse:
    score, at_ = whole(raw["pollResponse"], field="pollResponse"), moment(raw["browserTime"], field="browserTime")
    if not 0 <= score <= 10:
        raise BadRowError(f"{score} is no score from 0 to 10", field="pollResponse")
    return SurveyResponse(
        key=answer_key(raw),
        version=whole(raw["browserTime"], field="browserTime"),
        company_key=text(raw["accountId"]),
        type=SurveyType.NPS,
        scale="0-10",
        score=float(score),
        comment=text(raw.get("reason")),
        respondent_email=text(raw.get("email")),
        responded_at=at_,
    )


def answer_key(raw: Raw) -> str:
    """A visitor may answer a poll again: that is another answer. Whose it is, is told by a digest: many call visitors by their
    addresses, and a record's key is no secret."""
    visitor = blake2b(str(raw.get("visitorId", "")).encode(), digest_size=8).hexdigest()
    return f"{raw.get('pollId', '')}|{visitor}|{raw.get('browserTime', '')}"


def at(metadata: Any, path: str) -> Any:
    """What stands at a path such as agent.email; None where nothing does."""
    for part in path.split("."):
        metadata = metadata.get(part) if isinstance(metadata, Mapping) else None
    return metadata


def _id(raw: Raw, name: str) -> str:
    if not given(raw[name]):
        raise BadRowError("a row without its id", field=name)
    return str(raw[name]).strip()


def _changed(metadata: Any) -> int:
    return whole(at(metadata, "auto.lastupdatedat") or 0, field="metadata.auto.lastupdatedat")
