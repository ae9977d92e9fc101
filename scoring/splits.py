"""Dividing rows: by time, where what is judged is later than what was learned from and no label reaches across, and by
customer, where whoever is judged was in no row learned from."""

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


def folds_of(labels: Flags, customers: Integers, *, count: int, seed: int) -> Integers:
    """The fold 0..count-1 of each row: whole customers, at random, those who ever left and the others evenly. [n] each."""
    _, codes = np.unique(customers, return_inverse=True)
    left = np.bincount(codes, labels) > 0
    drawn = np.random.default_rng(seed).permutation(len(left))
    folds = np.empty(len(left), dtype=np.int64)
    folds[drawn[np.argsort(left[drawn], kind="stable")]] = np.arange(len(left)) % count
    return np.asarray(folds[codes], dtype=np.int64)
