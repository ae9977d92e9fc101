"""Forms, and which of their questions count: those of type nps, and those a setting names.

A form's definition is asked for once a pull. A question's scale is the definition's: `steps` and whether they start at one.
"""

from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from typing import Any

from connectors.kit.errors import ContractError, DeniedError
from connectors.kit.http import Client
from connectors.kit.paging import NumberPages
from hub.model.records import SurveyType

FORMS_A_PAGE = 200
SCALES = ("nps", "opinion_scale", "rating")
NPS_STEPS = 11
USUAL_STEPS = {"opinion_scale": 11, "rating": 3}
Questions = Mapping[str, Mapping[str, Any]]
"""{field id: {"survey": nps | csat | ces, "lowest", "highest"}}, in the order of the form."""


async def counted(
    client: Client, only: Sequence[str], named: Mapping[str, SurveyType]
) -> AsyncIterator[tuple[str, Questions]]:
    """(form id, its questions) of each form that has any. DeniedError for a form of the setting that is missing or has none."""
    for form in only or [form async for form in _all(client)]:
        scales = await _scales(client, form)
        questions = _chosen(scales or (), named)
        if questions:
            yield form, questions
        elif only and scales is None:
            raise DeniedError(f"there is no form {form!r}; see the setting forms", permission="forms")
        elif only:
            refs = ", ".join(str(field.get("ref") or field["id"]) for field in scales or ()) or "none with a scale"
            words = f"form {form!r} has no question of type nps; name one in the setting questions, of: {refs}"
            raise DeniedError(words, permission="questions")


async def questions_of(client: Client, form: str, named: Mapping[str, SurveyType]) -> Questions | None:
    """The questions of a form that count; None where there is no such form any more."""
    scales = await _scales(client, form)
    return None if scales is None else _chosen(scales, named)


async def _scales(client: Client, form: str) -> Sequence[Mapping[str, Any]] | None:
    """The scale questions of a form; None where there is none of that id."""
    try:
        definition = await client.get_json(f"/forms/{form}")
    except ContractError as error:
        if error.status != 404:
            raise
        return None
    if not isinstance(definition, Mapping) or not isinstance(definition.get("fields") or [], list):
        raise ContractError(f"Typeform form {form}: the answer is no definition")
    return [field for field in _fields(definition) if field.get("type") in SCALES]


def _chosen(scales: Sequence[Mapping[str, Any]], named: Mapping[str, SurveyType]) -> Questions:
    return {str(field["id"]): scale for field in scales if (scale := _scale(field, named)) is not None}


async def _all(client: Client) -> AsyncIterator[str]:
    pages, number = NumberPages("Typeform forms", size=FORMS_A_PAGE), 1
    seen = set[str]()
    while True:
        answer = await client.get_json("/forms", params={"page": number, "page_size": FORMS_A_PAGE})
        items = answer.get("items") if isinstance(answer, Mapping) else None
        if not isinstance(items, list):
            raise ContractError("Typeform /forms: an answer has no list of items")
        fresh = [str(item["id"]) for item in items if str(item["id"]) not in seen]
        if items and not fresh:
            raise ContractError("Typeform /forms: a page came again; the pages would never end")
        seen.update(fresh)
        for form in fresh:
            yield form
        following = pages.next(len(items), more=number < int(answer.get("page_count") or 0))
        if following is None:
            return
        number = following


def _fields(definition: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """All fields, those in groups as well."""
    for field in definition.get("fields") or ():
        yield field
        yield from _fields(field.get("properties") or {})


def _scale(field: Mapping[str, Any], named: Mapping[str, SurveyType]) -> Mapping[str, Any] | None:
    """What a question measures and between which numbers; None where it does not count."""
    survey = named.get(str(field.get("ref"))) or named.get(str(field["id"]))
    kind, properties = str(field["type"]), field.get("properties") or {}
    if survey is None and kind != "nps":
        return None
    lowest = 1 if kind == "rating" or properties.get("start_at_one") else 0
    steps = NPS_STEPS if kind == "nps" else int(properties.get("steps") or USUAL_STEPS[kind])
    return {"survey": (survey or SurveyType.NPS).value, "lowest": lowest, "highest": lowest + steps - 1}
