"""What an opportunity would bring, and whether a rise since it was found has won it: arithmetic, no database."""

from collections.abc import Mapping
from dataclasses import dataclass
from math import ceil
from typing import Any

from hub.lifecycle.expansion.settings import Rule

NEEDED = ("mrr", "seats_purchased", "plan")
"""The facts that a rise is measured by."""
EXACT = 1e-9


@dataclass(frozen=True, slots=True)
class Value:
    """A year's worth; `seats`: how many are to be added, where it is about seats."""

    amount: float
    seats: float | None = None


def value_of(rule: Rule, values: Mapping[str, Any]) -> Value | None:
    """What winning would bring; None where a number it rests on is missing, or nothing is to be added."""
    worth, arr = rule.value, arr_of(values)
    if worth.amount is not None:
        return Value(worth.amount)
    if arr is None or arr <= 0:
        return None
    if worth.share_of_arr is not None:
        return Value(round(arr * worth.share_of_arr, 2))
    assert worth.seats is not None, "it is one of the three"
    bought, used = values.get("seats_purchased"), values.get(worth.seats.of)
    if not bought or used is None:
        return None
    more = ceil(worth.seats.to * used - EXACT) - bought
    return Value(round(more * arr / bought, 2), float(more)) if more > 0 else None


def arr_of(values: Mapping[str, Any]) -> float | None:
    return None if values.get("mrr") is None else round(12 * values["mrr"], 2)


def rise(row: Mapping[str, Any], present: Mapping[str, Any], *, won_at: float) -> float | None:
    """What ARR rose by since `row` was found, where that wins it; else None.

    seats          so many more seats are paid for
    plan_upgrade   the plan is another, and ARR is higher
    add_on         ARR is higher by more than seats explain, on the same plan
    A rise counts from `won_at` of the forecast on. Without a base, or today's numbers, nothing is won.
    """
    arr, base = arr_of(present), row["base_arr"]
    if arr is None or base is None:
        return None
    grown, enough = round(arr - base, 2), won_at * row["value"]
    seats, had = present.get("seats_purchased"), row["base_seats"]
    added = seats - had if seats is not None and had is not None else 0.0
    moved = present.get("plan") != row["base_plan"]
    match row["kind"]:
        case "seats":
            won = added > 0 and added >= won_at * (row["seats"] or 1.0)
        case "plan_upgrade":
            won = moved and grown > 0 and grown >= enough
        case _:
            by_seats = max(added, 0.0) * base / had if had else 0.0
            won = not moved and grown - by_seats > 0 and grown - by_seats >= enough
    return grown if won else None
