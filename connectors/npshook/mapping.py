"""Rows as a sender has them, as records. Pure; which part of a row is which field is the source's settings.

id                 what the sender calls the answer; the same one again replaces it
type               nps, csat or ces
score              a number within the scale, or a word of the setting scores
scale              "0-10" for nps; others must say theirs
responded_at       when it was given; updated_at: when it was changed, if later
company            an id of another system, or a domain; without it the domain of respondent_email
respondent_email, comment, ticket, deleted
"""

from collections.abc import Mapping
from typing import Any

from connectors.kit.base import BadRowError, Raw
from connectors.kit.values import choice, flag, given, moment, number, text, version
from hub.model.records import SurveyResponse, SurveyType

TYPES = {survey.value: survey for survey in SurveyType}
USUAL_SCALES = {SurveyType.NPS: "0-10"}
FIELDS = (
    "id", "type", "score", "scale", "responded_at", "updated_at", "company", "respondent_email", "comment", "ticket", "deleted",
)  # fmt: skip


def response(
    raw: Raw, *, fields: Mapping[str, str], constants: Mapping[str, str], scores: Mapping[str, float]
) -> tuple[SurveyResponse]:
    """fields: {field: path}; constants: {field: value}; scores: {word: number}."""
    row = {name: _at(raw, fields.get(name, name)) for name in FIELDS} | dict(constants)
    kind = choice(_lower(row["type"]), TYPES, field="type")
    said = row["responded_at"] if given(row["responded_at"]) else raw.get("received_at")
    answered = moment(said, field="responded_at")
    changed = moment(row["updated_at"], field="updated_at") if given(row["updated_at"]) else answered
    email = text(row["respondent_email"])
    scale = text(row["scale"]) or USUAL_SCALES.get(kind)
    if scale is None:
        raise BadRowError(
            f"is empty; {kind.value} has no usual one, so say it in the row or in constants", field="scale"
        )
    return (
        SurveyResponse(
            key=key_of(row["id"]),
            version=version(max(answered, changed)),
            company_key=text(row["company"]) or (email.lower().rpartition("@")[2] if email else None),
            deleted=given(row["deleted"]) and flag(row["deleted"], field="deleted"),
            type=kind,
            scale=scale,
            score=_score(row["score"], scale, scores),
            comment=text(row["comment"]),
            respondent_email=email.lower() if email else None,
            responded_at=answered,
            ticket_key=text(row["ticket"]),
        ),
    )


def key_of(value: Any) -> str:
    key = text(value) if isinstance(value, (str, int)) else None
    if key is None:
        raise BadRowError("is empty", field="id")
    return key


def id_of(raw: Raw, *, fields: Mapping[str, str]) -> str:
    """A row's id for the quarantine; empty where it has none."""
    found = _at(raw, fields.get("id", "id"))
    return str(found) if isinstance(found, (str, int)) else ""


def bounds(scale: str) -> tuple[float, float]:
    """The ends of "0-10"; BadRowError for anything else."""
    lowest, dash, highest = scale.partition("-")
    try:
        ends = float(lowest), float(highest)
    except ValueError:
        ends = 0.0, 0.0
    if not dash or ends[0] >= ends[1]:
        raise BadRowError(f"{scale!r} is no scale such as 0-10 or 1-5", field="scale")
    return ends


def _score(value: Any, scale: str, scores: Mapping[str, float]) -> float:
    lowest, highest = bounds(scale)
    word = _lower(value)
    if isinstance(word, str) and word in scores:
        score = scores[word]
    elif scores and isinstance(word, str) and not word.lstrip("-").replace(".", "", 1).isdigit():
        score = choice(word, scores, field="score", hint="or name it in the setting scores")
    else:
        score = number(value, field="score")
    if not lowest <= score <= highest:
        raise BadRowError(f"{score:g} is not within {scale}", field="score")
    return float(score)


def _lower(value: Any) -> Any:
    return value.strip().lower() if isinstance(value, str) else value


def _at(raw: Mapping[str, Any], path: str) -> Any:
    """What stands at a path with dots; None where it leads nowhere."""
    found: Any = raw
    for name in path.split("."):
        found = found.get(name) if isinstance(found, Mapping) else None
    return found
