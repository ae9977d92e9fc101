"""Filters of the table: as the API takes them and links carry them, as saved segments have them, and in words.

A filter is the API's CustomerFilter as JSON. What people put together is {"all": [test, …]} or {"any": [test, …]}, a test
each {field: {operator: value}}; anything else is shown as one condition of its own, and is as good.
"""

import json
from collections.abc import Mapping
from typing import Any

from hub.web.dashboard import words
from hub.web.dashboard.pages.customers_fields import Field

OPERATORS: Mapping[str, str] = {
    "eq": "is",
    "ne": "is not",
    "lt": "below",
    "lte": "at most",
    "gt": "above",
    "gte": "at least",
    "between": "between",
    "in": "is",
    "notIn": "is not",
    "exists": "is known",
    "contains": "contains",
    "startsWith": "begins with",
    "before": "before",
    "after": "after",
    "within": "within",
}
_SNAKE: Mapping[str, str] = {"notIn": "not_in", "startsWith": "starts_with", "inSegment": "in_segment"}
_CAMEL: Mapping[str, str] = {snake: camel for camel, snake in _SNAKE.items()}
MOST_TEXT = 8_000


def read(text: str | None) -> dict[str, Any]:
    """The filter of a link; ValueError where it is none. Whether its fields are any the API tells."""
    if not text:
        return {}
    if len(text) > MOST_TEXT:
        raise ValueError("the filter of this address is too long")
    try:
        made = json.loads(text)
    except json.JSONDecodeError:
        raise ValueError("the filter of this address is no JSON") from None
    if not isinstance(made, dict):
        raise ValueError('a filter is a JSON object, such as {"band": {"eq": "CRITICAL"}}')
    return made


def plain(condition: Any, fields: Mapping[str, Field]) -> Any:
    """A filter as exports and saved segments have it: names with _, members of enums in small letters."""
    if isinstance(condition, list):
        return [plain(each, fields) for each in condition]
    made: dict[str, Any] = {}
    for key, test in condition.items():
        if key in ("all", "any", "not"):
            made[key] = plain(test, fields)
        elif key == "custom":
            named = [{f"custom.{each['name']}": _tests(each, _SNAKE)} for each in test]
            made["all"] = [*made.get("all", []), *named]
        elif isinstance(test, dict):
            field = fields.get(key)
            made[field.name if field else key] = _tests(
                test, _SNAKE, str.lower if field and field.kind == "choice" else None
            )
        else:
            made[_SNAKE.get(key, key)] = test
    return made


def as_asked(condition: Any, fields: Mapping[str, Field]) -> Any:
    """A saved segment's condition as a filter of the API."""
    if isinstance(condition, list):
        return [as_asked(each, fields) for each in condition]
    by_name = {each.name: each for each in fields.values()}
    made: dict[str, Any] = {}
    for key, test in condition.items():
        if key in ("all", "any", "not"):
            made[key] = as_asked(test, fields)
        elif key.startswith("custom."):
            tests = test if isinstance(test, dict) else {"eq": test}
            made["custom"] = [*made.get("custom", []), {"name": key.removeprefix("custom."), **_tests(tests, _CAMEL)}]
        elif key in ("search", "in_segment"):
            made[_CAMEL.get(key, key)] = test
        else:
            field = by_name.get(key)
            tests = test if isinstance(test, dict) else {"eq": test}
            upper = str.upper if field and field.kind == "choice" else None
            made[field.key if field else key] = _tests(tests, _CAMEL, upper)
    return made


def _tests(tests: Mapping[str, Any], names: Mapping[str, str], case: Any = None) -> dict[str, Any]:
    def cased(value: Any) -> Any:
        if case is None or isinstance(value, bool):
            return value
        return [case(each) for each in value] if isinstance(value, list) else case(value)

    return {names.get(operator, operator): cased(value) for operator, value in tests.items() if operator != "name"}


def together(*conditions: Mapping[str, Any]) -> dict[str, Any] | None:
    """All of these; None where nothing is asked."""
    asked = [dict(each) for each in conditions if each]
    if not asked:
        return None
    return asked[0] if len(asked) == 1 else {"all": asked}


def split(condition: Mapping[str, Any]) -> tuple[str, list[dict[str, Any]]]:
    """How the tests of a filter are joined, all or any, and the tests."""
    for joined in ("all", "any"):
        if set(condition) == {joined} and all(isinstance(each, dict) for each in condition[joined]):
            return joined, list(condition[joined])
    return "all", [{key: test} for key, test in condition.items()]


def said(test: Mapping[str, Any], fields: Mapping[str, Field]) -> str:
    """A test in words."""
    if len(test) == 1:
        ((key, tests),) = test.items()
        field = fields.get(key)
        if field is not None and isinstance(tests, dict):
            return f"{field.title} " + " and ".join(_said(field, *each) for each in tests.items())
        if key == "inSegment":
            return f"in the segment {tests}"
        if key == "not" and isinstance(tests, dict):
            return f"not: {said(tests, fields)}"
        if key in ("all", "any") and isinstance(tests, list):
            return "(" + (" and " if key == "all" else " or ").join(said(each, fields) for each in tests) + ")"
    return json.dumps(test, ensure_ascii=False)


def _said(field: Field, operator: str, value: Any) -> str:
    if operator == "exists":
        return "is known" if value else "is not known"
    name = OPERATORS.get(operator, operator)
    if isinstance(value, list):
        return f"{name} {(' to ' if operator == 'between' else ' or ').join(_value(field, each) for each in value)}"
    return f"{name} {_value(field, value)}"


def _value(field: Field, value: Any) -> str:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return words.label(str(value)).lower() if field.kind == "choice" or field.choices else str(value)
    return f"{value * field.scale:,.10g} {field.shown_unit}".strip()
