"""Deciding a condition in Python, of one customer whose values are known."""

import math
from collections.abc import Callable, Mapping
from datetime import date, datetime
from typing import Any as Anything

from hub.model.conditions.days import Day, parse_day
from hub.model.conditions.settling import settled_test
from hub.model.conditions.terms import CHANGES, All, Any, Condition, Not, Operator, Values
from hub.model.conditions.texts import fold, is_within


def matches(condition: Condition, values: Values, *, before: Values | None = None, today: date | None = None) -> bool:
    """Whether `values` ({field: value}; None, NaN or absent is missing) satisfy the condition.

    before  what rises_by, falls_by and changes compare with; without it they are false
    today   what days count from; ValueError where one does and this is missing
    A date is a day, a moment, or either as ISO 8601. `in_segment` is the name of a saved segment, or several, that the
    customer is in: what `expand` has put conditions in the place of asks for it no more.
    """
    if isinstance(condition, All):
        return all(matches(part, values, before=before, today=today) for part in condition.conditions)
    if isinstance(condition, Any):
        return any(matches(part, values, before=before, today=today) for part in condition.conditions)
    if isinstance(condition, Not):
        return not matches(condition.condition, values, before=before, today=today)
    if condition.operator is Operator.SEARCH:
        return is_within(str(condition.value), values.get("name"), values.get("domain"))
    found = _present(values.get(condition.field.name))
    if condition.operator is Operator.MEMBER:
        return condition.value in ((found,) if isinstance(found, str) else found or ())
    if condition.operator is Operator.EXISTS:
        return (found is not None) is condition.value
    if condition.operator is Operator.CHANGES:
        return before is not None and (found != _present(before.get(condition.field.name))) is condition.value
    if found is None:
        return False
    if condition.field.kind == "date":
        condition, found = settled_test(condition, today), _day(found, today)
    if condition.operator in CHANGES:
        was = _present((before or {}).get(condition.field.name))
        if was is None:
            return False
        change = found - was if condition.operator is Operator.RISES_BY else was - found
        return bool(change >= condition.value or math.isclose(change, float(condition.value), abs_tol=1e-9))  # type: ignore[arg-type]  # a number, parse saw to it
    return _COMPARE[condition.operator](found, condition.value)


_COMPARE: Mapping[Operator, Callable[[Anything, Anything], bool]] = {
    Operator.EQ: lambda found, value: bool(found == value),
    Operator.NE: lambda found, value: bool(found != value),
    Operator.LT: lambda found, value: bool(found < value),
    Operator.LTE: lambda found, value: bool(found <= value),
    Operator.GT: lambda found, value: bool(found > value),
    Operator.GTE: lambda found, value: bool(found >= value),
    Operator.BETWEEN: lambda found, value: bool(value[0] <= found <= value[1]),
    Operator.IN: lambda found, value: found in value,
    Operator.NOT_IN: lambda found, value: found not in value,
    Operator.CONTAINS: lambda found, value: fold(value) in fold(found),
    Operator.STARTS_WITH: lambda found, value: fold(found).startswith(fold(value)),
}


def _present(value: Anything) -> Anything:
    return None if isinstance(value, float) and math.isnan(value) else value


def _day(value: Anything, today: date | None) -> date:
    """The day a value is or lies on."""
    if isinstance(value, datetime):
        return value.date()
    if isinstance(value, date):
        return value
    day = parse_day(str(value).split("T")[0])
    if isinstance(day, Day):  # of a playbook's example, which should hold on any day
        if today is None:
            raise ValueError(f"{value!r} counts from a day that was not given")
        return day.on(today)
    return day
