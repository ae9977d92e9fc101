"""Dividing rows by time: what is judged is later than what was learned from, and no label reaches across."""

import numpy as np

from scoring.evaluation import Flags, Integers


def split_by_time(days: Integers, ends: Integers, *, test_share: float) -> tuple[Flags, Flags] | None:
    """Masks (earlier, later): the newest `test_share` of the distinct days, and rows whose label was known by the first of
    them: `ends` is the last day a row's label looks at. None where that leaves either side empty.
    """
    distinct = np.unique(days)
    count = max(1, round(len(distinct) * test_share))
    if count >= len(distinct):
        return None
    first_later = distinct[-count]
    earlier: Flags = ends <= first_later
    return (earlier, days >= first_later) if earlier.any() else None
