"""What a definition would have read on a day that another one has read: from the stored reading, and the facts of that day.

As far as it can be told from one customer's scorecard: a curve that places a customer among others can be read only on its
own day, among those others.
"""

from collections.abc import Mapping
from datetime import date
from typing import Any

import numpy as np

from scoring.curves import TENURE, Beside, curve_at
from scoring.definition import Leaf
from scoring.measure import FILLED

Facts = Mapping[str, Any]
Row = Mapping[str, Any]


def read_again(
    row: Row | None, own: Leaf | None, leaf: Leaf, *, facts: Facts, as_of: date
) -> tuple[float, bool] | None:
    """The reading 0-1 that `leaf` weighs, NaN where it leaves it out, and whether data was missing; None: cannot be told.

    row, own  what was read on the day, and the leaf that read it; None where the definition of the day hadn't the measure
    facts     of the day; as_of: the day, from which the age of a last reading counts
    """
    if row is not None and own is not None and _same_policy(own, leaf) and _same_curve(own, leaf, facts):
        return as_stored(row)
    raw = _raw(row, own, leaf, facts)
    if raw is None:
        return None
    return (raw, False) if not np.isnan(raw) else (_stand_in(row, leaf, as_of), True)


def as_stored(row: Row) -> tuple[float, bool]:
    """The reading that was weighed, NaN where it was left out, and whether data was missing."""
    return _number(row["value"]), row["missing"] is not None


def _raw(row: Row | None, own: Leaf | None, leaf: Leaf, facts: Facts) -> float | None:
    """What the leaf's curve reads, NaN where there is nothing to read, None where it cannot be told."""
    if _is_stale(leaf, facts):
        return np.nan
    curve = curve_at(leaf.curve, _number(facts.get(TENURE)))
    if row is not None and own is not None and not _is_stale(own, facts):
        if _same_curve(own, leaf, facts):
            return np.nan if row["missing"] is not None else _number(row["value"])
        input_ = np.array([_number(row["input"])])
    else:
        measure = leaf.measure
        columns = {name: np.array([_number(facts.get(name))]) for name in measure.facts}
        input_ = np.asarray(measure.value(columns), dtype=np.float64)
    if curve.relative:
        return np.nan if np.isnan(input_[0]) else None
    return float(curve.read(input_, Beside([None], np.full(1, np.nan)))[0])


def _stand_in(row: Row | None, leaf: Leaf, as_of: date) -> float:
    """What stands in for a missing reading."""
    last, on = (row.get("last"), row.get("last_on")) if row is not None else (None, None)
    if leaf.hold_days is None or last is None or on is None:
        return FILLED[leaf.missing]
    age = (as_of - date.fromisoformat(on)).days
    return float(last) if age <= leaf.hold_days else FILLED[leaf.missing]


def _same_policy(one: Leaf, other: Leaf) -> bool:
    return (one.missing, one.hold_days, one.stale_after_days) == (
        other.missing,
        other.hold_days,
        other.stale_after_days,
    )


def _same_curve(one: Leaf, other: Leaf, facts: Facts) -> bool:
    """Whether both read a customer of this tenure by the same curve."""
    tenure = _number(facts.get(TENURE))
    return curve_at(one.curve, tenure).key() == curve_at(other.curve, tenure).key()


def _is_stale(leaf: Leaf, facts: Facts) -> bool:
    if leaf.stale_after_days is None or leaf.measure.age is None:
        return False
    return bool(_number(facts.get(leaf.measure.age)) > leaf.stale_after_days)


def _number(value: float | None) -> float:
    return np.nan if value is None else float(value)
