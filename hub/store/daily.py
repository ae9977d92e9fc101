"""Customers a part of them at a time, as many as a statement takes parameters."""

from collections.abc import Iterable, Sequence

BATCH = 2_000


def batches(ids: Iterable[str]) -> Iterable[Sequence[str]]:
    """The ids, as many at a time as a statement takes."""
    ordered = list(ids)
    return (ordered[start : start + BATCH] for start in range(0, len(ordered), BATCH))
