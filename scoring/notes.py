"""What is said about data that isn't there: of one measure, of a score that is withheld, of a band that is held."""

from collections.abc import Sequence

from hub.model.actions import Band
from scoring.definition import HealthDefinition, Leaf, Place
from scoring.wording import percent

_POLICY = {"exclude": "left out", "neutral": "read as 0.50", "poor": "read as 0.00"}


def missing_note(leaf: Leaf, *, live: bool, last: float | None, alone: bool) -> str:
    """Why a measure has no reading, and what stands in its place. alone: it had an input, but nothing to compare it with."""
    if alone:
        why = "Too few customers to compare with"
    elif live:
        why = "Nothing to go by in this period"
    elif last is None:
        why = "No source has told anything about this"
    else:
        why = f"No live source any more; last read {last:.2f}"
    return f"{why}: {_POLICY[leaf.missing]}"


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
    words = ", ".join(f"{name} (last read {reading:.2f})" for name, reading in lost)
    return (
        f"Held at {band.value}, because losing data is no improvement: without {words} the rest alone reads {own.value}"
    )
