"""Surveys, and which of their questions count: those that look like NPS, and those a setting names.

An answer names a choice by its id, so each choice's number is taken from the survey's details: of NPS the number in its words,
of others its rank by weight, or by position where weights are equal or missing. Details cost a call a survey and are kept in
the bookmark until the survey, or the setting, is another one.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from hashlib import blake2b
from typing import Any

from connectors.kit.errors import ContractError, DeniedError
from connectors.kit.http import Client, Params
from connectors.kit.paging import NumberPages
from hub.model.records import SurveyType

V3 = "/v3/surveys"
SURVEYS_A_PAGE = 1_000
NPS_CHOICES, NPS_WEIGHTS = 11, {-100, 0, 100}
Details = Mapping[str, Any]
"""{"questions": {question id: {"survey", "lowest", "highest", "choices": {choice id: number}}}, "comments": [question id, …]}.
The number of "not applicable" is None."""


async def listed(client: Client) -> dict[str, str]:
    """{survey id: when it was changed} of all surveys."""
    pages, number = NumberPages("SurveyMonkey surveys", size=SURVEYS_A_PAGE), 1
    found: dict[str, str] = {}
    while True:
        params: Params = {"page": number, "per_page": SURVEYS_A_PAGE, "include": "date_modified"}
        answer = await client.get_json(V3, params=params)
        rows = answer.get("data") if isinstance(answer, Mapping) else None
        if not isinstance(rows, list):
            raise ContractError(f"SurveyMonkey {V3}: an answer has no list of data")
        fresh = {str(row["id"]): str(row.get("date_modified") or "") for row in rows}
        if fresh and fresh.keys() <= found.keys():
            raise ContractError(f"SurveyMonkey {V3}: a page came again; the pages would never end")
        found.update(fresh)
        following = pages.next(len(rows), more=bool((answer.get("links") or {}).get("next")))
        if following is None:
            return found
        number = following


async def details(client: Client, survey: str, named: Mapping[str, SurveyType], *, needed: bool) -> Details | None:
    """What counts of a survey; None where there is no such survey any more. `needed`: DeniedError where nothing counts."""
    try:
        answer = await client.get_json(f"{V3}/{survey}/details")
    except ContractError as error:
        if error.status != 404:
            raise
        return None
    if not isinstance(answer, Mapping) or not isinstance(answer.get("pages"), list):
        raise ContractError(f"SurveyMonkey survey {survey}: the answer is no survey")
    asked = list(_questions(answer))
    counted = {str(one["id"]): scale for one in asked if (scale := _scale(one, named)) is not None}
    if needed and not counted:
        known = ", ".join(f"{one['id']} ({_heading(one)})" for one in asked if _choices(one)) or "none with choices"
        words = f"survey {survey} has no question that looks like NPS; name one in the setting questions, of: {known}"
        raise DeniedError(words, permission="questions")
    return {"questions": counted, "comments": [str(one["id"]) for one in asked if one.get("family") == "open_ended"]}


def stamp(modified: str, named: Mapping[str, SurveyType]) -> str:
    """Changes when details must be asked for again."""
    said = repr(sorted((key, value.value) for key, value in named.items()))
    return f"{modified} {blake2b(said.encode(), digest_size=6).hexdigest()}"


def _questions(survey: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    for page in survey["pages"]:
        yield from page.get("questions") or ()


def _choices(question: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
    """Without "not applicable"."""
    choices = (question.get("answers") or {}).get("choices") or ()
    return [choice for choice in choices if not choice.get("is_na")]


def _scale(question: Mapping[str, Any], named: Mapping[str, SurveyType]) -> Mapping[str, Any] | None:
    """None where the question does not count."""
    choices = _choices(question)
    survey = named.get(str(question["id"]))
    weights = [choice.get("weight") for choice in choices]
    none = {str(each["id"]): None for each in (question.get("answers") or {}).get("choices") or () if each.get("is_na")}
    if survey is None and len(choices) == NPS_CHOICES and set(weights) <= NPS_WEIGHTS and len(set(weights)) > 1:
        survey = SurveyType.NPS
    if survey is None or not choices:
        return None
    if survey is SurveyType.NPS and len(choices) == NPS_CHOICES:
        numbers = {str(choice["id"]): _number(choice, place) for place, choice in enumerate(choices)}
        return {"survey": survey.value, "lowest": 0, "highest": NPS_CHOICES - 1, "choices": {**none, **numbers}}
    distinct = len({weight for weight in weights if isinstance(weight, (int, float))}) == len(choices)
    ranked = sorted(choices, key=lambda choice: choice["weight" if distinct else "position"])
    numbers = {str(choice["id"]): rank for rank, choice in enumerate(ranked, start=1)}
    return {"survey": survey.value, "lowest": 1, "highest": len(ranked), "choices": {**none, **numbers}}


def _number(choice: Mapping[str, Any], place: int) -> int:
    """Of "10", "0 - Not at all likely" or "Not at all likely - 0"; else its place."""
    digits = re.search(r"\b(10|\d)\b", str(choice.get("text") or ""))
    return int(digits[1]) if digits else place


def _heading(question: Mapping[str, Any]) -> str:
    headings: Sequence[Mapping[str, Any]] = question.get("headings") or [{}]
    return str(headings[0].get("heading") or "")[:60]
