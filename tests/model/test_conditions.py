"""Conditions: what is parsed, everything that is refused at once, and what they mean."""

from typing import Any as Anything

import pytest

from hub.model.conditions import All, Any, ConditionError, Field, Not, Operator, Test, fields_of, matches, parse

HEALTH = Field("health", "number")
PLAN = Field("plan", "text")
BAND = Field("band", "text", ("critical", "warning"))
FIELDS = {field.name: field for field in (HEALTH, PLAN, BAND)}


def test_shapes() -> None:
    low = Test(HEALTH, Operator.LT, 0.5)
    pro = Test(PLAN, Operator.IN, ("pro", "max"))
    assert parse({"health": {"lt": 0.5}}, FIELDS) == low
    assert parse({"health": {"lt": 0.5}, "plan": {"in": ["pro", "max"]}}, FIELDS) == All((low, pro))
    assert parse({"health": {"gte": 0, "lt": 0.5}}, FIELDS) == All((Test(HEALTH, Operator.GTE, 0.0), low))
    nested = parse({"any": [{"not": {"health": {"lt": 0.5}}}, {"plan": {"in": ["pro", "max"]}}]}, FIELDS)
    assert nested == Any((Not(low), pro))
    assert fields_of(nested) == {"health", "plan"}


def test_everything_wrong_is_told_at_once() -> None:
    with pytest.raises(ConditionError) as caught:
        parse(
            {
                "all": [
                    {"helth": {"lt": 1}},
                    {"health": {"below": 1, "contains": "x", "lt": "low", "gt": True}},
                    {"band": {"in": ["critical", "red"]}},
                    {"plan": {"eq": 3, "exists": "yes", "in": []}},
                    {"plan": "pro"},
                ],
                "any": [],
                "not": 3,
            },
            FIELDS,
        )
    number_operators = ("eq", "ne", "in", "not_in", "exists", "lt", "lte", "gt", "gte", "between")
    text_operators = ("eq", "ne", "in", "not_in", "exists", "contains", "starts_with")
    assert [(problem.key, problem.message, problem.choices) for problem in caught.value.problems] == [
        (("all", 0, "helth"), "is no fact", ("health",)),
        (("all", 1, "health", "below"), "is no operator for a number", number_operators),
        (("all", 1, "health", "contains"), "is no operator for a number", number_operators),
        (("all", 1, "health", "lt"), "must be a number, not 'low'", ()),
        (("all", 1, "health", "gt"), "must be a number, not True", ()),
        (("all", 2, "band", "in", 1), "is no band", ("critical", "warning")),
        (("all", 3, "plan", "eq"), "must be a text, not 3", ()),
        (("all", 3, "plan", "exists"), "must be true or false", ("true", "false")),
        (("all", 3, "plan", "in"), "must be a list, and not an empty one", ()),
        (("all", 4, "plan"), "must be {operator: value}, such as {plan: {eq: …}}", text_operators),
        (("any",), "must be a list of conditions, and not an empty one", ()),
        (("not",), "must be a mapping such as {health: {lt: 0.5}}, or all, any, not", ()),
    ]


@pytest.mark.parametrize("value", [None, {}, [], "health < 1", {"health": {}}, {"health": {"lt": float("nan")}}])
def test_no_condition(value: object) -> None:
    with pytest.raises(ConditionError):
        parse(value, FIELDS)


def test_a_name_like_nothing_shows_every_choice() -> None:
    with pytest.raises(ConditionError, match="choices: band, health, plan"):
        parse({"zzz": {"eq": 1}}, FIELDS)


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        ({"health": {"eq": 0.5}}, True),
        ({"health": {"lt": 0.5}}, False),
        ({"health": {"gt": 0.4, "lte": 0.5}}, True),
        ({"plan": {"contains": "RO"}}, True),
        ({"plan": {"starts_with": "r"}}, False),
        ({"band": {"eq": "critical"}}, False),
        ({"band": {"ne": "critical"}}, False),
        ({"not": {"band": {"ne": "critical"}}}, True),
        ({"band": {"exists": False}}, True),
        ({"any": [{"band": {"exists": True}}, {"plan": {"in": ["Pro"]}}]}, True),
        ({"all": [{"band": {"exists": False}}, {"plan": {"not_in": ["Pro"]}}]}, False),
    ],
)
def test_meaning(condition: Anything, expected: bool) -> None:
    assert matches(parse(condition, FIELDS), {"health": 0.5, "plan": "Pro", "band": None}) is expected


def test_not_a_number_is_missing() -> None:
    assert not matches(parse({"health": {"lt": 2}}, FIELDS), {"health": float("nan")})


@pytest.mark.parametrize(
    ("before", "now", "rises", "falls"),
    [(0.4, 0.45, True, False), (0.4, 0.44, False, False), (0.45, 0.4, False, True), (None, 0.9, False, False)],
)
def test_changes_compare_with_before(before: float | None, now: float, rises: bool, falls: bool) -> None:
    for operator, expected in (("rises_by", rises), ("falls_by", falls)):
        condition = parse({"health": {operator: 0.05}}, FIELDS, changes=True)
        assert matches(condition, {"health": now}, before={"health": before}) is expected
    assert not matches(parse({"health": {"rises_by": 0.05}}, FIELDS, changes=True), {"health": now})


CHANGES = parse({"plan": {"changes": True}}, FIELDS, changes=True)
SAME = parse({"plan": {"changes": False}}, FIELDS, changes=True)


@pytest.mark.parametrize(
    ("now", "before", "changed"),
    [("pro", "max", True), ("pro", "pro", False), (None, "pro", True), ("pro", None, True), (None, None, False)],
)
def test_a_text_changes_or_does_not(now: str | None, before: str | None, changed: bool) -> None:
    assert matches(CHANGES, {"plan": now}, before={"plan": before}) is changed
    assert matches(SAME, {"plan": now}, before={"plan": before}) is not changed


def test_without_a_before_nothing_changes_and_nothing_stays() -> None:
    assert not matches(CHANGES, {"plan": "pro"})
    assert not matches(SAME, {"plan": "pro"})
    with pytest.raises(ConditionError, match="changes: is no operator for a text"):
        parse({"plan": {"changes": True}}, FIELDS)
    with pytest.raises(ConditionError, match="must be true or false"):
        parse({"plan": {"changes": "yes"}}, FIELDS, changes=True)
