"""The median time until something happens, when for some it has not happened yet (Kaplan and Meier, 1958)."""

import numpy as np
from numpy.typing import NDArray

_HALF = 0.5 + 1e-9


def median_time(times: NDArray[np.float64], reached: NDArray[np.bool_]) -> float | None:
    """The first time by which half have got there; None where that has not been reached.

    times    days until it happened, or for as long as it was watched for
    reached  whether it happened; who is watched until day t counts as still waiting on day t
    """
    if not len(times):
        return None
    moments, place = np.unique(times, return_inverse=True)
    events = np.bincount(place, weights=reached.astype(np.float64), minlength=len(moments))
    leaving = np.bincount(place, minlength=len(moments))
    at_risk = len(times) - np.concatenate(([0], np.cumsum(leaving)[:-1]))
    waiting = np.cumprod(1.0 - events / at_risk)
    half = np.flatnonzero(waiting <= _HALF)
    return float(moments[half[0]]) if len(half) else None
