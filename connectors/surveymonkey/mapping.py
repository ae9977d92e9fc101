"""SurveyMonkey's responses as records. Pure; `date_modified` is a response's version.

The pull has put `survey` into each row: its id, its questions that count with each choice's number, and which hold comments.
The first question of the survey that counts makes a record with the key "<survey>.<response>"; another one adds its id to that.
"""

from collections.abc import Mapping
from typing import Any

from connectors.kit.base import BadRowError, Raw
from connectors.kit.values import choice, moment, text, version
from hub.model.records import SurveyResponse, SurveyType

SURVEYS = {survey.value: survey for survey in SurveyType}
COMPLETED = "completed"
STATUSES = (COMPLETED, "partial", "overquota", "disqualified")


def responses(raw: Raw, *, company_variable: str) -> list[SurveyResponse]:
    """None where it is not completed, or no question that counts was answered."""
    choice(raw["response_status"], dict.fromkeys(STATUSES), field="response_status")
    if raw["response_status"] != COMPLETED:
        return []
    answers = {str(question["id"]): question for page in raw["pages"] for question in page.get("questions") or ()}
    email = _email(raw)
    company = text((raw.get("custom_variables") or {}).get(company_variable))
    made = []
    for number, (question, scale) in enumerate(raw["survey"]["questions"].items()):
        score = _score(answers.get(question), scale["choices"])
        if score is None:
            continue
        made.append(
            SurveyResponse(
                key=key_of(raw) + (f".{question}" if number else ""),
                version=version(moment(raw["date_modified"], field="date_modified")),
                company_key=company or (email.rpartition("@")[2] if email else None),
                type=choice(scale["survey"], SURVEYS, field="survey"),
                scale=f"{scale['lowest']}-{scale['highest']}",
                score=score,
                comment=_comment(answers, raw["survey"]["comments"]),
                respondent_email=email,
                responded_at=moment(raw["date_created"], field="date_created"),
            )
        )
    return made


def key_of(raw: Raw) -> str:
    key = text(raw["id"])
    if key is None:
        raise BadRowError("is empty", field="id")
    return f"{raw['survey']['id']}.{key}"


def _score(question: Mapping[str, Any] | None, choices: Mapping[str, int | None]) -> float | None:
    """None for a question that was left out, or answered with "not applicable"."""
    chosen = [one["choice_id"] for one in (question or {}).get("answers") or () if one.get("choice_id")]
    if len(chosen) > 1:
        raise BadRowError("several choices of one scale", field="answers.choice_id")
    number = choice(chosen[0], choices, field="answers.choice_id") if chosen else None
    return None if number is None else float(number)


def _comment(answers: Mapping[str, Mapping[str, Any]], comments: list[str]) -> str | None:
    words = [text(one.get("text")) for key in comments for one in (answers.get(key) or {}).get("answers") or ()]
    return "\n".join(word for word in words if word) or None


def _email(raw: Raw) -> str | None:
    contact = ((raw.get("metadata") or {}).get("contact") or {}).get("email") or {}
    email = text(contact.get("value")) or text(raw.get("email_address"))
    return email.lower() if email and "@" in email else None
