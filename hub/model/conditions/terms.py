"""What a condition is made of: tests of fields, and how they are joined."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Any as Anything
from typing import Literal

from hub.model.conditions.days import Day, Span

Kind = Literal["number", "text", "date", "search", "segment"]
Scalar = float | str | bool | date | Day | Span
Value = Scalar | tuple[Scalar, ...]
Values = Mapping[str, Anything]
SEARCH = "search"
IN_SEGMENT = "in_segment"


class Operator(StrEnum):
    EQ = "eq"
    NE = "ne"
    LT = "lt"
    LTE = "lte"
    GT = "gt"
    GTE = "gte"
    BEFORE = "before"
    AFTER = "after"
    BETWEEN = "between"
    WITHIN = "within"
    IN = "in"
    NOT_IN = "not_in"
    EXISTS = "exists"
    CONTAINS = "contains"
    STARTS_WITH = "starts_with"
    RISES_BY = "rises_by"
    FALLS_BY = "falls_by"
    CHANGES = "changes"
    SEARCH = "search"
    MEMBER = "in_segment"


LISTS = frozenset({Operator.IN, Operator.NOT_IN, Operator.BETWEEN})
CHANGES = frozenset({Operator.RISES_BY, Operator.FALLS_BY, Operator.CHANGES})
FLAGS = frozenset({Operator.EXISTS, Operator.CHANGES})
"""Operators whose value is true or false."""
SAME: Mapping[Operator, Operator] = {Operator.BEFORE: Operator.LT, Operator.AFTER: Operator.GT}
"""Other words for an operator; a parsed condition has the operator itself."""
_EVERY = (Operator.EQ, Operator.NE, Operator.IN, Operator.NOT_IN, Operator.EXISTS)
_ORDERED = (Operator.LT, Operator.LTE, Operator.GT, Operator.GTE, Operator.BETWEEN)
OPERATORS: Mapping[Kind, tuple[Operator, ...]] = {
    "number": (*_EVERY, *_ORDERED, Operator.RISES_BY, Operator.FALLS_BY),
    "text": (*_EVERY, Operator.CONTAINS, Operator.STARTS_WITH, Operator.CHANGES),
    "date": (*_EVERY, *_ORDERED, Operator.BEFORE, Operator.AFTER, Operator.WITHIN),
    "search": (Operator.SEARCH,),
    "segment": (Operator.MEMBER,),
}
PLAIN: Mapping[Kind, Operator] = {"search": Operator.SEARCH, "segment": Operator.MEMBER}
"""Kinds that are given a text instead of {operator: value}."""


@dataclass(frozen=True, slots=True)
class Field:
    """Something a customer can be chosen by. `choices`: the only values it ever has, where there is such a list."""

    name: str
    kind: Kind
    choices: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Test:
    """One comparison. `value` is a number, a text, a day, a tuple of them (in, not_in, between) or a bool (exists, changes)."""

    __test__ = False  # not one of pytest's

    field: Field
    operator: Operator
    value: Value


@dataclass(frozen=True, slots=True)
class All:
    conditions: "tuple[Condition, ...]"


@dataclass(frozen=True, slots=True)
class Any:
    conditions: "tuple[Condition, ...]"


@dataclass(frozen=True, slots=True)
class Not:
    condition: "Condition"


Condition = Test | All | Any | Not
Key = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing wrong: where in the value, what, and the valid choices."""

    key: Key
    message: str
    choices: tuple[str, ...] = ()


class ConditionError(ValueError):
    """A value that is no condition; `problems` lists everything wrong with it."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__(
            "; ".join(
                (f"{'.'.join(map(str, problem.key))}: " if problem.key else "")
                + problem.message
                + (f" (choices: {', '.join(problem.choices)})" if problem.choices else "")
                for problem in self.problems
            )
        )


def fields_of(condition: Condition) -> frozenset[str]:
    """The names of the fields a condition asks about."""
    if isinstance(condition, Test):
        return frozenset({condition.field.name})
    if isinstance(condition, Not):
        return fields_of(condition.condition)
    return frozenset().union(*map(fields_of, condition.conditions))
