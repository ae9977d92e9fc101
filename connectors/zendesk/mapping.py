"""Zendesk's rows as records. Pure; an unknown word where a fixed set is documented is refused, never guessed.

    organization(raw)  -> Company          key: the organization's id, which is what other rows call `organization_id`
    contact(raw)       -> Contact          end users only: agents and administrators are our own people
    ticket(raw)        -> Ticket           with `metric_set` and, added by the pull, `requester_email`
    survey_response    -> SurveyResponse   of either CSAT feature; `ticket` and `requester` are added by the pull

Version: `updated_at` in ms. A ticket's is the later of `updated_at` and `generated_timestamp`, because system changes move
only the second.

A satisfaction answer's key is its ticket: a ticket has one answer, the last one given. The two CSAT features overlap for
accounts that have moved from one to the other, and both then tell the same answer under ids of their own.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from connectors.kit.base import BadRowError, Raw
from hub.model.records import Company, Contact, Severity, SurveyResponse, SurveyType, Ticket, TicketStatus

STATUSES = {
    "new": TicketStatus.NEW,
    "open": TicketStatus.OPEN,
    "pending": TicketStatus.PENDING,
    "hold": TicketStatus.ON_HOLD,
    "solved": TicketStatus.SOLVED,
    "closed": TicketStatus.CLOSED,
    "deleted": TicketStatus.CLOSED,
}
SEVERITIES = {None: Severity.NORMAL} | {severity.value: severity for severity in Severity}
ROLES = ("end-user", "agent", "admin")
RATINGS = {"good": 1.0, "bad": 0.0}
UNANSWERED = ("offered", "unoffered")
CATEGORIES = {"good": 1.0, "neutral": 0.5, "bad": 0.0}


def organization(raw: Raw) -> tuple[Company]:
    deleted_at = _time_or_none(raw, "deleted_at")
    key = _id(raw, "id")
    return (
        Company(
            key=key,
            version=max(_ms(_time(raw, "updated_at")), _ms(deleted_at) if deleted_at else 0),
            company_key=key,
            deleted=deleted_at is not None,
            name=raw["name"],
            domains=tuple(dict.fromkeys(domain.strip().lower() for domain in raw["domain_names"] or ())),
            external_key=_id_or_none(raw.get("external_id")),
        ),
    )


def contact(raw: Raw) -> tuple[Contact, ...]:
    """A user's contact; none for our own people."""
    if _one_of(raw, "role", ROLES) != "end-user":
        return ()
    return (
        Contact(
            key=_id(raw, "id"),
            version=_ms(_time(raw, "updated_at")),
            company_key=_id_or_none(raw["organization_id"]),
            deleted=not raw["active"],
            email=_email(raw["email"]),
            name=raw["name"],
            last_seen_at=_time_or_none(raw, "last_login_at"),
            created_at=_time(raw, "created_at"),
        ),
    )


def ticket(raw: Raw) -> tuple[Ticket]:
    metrics: Mapping[str, Any] = raw.get("metric_set") or {}
    status = STATUSES[_one_of(raw, "status", STATUSES)]
    severity = SEVERITIES[_one_of(raw, "priority", SEVERITIES)]
    return (
        Ticket(
            key=_id(raw, "id"),
            version=max(_ms(_time(raw, "updated_at")), int(raw["generated_timestamp"]) * 1000),
            company_key=_id_or_none(raw["organization_id"]),
            deleted=raw["status"] == "deleted",
            subject=raw["subject"],
            status=status,
            severity=severity,
            requester_email=_email(raw.get("requester_email")),
            created_at=_time(raw, "created_at"),
            solved_at=_time_or_none(metrics, "solved_at"),
            first_response_minutes=_minutes(metrics, "reply_time_in_minutes"),
            resolution_minutes=_minutes(metrics, "full_resolution_time_in_minutes"),
            reopens=metrics.get("reopens") or 0,
            replies=metrics.get("replies") or 0,
            url=_page(raw["url"], raw["id"]) if raw.get("url") else None,
        ),
    )


def survey_response(raw: Raw) -> tuple[SurveyResponse, ...]:
    """The answer in a legacy rating or in a survey response; none where nobody has answered."""
    return _survey_answer(raw) if "answers" in raw else _rating(raw)


def ticket_of(raw: Raw) -> str | None:
    """The id of the ticket a rating or survey response is about; None for a conversation without one."""
    if "answers" not in raw:
        return _id_or_none(raw.get("ticket_id"))
    for zrn in raw.get("subject_zrns") or ():
        kind, _, key = str(zrn).removeprefix("zen:").removeprefix("zrn:").partition(":")
        if kind == "ticket" and key:
            return key
    return None


def asked_of(raw: Raw) -> str | None:
    """The id of the user who was asked."""
    return _id_or_none(raw.get("responder_id") if "answers" in raw else raw.get("requester_id"))


def _rating(raw: Raw) -> tuple[SurveyResponse, ...]:
    score = _one_of(raw, "score", (*RATINGS, *UNANSWERED))
    if score in UNANSWERED:
        return ()
    return (
        _answer(
            raw,
            answered=_time(raw, "created_at"),
            changed=_time(raw, "updated_at"),
            score=RATINGS[score],
            comment=raw.get("comment") or None,
        ),
    )


def _survey_answer(raw: Raw) -> tuple[SurveyResponse, ...]:
    rated = [one for one in raw["answers"] if one["type"].startswith("rating_scale")]
    if not rated:
        return ()
    category = _one_of(rated[0], "rating_category", CATEGORIES)
    words = [one["value"] for one in raw["answers"] if one["type"] == "open_ended" and one.get("value")]
    changed = max(_time(one, "updated_at") for one in raw["answers"])
    return (
        _answer(
            raw,
            answered=_time(rated[0], "created_at"),
            changed=changed,
            score=CATEGORIES[category],
            comment="\n".join(words) or None,
        ),
    )


def _answer(raw: Raw, *, answered: datetime, changed: datetime, score: float, comment: str | None) -> SurveyResponse:
    about = ticket_of(raw)
    asked: Mapping[str, Any] = raw.get("requester") or {}
    company = (raw.get("ticket") or {}).get("organization_id") or asked.get("organization_id")
    return SurveyResponse(
        key=f"ticket-{about}" if about else f"answer-{_id(raw, 'id')}",
        version=_ms(changed),
        company_key=_id_or_none(company),
        type=SurveyType.CSAT,
        scale="0-1",
        score=score,
        comment=comment,
        respondent_email=_email(asked.get("email")),
        responded_at=answered,
        ticket_key=about,
    )


def _one_of(raw: Mapping[str, Any], field: str, known: Any) -> Any:
    value = raw[field]
    if isinstance(value, (list, dict)) or value not in known:
        choices = ", ".join(str(word) for word in known if word is not None)
        raise BadRowError(f"{field} is {value!r}, none of {choices}", field=field)
    return value


def _time(raw: Mapping[str, Any], field: str) -> datetime:
    value = raw[field]
    try:
        at = datetime.fromisoformat(value)
    except (TypeError, ValueError):
        raise BadRowError(f"{field} is no time: {value!r}", field=field) from None
    if at.tzinfo is None:
        raise BadRowError(f"{field} has no time zone: {value!r}", field=field)
    return at


def _time_or_none(raw: Mapping[str, Any], field: str) -> datetime | None:
    return _time(raw, field) if raw.get(field) else None


def _minutes(metrics: Mapping[str, Any], field: str) -> float | None:
    """Calendar minutes; the vendor has business minutes beside them, which depend on its schedules."""
    value = (metrics.get(field) or {}).get("calendar")
    if value is None:
        return None
    if not isinstance(value, (int, float)) or value < 0:
        raise BadRowError(f"{field} is no number of minutes: {value!r}", field=field)
    return float(value)


def _ms(at: datetime) -> int:
    return round(at.timestamp() * 1000)


def _id(raw: Mapping[str, Any], field: str) -> str:
    key = _id_or_none(raw[field])
    if key is None:
        raise BadRowError(f"{field} is empty", field=field)
    return key


def _id_or_none(value: object) -> str | None:
    return str(value).strip() or None if isinstance(value, (str, int)) and not isinstance(value, bool) else None


def _email(value: str | None) -> str | None:
    return value.strip().lower() or None if value else None


def _page(url: str, key: int) -> str:
    """Where an agent sees the ticket; rows have the address of its JSON."""
    return f"{url.partition('/api/')[0]}/agent/tickets/{key}"
