"""The one vocabulary for choosing customers: `{field: {operator: value}}`, joined by `all`, `any` and `not`.

    {"all": [{"health": {"lt": 0.5}}, {"not": {"segment": {"eq": "free"}}}]}

The same thing is a playbook's `when:`, the GraphQL customer filter and the command line's `--where`. `parse` turns it into
frozen dataclasses and reports everything wrong at once; `hub.store.conditions` compiles those to SQL, `matches` decides
them in Python, and both say the same:

- A comparison with a missing value is false, whatever the operator; `not` of it is then true. `exists` asks for it.
- Texts compare exactly; `contains` and `starts_with` take A-Z in either case.
- Several operators on one field, or several fields in one mapping, must all hold.

`rises_by` and `falls_by` compare a number with what it was before, and `changes: true` says that a text is not what it was, or
is there now and was not, or the other way round; they exist only where there is a before (a playbook's `unless:`), and
nowhere else.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from enum import StrEnum
from typing import Any as Anything
from typing import Literal

Kind = Literal["number", "text"]
Scalar = float | str | bool
Value = Scalar | tuple[Scalar, ...]


class Operator(StrEnum):
    EQ = "eq"
    NE = "ne"
    LT = "lt"
    LTE = "lte"
    GT = "gt"
    GTE = "gte"
    IN = "in"
    NOT_IN = "not_in"
    EXISTS = "exists"
    CONTAINS = "contains"
    STARTS_WITH = "starts_with"
    RISES_BY = "rises_by"
    FALLS_BY = "falls_by"
    CHANGES = "changes"


LISTS = frozenset({Operator.IN, Operator.NOT_IN})
CHANGES = frozenset({Operator.RISES_BY, Operator.FALLS_BY, Operator.CHANGES})
FLAGS = frozenset({Operator.EXISTS, Operator.CHANGES})
"""Operators whose value is true or false."""
_EVERY = (Operator.EQ, Operator.NE, Operator.IN, Operator.NOT_IN, Operator.EXISTS)
OPERATORS: Mapping[Kind, tuple[Operator, ...]] = {
    "number": (*_EVERY, Operator.LT, Operator.LTE, Operator.GT, Operator.GTE, Operator.RISES_BY, Operator.FALLS_BY),
    "text": (*_EVERY, Operator.CONTAINS, Operator.STARTS_WITH, Operator.CHANGES),
}


@dataclass(frozen=True, slots=True)
class Field:
    """Something a customer can be chosen by. `choices`: the only values it ever has, where there is such a list."""

    name: str
    kind: Kind
    choices: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Test:
    """One comparison. `value` is a number, a text, a tuple of them (in, not_in) or a bool (exists, changes)."""

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
                f"{'.'.join(map(str, problem.key))}: {problem.message}"
                + (f" (choices: {', '.join(problem.choices)})" if problem.choices else "")
                for problem in self.problems
            )
        )


def parse(value: object, fields: Mapping[str, Field], *, changes: bool = False) -> Condition:
    """The condition `value` says; raise ConditionError with every problem. `changes`: those of CHANGES may be used."""
    parser = _Parser(fields, changes)
    condition = parser.condition(value, ())
    if parser.problems or condition is None:
        raise ConditionError(parser.problems)
    return condition


class _Parser:
    def __init__(self, fields: Mapping[str, Field], changes: bool) -> None:
        self.fields = fields
        self.changes = changes
        self.problems: list[Problem] = []

    def problem(self, key: Key, message: str, choices: Sequence[str] = ()) -> None:
        self.problems.append(Problem(key, message, tuple(choices)))

    def condition(self, value: object, key: Key) -> Condition | None:
        if not isinstance(value, Mapping) or not value:
            self.problem(key, "must be a mapping such as {health: {lt: 0.5}}, or all, any, not")
            return None
        return _joined([part for name, inner in value.items() for part in self.part(name, inner, (*key, name))])

    def part(self, name: object, inner: object, key: Key) -> list[Condition]:
        if name == "not":
            negated = self.condition(inner, key)
            return [Not(negated)] if negated is not None else []
        if name in ("all", "any"):
            if not isinstance(inner, Sequence) or isinstance(inner, str) or not inner:
                self.problem(key, "must be a list of conditions, and not an empty one")
                return []
            found = [self.condition(item, (*key, index)) for index, item in enumerate(inner)]
            kept = tuple(item for item in found if item is not None)
            return [All(kept) if name == "all" else Any(kept)]
        if (field := self.fields.get(str(name))) is None:
            close = get_close_matches(str(name), self.fields, n=3)
            self.problem(key, "is no fact", close or sorted(self.fields))
            return []
        if not isinstance(inner, Mapping) or not inner:
            self.problem(key, f"must be {{operator: value}}, such as {{{name}: {{eq: …}}}}", self.operators(field))
            return []
        tests = [self.test(field, operator, operand, (*key, operator)) for operator, operand in inner.items()]
        return [test for test in tests if test is not None]

    def operators(self, field: Field) -> list[str]:
        return [operator.value for operator in OPERATORS[field.kind] if self.changes or operator not in CHANGES]

    def test(self, field: Field, name: object, operand: object, key: Key) -> Test | None:
        if name not in self.operators(field):
            self.problem(key, f"is no operator for a {field.kind}", self.operators(field))
            return None
        operator = Operator(str(name))
        before = len(self.problems)
        value: Value
        if operator in FLAGS:
            if not isinstance(operand, bool):
                self.problem(key, "must be true or false", ("true", "false"))
            value = bool(operand)
        elif operator in LISTS:
            if not isinstance(operand, Sequence) or isinstance(operand, str) or not operand:
                self.problem(key, "must be a list, and not an empty one")
                return None
            value = tuple(self.scalar(field, item, (*key, index)) for index, item in enumerate(operand))
        else:
            value = self.scalar(field, operand, key, free=operator in (Operator.CONTAINS, Operator.STARTS_WITH))
        return Test(field, operator, value) if len(self.problems) == before else None

    def scalar(self, field: Field, value: object, key: Key, *, free: bool = False) -> Scalar:
        if field.kind == "number":
            if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
                self.problem(key, f"must be a number, not {value!r}")
                return 0.0
            return float(value)
        if not isinstance(value, str):
            self.problem(key, f"must be a text, not {value!r}")
            return ""
        if field.choices and not free and value not in field.choices:
            self.problem(key, f"is no {field.name}", field.choices)
        return value


def _joined(parts: Sequence[Condition]) -> Condition | None:
    if not parts:
        return None
    return parts[0] if len(parts) == 1 else All(tuple(parts))


def fields_of(condition: Condition) -> frozenset[str]:
    """The names of the fields a condition asks about."""
    if isinstance(condition, Test):
        return frozenset({condition.field.name})
    if isinstance(condition, Not):
        return fields_of(condition.condition)
    return frozenset().union(*map(fields_of, condition.conditions))


Values = Mapping[str, Anything]


def matches(condition: Condition, values: Values, *, before: Values | None = None) -> bool:
    """Whether `values` ({field: value}; None, NaN or absent is missing) satisfy the condition.

    `before` is what rises_by, falls_by and changes compare with; without it they are false.
    """
    if isinstance(condition, All):
        return all(matches(part, values, before=before) for part in condition.conditions)
    if isinstance(condition, Any):
        return any(matches(part, values, before=before) for part in condition.conditions)
    if isinstance(condition, Not):
        return not matches(condition.condition, values, before=before)
    found = _present(values.get(condition.field.name))
    if condition.operator is Operator.EXISTS:
        return (found is not None) is condition.value
    if condition.operator is Operator.CHANGES:
        return before is not None and (found != _present(before.get(condition.field.name))) is condition.value
    if found is None:
        return False
    if condition.operator in CHANGES:
        was = _present((before or {}).get(condition.field.name))
        if was is None:
            return False
        change = found - was if condition.operator is Operator.RISES_BY else was - found
        return bool(change >= condition.value or math.isclose(change, float(condition.value), abs_tol=1e-9))  # type: ignore[arg-type]  # a number, parse saw to it
    return bool(_COMPARE[condition.operator](found, condition.value))


_COMPARE: Mapping[Operator, Callable[[Anything, Anything], bool]] = {
    Operator.EQ: lambda found, value: bool(found == value),
    Operator.NE: lambda found, value: bool(found != value),
    Operator.LT: lambda found, value: bool(found < value),
    Operator.LTE: lambda found, value: bool(found <= value),
    Operator.GT: lambda found, value: bool(found > value),
    Operator.GTE: lambda found, value: bool(found >= value),
    Operator.IN: lambda found, value: found in value,
    Operator.NOT_IN: lambda found, value: found not in value,
    Operator.CONTAINS: lambda found, value: _ascii_lower(value) in _ascii_lower(found),
    Operator.STARTS_WITH: lambda found, value: _ascii_lower(found).startswith(_ascii_lower(value)),
}


def _present(value: Anything) -> Anything:
    return None if isinstance(value, float) and math.isnan(value) else value


def _ascii_lower(text: str) -> str:
    """Lower case of A-Z alone, which is what both databases agree on."""
    return "".join(chr(ord(letter) + 32) if "A" <= letter <= "Z" else letter for letter in text)
