"""Which customers of a table a condition chooses: the columns' way of saying what `hub.model.conditions.matches` says of one.

    here = chosen(parse({"segment": {"eq": "enterprise"}}, FIELDS), table)      bool[n]

The semantics are those of `matches`, to the last missing value: a comparison with a missing value is false whatever the
operator, `not` of it is true, `exists` asks for it. A fact that the table does not have is missing for everybody.
`rises_by` and `falls_by` need a before, which a table has not, and hold for nobody.
"""

from collections.abc import Mapping, Sequence
from functools import reduce

import numpy as np
import numpy.typing as npt

from hub.model.conditions import CHANGES, All, Any, Condition, Field, Not, Operator, Test, matches
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
    name = condition.field.name
    if name in table.numbers:
        return _number(condition, table.numbers[name])
    return _text(condition, table.texts.get(name, [None] * len(table)))


def _everybody(table: FactTable) -> Booleans:
    return np.ones(len(table), dtype=np.bool_)


def _text(test: Test, column: Sequence[str | None]) -> Booleans:
    """Decided once for each text there is."""
    verdicts = {text: matches(test, {test.field.name: text}) for text in set(column)}
    return np.fromiter(map(verdicts.__getitem__, column), dtype=np.bool_, count=len(column))


def _number(test: Test, column: Floats) -> Booleans:
    present = ~np.isnan(column)
    if test.operator is Operator.EXISTS:
        return present if test.value else ~present
    if test.operator in CHANGES:
        return np.zeros(len(column), dtype=np.bool_)
    return present & _compared(test, column)


def _compared(test: Test, column: Floats) -> Booleans:
    """Of NaN whatever comes."""
    value = test.value
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
