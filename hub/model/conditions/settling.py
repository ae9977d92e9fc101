"""Making a condition independent of when and where it is asked: saved segments by what they say, days as dates."""

from collections.abc import Callable
from dataclasses import replace
from datetime import date

from hub.model.conditions.days import Day, Span
from hub.model.conditions.terms import (
    IN_SEGMENT,
    All,
    Any,
    Condition,
    ConditionError,
    Not,
    Operator,
    Problem,
    Scalar,
    Test,
)

MOST_TESTS = 2_000
"""Tests and values of a condition with all its segments."""


def size(condition: Condition) -> int:
    """Tests of a condition, and values in their lists: about as many terms as its SQL has."""
    if isinstance(condition, Test):
        return len(condition.value) if isinstance(condition.value, tuple) else 1
    if isinstance(condition, Not):
        return 1 + size(condition.condition)
    return 1 + sum(map(size, condition.conditions))


def segments_of(condition: Condition) -> frozenset[str]:
    """The names of the saved segments a condition speaks of."""
    if isinstance(condition, Test):
        return frozenset({str(condition.value)}) if condition.operator is Operator.MEMBER else frozenset()
    if isinstance(condition, Not):
        return segments_of(condition.condition)
    return frozenset().union(*map(segments_of, condition.conditions))


def expand(condition: Condition, lookup: Callable[[str], Condition]) -> Condition:
    """The condition with what saved segments say in their places.

    lookup  the condition of a segment; it raises ConditionError for one that there is not
    Raises ConditionError where a segment holds itself, by whatever way, or the whole grows too large.
    """
    left = [MOST_TESTS]

    def expanded(part: Condition, way: tuple[str, ...]) -> Condition:
        if isinstance(part, All | Any):
            return replace(part, conditions=tuple(expanded(each, way) for each in part.conditions))
        if isinstance(part, Not):
            return Not(expanded(part.condition, way))
        left[0] -= size(part)
        if left[0] < 0:
            raise ConditionError(
                [Problem((), f"it has more than {MOST_TESTS:,} tests and values, those of its segments included")]
            )
        if part.operator is not Operator.MEMBER:
            return part
        name = str(part.value)
        if name in way:
            raise ConditionError([Problem((IN_SEGMENT,), f"the segment holds itself: {' > '.join((*way, name))}")])
        return expanded(lookup(name), (*way, name))

    return expanded(condition, ()) if segments_of(condition) else condition


def is_relative(condition: Condition) -> bool:
    """Whether what it says depends on the day it is asked on."""
    if isinstance(condition, Test):
        values = condition.value if isinstance(condition.value, tuple) else (condition.value,)
        return any(isinstance(value, Day | Span) for value in values)
    if isinstance(condition, Not):
        return is_relative(condition.condition)
    return any(map(is_relative, condition.conditions))


def on_day(condition: Condition, today: date) -> Condition:
    """The condition with dates for the days that count from `today`; the same object where none does."""
    if not is_relative(condition):
        return condition
    if isinstance(condition, Test):
        return settled_test(condition, today)
    if isinstance(condition, Not):
        return Not(on_day(condition.condition, today))
    return replace(condition, conditions=tuple(on_day(part, today) for part in condition.conditions))


def settled_test(test: Test, today: date | None) -> Test:
    """A test of a date with dates in it; ValueError where it counts from a day that is not given."""
    if not is_relative(test):
        return test
    if today is None:
        raise ValueError(f"{test.field.name} {test.operator} {test.value} counts from a day that was not given")
    if isinstance(test.value, Span):
        return Test(test.field, Operator.BETWEEN, test.value.on(today))
    if isinstance(test.value, tuple):
        return Test(test.field, test.operator, tuple(_date(value, today) for value in test.value))
    return Test(test.field, test.operator, _date(test.value, today))


def _date(value: Scalar, today: date) -> Scalar:
    return value.on(today) if isinstance(value, Day) else value
