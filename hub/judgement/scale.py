"""What people write, as a number 0-1: a score, a band, a mark of 1 to 5, a colour."""

from collections.abc import Mapping, Sequence
from itertools import pairwise

from hub.errors import RefusedError
from hub.model.actions import Band

COLOURS: Mapping[str, float] = {"red": 0.0, "yellow": 0.5, "green": 1.0}
MARKS = range(1, 6)

Bands = Sequence[tuple[str, float]]
"""Bands of a definition, each with its lower bound, from the worst up."""


def read_score(score: float) -> float:
    """A score as stated; RefusedError unless it is 0 to 1."""
    if not 0 <= score <= 1:
        raise RefusedError(f"a score is from 0 to 1, such as 0.8; not {score:g}", about="score")
    return float(score)


def band_score(band: Band, bands: Bands) -> float:
    """The score in the middle of a band, which stands for it."""
    bounds = [*bands, ("", 1.0)]
    for (name, low), (_, high) in pairwise(bounds):
        if name == band.value:
            return (low + high) / 2
    raise RefusedError(
        f"the definition has no band {band.value!r}; it has {', '.join(name for name, _ in bands)}", about="band"
    )


def read_sentiment(text: str) -> float:
    """red | yellow | green as 0, 0.5, 1, or a mark of 1 to 5 as 0, 0.25, 0.5, 0.75, 1; RefusedError for anything else."""
    given = text.strip().lower()
    if given in COLOURS:
        return COLOURS[given]
    if given.isdecimal() and int(given) in MARKS:
        return (int(given) - MARKS[0]) / (MARKS[-1] - MARKS[0])
    raise RefusedError(
        f"a sentiment is {', '.join(COLOURS)}, or a whole number from 1 (worst) to 5 (best); not {text!r}", about="mark"
    )
