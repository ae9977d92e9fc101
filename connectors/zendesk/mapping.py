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

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from connectors.kit.base import BadRowError, Raw
from connectors.kit.values import choice, given, moment, text, version
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
SEVERITIES = {severity.value: severity for severity in Severity} | {"": Severity.NORMAL}
IS_OURS = {"end-user": False, "agent": True, "admin": True}  # by role
RATINGS = {"good": 1.0, "bad": 0.0, "offered": None, "unoffered": None}
CATEGORIES = {"good": 1.0, "neutral": 0.5, "bad": 0.0}


def organization(raw: Raw) -> tuple[Company]:
    deleted_at, key = _when(raw, "deleted_at"), _id(raw, "id")
    return (
        Company(
            key=key,
            version=max(_version(raw), version(deleted_at) if deleted_at else 0),
            company_key=key,
            deleted=deleted_at is not None,
            name=raw["name"],
            domains=tuple(
                dict.fromkeys(name for given in raw["domain_names"] or () if (name := given.strip().lower()))
            ),
            external_key=_id_or_none(raw.get("external_id")),
        ),
    )


def contact(raw: Raw) -> tuple[Contact, ...]:
    """A user's contact; none for our own people."""
    if choice(raw["role"], IS_OURS, field="role"):
        return ()
    return (
        Contact(
            key=_id(raw, "id"),
            version=_version(raw),
            company_key=_id_or_none(raw["organization_id"]),
            deleted=not raw["active"],
            email=_email(raw["email"]),
            name=raw["name"],
            last_seen_at=_when(raw, "last_login_at"),
            created_at=moment(raw["created_at"], field="created_at"),
        ),
    )


def ticket(raw: Raw) -> tuple[Ticket]:
    metrics: Mapping[str, Any] = raw.get("metric_set") or {}
    return (
        Ticket(
            key=_id(raw, "id"),
            version=max(_version(raw), int(raw["generated_timestamp"]) * 1000),
            company_key=_id_or_none(raw["organization_id"]),
            deleted=raw["status"] == "deleted",
            subject=raw["subject"],
            status=choice(raw["status"], STATUSES, field="status"),
            severity=choice(raw["priority"], SEVERITIES, field="priority"),
            requester_email=_email(raw.get("requester_email")),
            created_at=moment(raw["created_at"], field="created_at"),
            solved_at=_when(metrics, "solved_at"),
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
    told = [str(zrn).removeprefix("zrn:") for zrn in raw.get("subject_zrns") or ()]
    told += [f"{each.get('type')}:{each.get('id')}" for each in raw.get("subjects") or ()]  # as some accounts have it
    for subject in told:
        kind, _, key = subject.removeprefix("zen:").partition(":")
        if kind == "ticket" and key:
            return key
    return None


def asked_of(raw: Raw) -> str | None:
    """The id of the user who was asked."""
    return _id_or_none(raw.get("responder_id") if "answers" in raw else raw.get("requester_id"))


def _rating(raw: Raw) -> tuple[SurveyResponse, ...]:
    score = choice(raw["score"], RATINGS, field="score")
    if score is None:
        return ()
    answered = moment(raw["created_at"], field="created_at")
    return (_answer(raw, answered=answered, changed=_version(raw), score=score, comment=text(raw.get("comment"))),)


def _survey_answer(raw: Raw) -> tuple[SurveyResponse, ...]:
    rated = [one for one in raw["answers"] if one["type"].startswith("rating_scale")]
    if not rated:
        return ()
    rated.sort(
        key=lambda one: _question(one).get("sub_type") != "customer_satisfaction"
    )  # a survey may ask for several
    score = choice(rated[0]["rating_category"], CATEGORIES, field="rating_category")
    words = [*_reasons(raw["answers"])]
    words += [one["value"] for one in raw["answers"] if one["type"] == "open_ended" and given(one.get("value"))]
    answered = moment(rated[0]["created_at"], field="created_at")
    changed = max(_version(one) for one in raw["answers"])
    return (_answer(raw, answered=answered, changed=changed, score=score, comment="\n".join(words) or None),)


def _reasons(answers: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """What was chosen of the reasons that were offered, in their own words."""
    for one in answers:
        if one["type"] == "closed_ended":
            labels = {option.get("id"): option.get("label") for option in _question(one).get("options") or ()}
            for chosen in one.get("selections") or ():
                if label := labels.get(chosen.get("option_id")):
                    yield str(label)


def _question(answer: Mapping[str, Any]) -> Mapping[str, Any]:
    question = answer.get("question")
    return question if isinstance(question, Mapping) else {}


def _answer(raw: Raw, *, answered: datetime, changed: int, score: float, comment: str | None) -> SurveyResponse:
    about = ticket_of(raw)
    asked: Mapping[str, Any] = raw.get("requester") or {}
    company = (raw.get("ticket") or {}).get("organization_id") or asked.get("organization_id")
    return SurveyResponse(
        key=f"ticket-{about}" if about else f"answer-{_id(raw, 'id')}",
        version=changed,
        company_key=_id_or_none(company),
        type=SurveyType.CSAT,
        scale="0-1",
        score=score,
        comment=comment,
        respondent_email=_email(asked.get("email")),
        responded_at=answered,
        ticket_key=about,
    )


def _version(raw: Mapping[str, Any]) -> int:
    return version(moment(raw["updated_at"], field="updated_at"))


def _when(raw: Mapping[str, Any], field: str) -> datetime | None:
    return moment(raw[field], field=field) if given(raw.get(field)) else None


def _minutes(metrics: Mapping[str, Any], field: str) -> float | None:
    """Calendar minutes; the vendor has business minutes beside them, which depend on its schedules."""
    value = (metrics.get(field) or {}).get("calendar")
    if value is None:
        return None
    if not isinstance(value, (int, float)) or value < 0:
        raise BadRowError(f"{field} is no number of minutes: {value!r}", field=field)
    return float(value)


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
