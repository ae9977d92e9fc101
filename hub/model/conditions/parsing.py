"""A mapping as people write it, made into a condition, or into everything that is wrong with it."""

import math
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from difflib import get_close_matches

from hub.model.conditions.days import parse_day, parse_span
from hub.model.conditions.terms import (
    CHANGES,
    FLAGS,
    LISTS,
    OPERATORS,
    PLAIN,
    SAME,
    All,
    Any,
    Condition,
    ConditionError,
    Field,
    Key,
    Not,
    Operator,
    Problem,
    Scalar,
    Test,
    Value,
)
from hub.model.conditions.texts import LONGEST_SEARCH, MOST_WORDS, words

DEEPEST = 15
"""Conditions within conditions: SQLite parses none that are much deeper."""
LONGEST_TEXT = 1_000
"""Characters of a text to compare with: databases take no patterns without end."""


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
        if sum(part in ("not", "all", "any") for part in key) > DEEPEST:
            self.problem(key[:4], f"holds conditions within conditions, more than {DEEPEST} deep")
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
        if field.kind in PLAIN:
            return self.plain(field, inner, key)
        if not isinstance(inner, Mapping) or not inner:
            self.problem(key, f"must be {{operator: value}}, such as {{{name}: {{eq: …}}}}", self.operators(field))
            return []
        tests = [self.test(field, operator, operand, (*key, operator)) for operator, operand in inner.items()]
        return [test for test in tests if test is not None]

    def plain(self, field: Field, given: object, key: Key) -> list[Condition]:
        """A search or a saved segment: a text alone."""
        if not isinstance(given, str) or not given.strip():
            what = "words, such as {search: acme}" if field.kind == "search" else "the name of a saved segment"
            self.problem(key, f"must be {what}, not {given!r}")
            return []
        if field.kind == "search":
            there = words(given)
            if not 1 <= len(there) <= MOST_WORDS or len(given) > LONGEST_SEARCH:
                self.problem(key, f"must have 1 to {MOST_WORDS} words and at most {LONGEST_SEARCH} characters")
                return []
            return [Test(field, PLAIN[field.kind], " ".join(there))]
        return [Test(field, PLAIN[field.kind], given.strip())]

    def operators(self, field: Field) -> list[str]:
        return [operator.value for operator in OPERATORS[field.kind] if self.changes or operator not in CHANGES]

    def test(self, field: Field, name: object, operand: object, key: Key) -> Test | None:
        if name not in self.operators(field):
            self.problem(key, f"is no operator for a {field.kind}", self.operators(field))
            return None
        operator = Operator(str(name))
        operator = SAME.get(operator, operator)
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
            if operator is Operator.BETWEEN and len(self.problems) == before:
                self.ordered(value, key)
        elif operator is Operator.WITHIN:
            value = self.span(operand, key)
        else:
            value = self.scalar(field, operand, key, free=operator in (Operator.CONTAINS, Operator.STARTS_WITH))
        return Test(field, operator, value) if len(self.problems) == before else None

    def ordered(self, value: tuple[Scalar, ...], key: Key) -> None:
        if len(value) != 2:
            self.problem(key, "must be a list of two, the lowest and the highest")
            return
        low, high = value
        if (isinstance(low, float) and isinstance(high, float) and low > high) or (
            isinstance(low, date) and isinstance(high, date) and low > high
        ):
            self.problem(key, f"must have the lower one first, not {low}, {high}")

    def scalar(self, field: Field, value: object, key: Key, *, free: bool = False) -> Scalar:
        if field.kind == "number":
            if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
                self.problem(key, f"must be a number, not {value!r}")
                return 0.0
            return float(value)
        if field.kind == "date":
            return self.day(value, key)
        if not isinstance(value, str):
            self.problem(key, f"must be a text, not {value!r}")
            return ""
        if len(value) > LONGEST_TEXT:
            self.problem(key, f"must have at most {LONGEST_TEXT:,} characters, not {len(value):,}")
            return ""
        if field.choices and not free and value not in field.choices:
            self.problem(key, f"is no {field.name}", field.choices)
        return value

    def day(self, value: object, key: Key) -> Scalar:
        if isinstance(value, date):  # as YAML reads one
            return value.date() if isinstance(value, datetime) else value
        try:
            return parse_day(value if isinstance(value, str) else repr(value))
        except ValueError as error:
            self.problem(key, str(error))
            return date.min

    def span(self, value: object, key: Key) -> Scalar:
        try:
            return parse_span(value if isinstance(value, str) else repr(value))
        except ValueError as error:
            self.problem(key, str(error))
            return ""


def _joined(parts: Sequence[Condition]) -> Condition | None:
    if not parts:
        return None
    return parts[0] if len(parts) == 1 else All(tuple(parts))
