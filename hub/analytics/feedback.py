"""Scores of surveys: what one answer brings to NPS, CSAT and CES, on the scale it was asked on."""

import numpy as np

from hub.analytics.shares import Floats

NPS_SCALE = "0-10"
PROMOTER, PASSIVE = 9, 7
MINIMUM_ANSWERS = 5
"""Fewer answers than this are no value, if not asked otherwise."""


def bounds(scale: str) -> tuple[float, float] | None:
    """Lowest and highest place of a scale ("1-5"); None where it is no such scale."""
    low, dash, high = scale.partition("-")
    try:
        found = float(low), float(high)
    except ValueError:
        return None
    return found if dash and found[0] < found[1] else None


def contribution(metric: str, scores: Floats, scale: str) -> Floats | str:
    """What each answer adds to the metric's sum, or why answers on this scale add nothing.

    nps              100, 0 or -100 (promoter, passive, detractor)
    csat, ces        1 or 0 (counts or not)
    csat_mean, ces_mean   the score
    """
    if metric == "nps":
        if scale != NPS_SCALE:
            return f"NPS is asked on {NPS_SCALE}; answers on {scale} do not count"
        return 100.0 * ((scores >= PROMOTER).astype(np.float64) - (scores < PASSIVE).astype(np.float64))
    found = bounds(scale)
    if found is None:
        return f"{scale!r} is no scale of lowest-highest"
    low, high = found
    if np.any((scores < low) | (scores > high)):
        return f"an answer is not on its scale {scale}"
    if metric.endswith("_mean"):
        return scores
    if metric == "csat":
        best = high - 1 if high - low >= 3 else high
        return (scores >= best).astype(np.float64)
    return (scores > (low + high) / 2).astype(np.float64)


def note(metric: str, score: float, part: float) -> str:
    """An answer in words."""
    if metric == "nps":
        return f"{'promoter' if part > 0 else 'detractor' if part < 0 else 'passive'} ({score:g})"
    return f"answered {score:g}"
