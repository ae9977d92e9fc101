"""Typeform's responses as records. Pure; a response never changes, so its version is when it was submitted.

The pull has put `form` into each row: {"id", "questions": {field id: {"survey", "lowest", "highest"}}}. The first question
of the form that counts makes a record with the key "<form>.<response>"; another one adds its field id to that.
"""

from collections.abc import Mapping
from typing import Any

from connectors.kit.base import BadRowError, Raw
from connectors.kit.values import choice, moment, text, version, whole
from hub.model.records import SurveyResponse, SurveyType

SURVEYS = {survey.value: survey for survey in SurveyType}


def responses(raw: Raw, *, company_field: str, email_field: str) -> list[SurveyResponse]:
    """None where no question that counts was answered."""
    questions: Mapping[str, Mapping[str, Any]] = raw["form"]["questions"]
    answers = {str(answer["field"]["id"]): answer for answer in raw.get("answers") or ()}
    hidden: Mapping[str, Any] = raw.get("hidden") or {}
    submitted = moment(raw["submitted_at"], field="submitted_at")
    email = _email(answers, hidden, email_field)
    return [
        SurveyResponse(
            key=key_of(raw) + (f".{field}" if number else ""),
            version=version(submitted),
            company_key=text(hidden.get(company_field)) or (email.rpartition("@")[2] if email else None),
            type=choice(scale["survey"], SURVEYS, field="survey"),
            scale=f"{scale['lowest']}-{scale['highest']}",
            score=_score(answers[field], scale),
            comment=_comment(answers),
            respondent_email=email,
            responded_at=submitted,
        )
        for number, (field, scale) in enumerate(questions.items())
        if field in answers
    ]


def key_of(raw: Raw) -> str:
    return f"{raw['form']['id']}.{response_of(raw)}"


def response_of(raw: Raw) -> str:
    key = text(raw.get("response_id")) or text(raw.get("token"))
    if key is None:
        raise BadRowError("is empty", field="response_id")
    return key


def _score(answer: Mapping[str, Any], scale: Mapping[str, Any]) -> float:
    score = whole(answer.get("number"), field="answers.number")
    if not scale["lowest"] <= score <= scale["highest"]:
        raise BadRowError(f"{score} is not within {scale['lowest']} to {scale['highest']}", field="answers.number")
    return float(score)


def _comment(answers: Mapping[str, Mapping[str, Any]]) -> str | None:
    """The long texts; short ones may be names and other things that are no comment."""
    words = [text(one.get("text")) for one in answers.values() if one["field"].get("type") == "long_text"]
    return "\n".join(word for word in words if word) or None


def _email(answers: Mapping[str, Mapping[str, Any]], hidden: Mapping[str, Any], field: str) -> str | None:
    given = [text(hidden.get(field)), *(text(one.get("email")) for one in answers.values())]
    return next((email.lower() for email in given if email and "@" in email), None)
