"""What the benchmarks measure with: seconds, the load of the machine beside them, and peak memory.

The machine may be shared, so a time is the best of a few runs, and what counts are ratios within one run.
"""

import os
import resource
import sys
import time
from collections.abc import Callable
from typing import TypeVar

Result = TypeVar("Result")


def best(call: Callable[[], Result], times: int = 3) -> tuple[float, Result]:
    """Seconds of the fastest of several runs, and what the last one gave."""
    fastest = float("inf")
    for _ in range(times - 1):  # what they give is let go of at once: two results would be twice the memory
        fastest = min(fastest, _timed(call)[0])
    last, result = _timed(call)
    return min(fastest, last), result


def _timed(call: Callable[[], Result]) -> tuple[float, Result]:
    began = time.perf_counter()
    result = call()
    return time.perf_counter() - began, result


def peak_mb() -> float:
    """Peak resident memory of this process so far."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (1 << 20 if sys.platform == "darwin" else 1 << 10)


def load() -> str:
    """How busy the machine is, as words for the end of a line."""
    return f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}"


def verdict(value: float, bound: float) -> str:
    """ "within 3" or "NOT within 3"."""
    return f"{'within' if value <= bound else 'NOT within'} {bound:,.5g}"
