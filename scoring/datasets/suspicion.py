"""Columns that tell too much: what alone tells nearly all who left was most likely filled in after they had.

Nothing is left out for it, for a strong column may be honest; it is named, for people to drop.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.stats import rankdata

from scoring.evaluation import Flags

TOO_GOOD = 0.99  # ROC-AUC of a column alone
FEWEST = 20  # rows of each kind, before it could be no chance
SAMPLE = 20_000


def suspicions(told: Mapping[str, Sequence[npt.NDArray[Any]]], labels: Flags) -> dict[str, str]:
    """{column: why}. told: of each column of a file, flags of where it is filled in and the features made of it, all [n]."""
    if min(labels.sum(), (~labels).sum()) < FEWEST:
        return {}
    some = np.random.default_rng(0).permutation(len(labels))[:SAMPLE]
    left = labels[some]
    found = {}
    for name, (filled, *features) in told.items():
        if (area := _area(filled[some], left)) >= TOO_GOOD:
            found[name] = f"whether it is filled in alone tells who left (ROC-AUC {area:.3f}): known only afterwards?"
            continue
        area = max(_area(np.nan_to_num(values[some], nan=-np.inf), left) for values in features)
        if area >= TOO_GOOD:
            found[name] = f"alone tells who left (ROC-AUC {area:.3f}): known only afterwards?"
    return found


def _area(values: npt.NDArray[Any], left: Flags) -> float:
    """ROC-AUC of the values, or of their opposite."""
    many, few = int((~left).sum()), int(left.sum())
    if not many or not few:
        return 0.5
    area = (rankdata(values)[left].sum() - few * (few + 1) / 2) / (many * few)
    return float(max(area, 1 - area))
