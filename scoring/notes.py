"""What is said about data that isn't there: of one measure, of a score that is withheld, of a band that is held.

Readings are shown to people as scores are, from 0 to 100.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from hub.model.actions import Band
from scoring.definition import HealthDefinition, Leaf, Place
from scoring.wording import counted, percent, points

_POLICY = {"exclude": "left out", "neutral": "read as 50.0", "poor": "read as 0.0"}


def missing_note(
    leaf: Leaf, facts: Mapping[str, Any], *, last: float | None, age: float | None, held: bool, alone: bool
) -> str:
    """Why a measure has no reading, and what stands in its place.

    facts      of the customer, None for what is missing
    last, age  the last reading known, and days since it was read; None where there is none, or nobody knows
    held       whether that reading is what stands in its place
    alone      it had an input, but nothing to compare it with
    """
    why = _why(leaf, facts, known=last is not None, alone=alone)
    if last is None:
        return f"{why}: {_POLICY[leaf.missing]}"
    ago = "" if age is None else f"{counted(age, 'day', 'days')} ago"
    if held:
        return f"{why}: held at {points(last)}, as read {ago}"
    beyond = f" {ago}, more than the {leaf.hold_days} it is held" if leaf.hold_days is not None and ago else ""
    return f"{why}; last read {points(last)}{beyond}: {_POLICY[leaf.missing]}"


def _why(leaf: Leaf, facts: Mapping[str, Any], *, known: bool, alone: bool) -> str:
    measure, limit = leaf.measure, leaf.stale_after_days
    days = facts.get(measure.age) if measure.age else None
    if days is not None and limit is not None and days > limit:
        return f"The data is {counted(days, 'day', 'days')} old, more than the {limit} allowed"
    if alone:
        return "Too few customers to compare with"
    if facts[measure.live] is not None:
        return "Nothing, or too little, to go by in this period"
    return "No live source any more" if known else "No source has told anything about this"


def floor_note(missing: Sequence[Place], coverage: float, definition: HealthDefinition) -> str:
    """Why there is no score: what is missing, whole groups by their name."""
    absent = {place.leaf.name for place in missing}
    words: list[str] = []
    for group in dict.fromkeys(place.group for place in missing):
        inside = [place.leaf.name for place in definition.places if place.group == group and place.share > 0]
        gone = [name for name in inside if name in absent]
        words.append(f"all of {group}" if gone == inside else ", ".join(gone))
    return (
        f"Only {percent(coverage)} of the weight has data, less than the {percent(definition.coverage_floor)} needed "
        f"for a score; missing: {', '.join(words)}"
    )


def capped_note(band: Band, own: Band, lost: Sequence[tuple[str, float]]) -> str:
    """Why a band is lower than the score's own."""
    words = ", ".join(f"{name} (last read {points(reading)})" for name, reading in lost)
    return (
        f"Held at {band.value}, because losing data is no improvement: without {words} the rest alone reads {own.value}"
    )
