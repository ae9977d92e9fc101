"""Which customers of a table a condition chooses: the columns' way of saying what `hub.model.conditions.matches` says of one.

    here = chosen(parse({"segment": {"eq": "enterprise"}}, FIELDS), table)      bool[n]

The semantics are those of `matches`, to the last missing value: a comparison with a missing value is false whatever the
operator, `not` of it is true, `exists` asks for it. A fact that the table does not have is missing for everybody. Days that
count from today count from the table's own day. `rises_by` and `falls_by` need a before, which a table has not, and hold for
nobody.
"""

from collections.abc import Mapping, Sequence
from datetime import date
from functools import reduce
from typing import Any as Anything

import numpy as np
import numpy.typing as npt

from hub.model.conditions import CHANGES, All, Any, Condition, Field, Not, Operator, Test, is_within, matches
from scoring.facts import FACTS, FactTable, Floats

Booleans = npt.NDArray[np.bool_]

FIELDS: Mapping[str, Field] = {name: Field(name, fact.kind) for name, fact in FACTS.items()}
"""What a condition over facts may ask about, for `hub.model.conditions.parse`."""


def chosen(condition: Condition, table: FactTable) -> Booleans:
    """Whether `condition` holds, bool[n], for each customer of `table`."""
    if isinstance(condition, All):
        return reduce(np.logical_and, (chosen(part, table) for part in condition.conditions), _everybody(table))
    if isinstance(condition, Any):
        return reduce(np.logical_or, (chosen(part, table) for part in condition.conditions), ~_everybody(table))
    if isinstance(condition, Not):
        return ~chosen(condition.condition, table)
    if condition.operator is Operator.SEARCH:
        return _search(condition, table)
    name = condition.field.name
    if name in table.numbers:
        return _number(condition, table.numbers[name])
    return _text(condition, table.texts.get(name, [None] * len(table)), table.as_of)


def _everybody(table: FactTable) -> Booleans:
    return np.ones(len(table), dtype=np.bool_)


def _text(test: Test, column: Sequence[str | None], today: date) -> Booleans:
    """Decided once for each text there is; days are texts such as 2026-11-22."""
    verdicts = {text: matches(test, {test.field.name: text}, today=today) for text in set(column)}
    return np.fromiter(map(verdicts.__getitem__, column), dtype=np.bool_, count=len(column))


def _search(test: Test, table: FactTable) -> Booleans:
    nobody: Sequence[str | None] = [None] * len(table)
    names, domains = table.texts.get("name", nobody), table.texts.get("domain", nobody)
    found = (is_within(str(test.value), *each) for each in zip(names, domains, strict=True))
    return np.fromiter(found, dtype=np.bool_, count=len(table))


def _number(test: Test, column: Floats) -> Booleans:
    present = ~np.isnan(column)
    if test.operator is Operator.EXISTS:
        return present if test.value else ~present
    if test.operator in CHANGES:
        return np.zeros(len(column), dtype=np.bool_)
    return present & _compared(test, column)


def _compared(test: Test, column: Floats) -> Booleans:
    """Of NaN whatever comes."""
    value: Anything = test.value  # a number or several: parse saw to it
    if test.operator is Operator.BETWEEN:
        return np.asarray((column >= value[0]) & (column <= value[1]), dtype=np.bool_)
    if isinstance(value, tuple):
        among = reduce(np.logical_or, (column == each for each in value), np.zeros(len(column), dtype=np.bool_))
        return among if test.operator is Operator.IN else ~among
    compare = {
        Operator.EQ: np.equal,
        Operator.NE: np.not_equal,
        Operator.LT: np.less,
        Operator.LTE: np.less_equal,
        Operator.GT: np.greater,
        Operator.GTE: np.greater_equal,
    }[test.operator]
    return np.asarray(compare(column, float(value)), dtype=np.bool_)
