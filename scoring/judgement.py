"""What people's judgement was worth: scores that CSMs stated, against what the arithmetic said and what then happened.

    judge(judgements, churns, horizon_days=90, until=today - grace)    ->  Verdict, one for any choice of judgements

A judgement has *matured* when its horizon is over and every churn within it is certain. A stated score is read as the
chance to stay: its Brier score is the mean square of (score - stayed), its AUC the chance that of one who left and one who
stayed the one who left was scored lower. Both are computed for the stated and for the computed score over the same rows,
those that have both. Intervals are the 5th and 95th percentile of a bootstrap that draws whole customers: two judgements of
one customer are not two pieces of evidence.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Self

import numpy as np
import numpy.typing as npt

from scoring.evaluation import Estimate, Flags, Integers
from scoring.facts import Floats
from scoring.outcomes import Churns

ENOUGH = 20
"""Matured customers below which nothing is measured."""
ENOUGH_OF_EACH = 5
"""So many of them must have left, and so many stayed."""
DRAWS = 500
_FAR = np.int64(10_000_000)
"""More than any ordinal of a day."""


@dataclass(frozen=True, slots=True)
class Judgements:
    """Columns of one length: whom, by whom, on which day (ordinals), the score stated 0-1 and the one computed (NaN: none)."""

    customers: npt.NDArray[np.str_]
    by: npt.NDArray[np.str_]
    days: Integers
    stated: Floats
    computed: Floats

    @classmethod
    def of(
        cls,
        *,
        customers: Sequence[str],
        by: Sequence[str],
        days: Sequence[date],
        stated: Sequence[float],
        computed: Sequence[float | None],
    ) -> Self:
        return cls(
            np.array(customers, dtype=np.str_),
            np.array(by, dtype=np.str_),
            np.array([day.toordinal() for day in days], dtype=np.int64),
            np.array(stated, dtype=np.float64),
            np.array([np.nan if value is None else value for value in computed], dtype=np.float64),
        )

    def __len__(self) -> int:
        return len(self.customers)

    def where(self, chosen: Flags) -> Self:
        """Those of `chosen`[n]."""
        return type(self)(
            self.customers[chosen], self.by[chosen], self.days[chosen], self.stated[chosen], self.computed[chosen]
        )

    def by_author(self) -> dict[str, Self]:
        """{who judged: their judgements}, in order of name."""
        return {str(name): self.where(self.by == name) for name in np.unique(self.by)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """Stated scores beside the computed ones of the same rows. The gains are above zero where the stated ones were better."""

    brier: Estimate
    computed_brier: Estimate
    brier_gain: Estimate
    auc: Estimate
    computed_auc: Estimate
    auc_gain: Estimate


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What judgements came to.

    stated           how many there are; of them `matured` can be judged, and the customers of `churned` of those left
    raised, lowered  matured ones above and below the computed score; raised_churned, lowered_churned: who of them left
    measured         None where there are too few
    sentence         what to make of it, in words
    """

    stated: int
    matured: int
    churned: int
    raised: int
    raised_churned: int
    lowered: int
    lowered_churned: int
    measured: Measured | None
    sentence: str


def judge(judgements: Judgements, churns: Churns, *, horizon_days: int, until: date, seed: int = 0) -> Verdict:
    """Judge `judgements` by who left within the horizon after them; `until`: the last day on which churns are certain.

    `churns`: every certain one. Who leaves on day + 1 to day + horizon has churned.
    """
    ripe = judgements.where(judgements.days + horizon_days <= until.toordinal())
    churned = left_within(ripe.customers, ripe.days, churns, horizon_days=horizon_days)
    raised, lowered = ripe.stated > ripe.computed, ripe.stated < ripe.computed
    both = ~np.isnan(ripe.computed)
    names, codes = np.unique(ripe.customers[both], return_inverse=True)
    gone = churned[both]
    left, stayed = len(np.unique(codes[gone])), len(np.unique(codes[~gone]))
    measured = None
    if len(names) >= ENOUGH and min(left, stayed) >= ENOUGH_OF_EACH:
        measured = _measure(gone, ripe.stated[both], ripe.computed[both], codes, seed)
    return Verdict(
        stated=len(judgements),
        matured=len(ripe),
        churned=int(churned.sum()),
        raised=int(raised.sum()),
        raised_churned=int((raised & churned).sum()),
        lowered=int(lowered.sum()),
        lowered_churned=int((lowered & churned).sum()),
        measured=measured,
        sentence=_found(measured) if measured else _too_few(len(judgements), len(ripe), len(names), left, stayed),
    )


def left_within(customers: npt.NDArray[np.str_], days: Integers, churns: Churns, *, horizon_days: int) -> Flags:
    """Whether each of `customers`[n] left on days[n] + 1 to days[n] + horizon."""
    if not len(churns.customers) or not len(customers):
        return np.zeros(len(customers), dtype=np.bool_)
    names, codes = np.unique(np.concatenate([churns.customers, customers]), return_inverse=True)
    ends = np.sort(codes[: len(churns.customers)] * _FAR + churns.days)
    starts = codes[len(churns.customers) :] * _FAR + days
    following = np.searchsorted(ends, starts, side="right")
    nearest = np.append(ends, len(names) * _FAR)[following]
    found: Flags = nearest <= starts + horizon_days
    return found


def _measure(churned: Flags, stated: Floats, computed: Floats, codes: Integers, seed: int) -> Measured:
    random = np.random.default_rng(seed)
    people = int(codes.max()) + 1
    levels = [np.unique(scores, return_inverse=True)[1] for scores in (stated, computed)]
    squares = [(scores - ~churned) ** 2 for scores in (stated, computed)]

    def once(weights: Floats) -> list[float]:
        brier, computed_brier = (float(weights @ square / weights.sum()) for square in squares)
        auc, computed_auc = (_auc(weights, churned, level) for level in levels)
        return [brier, computed_brier, computed_brier - brier, auc, computed_auc, auc - computed_auc]

    point = once(np.ones(len(churned)))
    drawn = []
    for _ in range(DRAWS):
        weights = np.bincount(random.integers(people, size=people), minlength=people)[codes].astype(np.float64)
        if 0 < weights[churned].sum() < weights.sum():
            drawn.append(once(weights))
    low, high = np.percentile(drawn, [5, 95], axis=0)
    brier, computed_brier, brier_gain, auc, computed_auc, auc_gain = (
        Estimate(value, float(low[i]), float(high[i])) for i, value in enumerate(point)
    )
    return Measured(
        brier=brier,
        computed_brier=computed_brier,
        brier_gain=brier_gain,
        auc=auc,
        computed_auc=computed_auc,
        auc_gain=auc_gain,
    )


def _auc(weights: Floats, churned: Flags, levels: Integers) -> float:
    """The chance that who left was scored below who stayed; equal scores count half."""
    gone = np.bincount(levels, weights * churned)
    here = np.bincount(levels, weights * ~churned)
    above = here.sum() - np.cumsum(here)
    return float(gone @ (above + here / 2) / (gone.sum() * here.sum()))


def _too_few(stated: int, matured: int, customers: int, left: int, stayed: int) -> str:
    if not stated:
        return "Nothing has been stated of customers who paid and had not given notice"
    if not matured:
        return f"None of {stated} has matured: what happened is not known yet"
    return (
        f"Too few to judge: {matured} of {stated} have matured, of {customers} customers with a computed score; {left} left "
        f"and {stayed} stayed. It takes {ENOUGH} customers, {ENOUGH_OF_EACH} who left and {ENOUGH_OF_EACH} who stayed"
    )


def _found(measured: Measured) -> str:
    said = []
    if measured.auc_gain.low > 0 or measured.auc_gain.high < 0:
        said.append(f"told {'better' if measured.auc_gain.low > 0 else 'worse'} who would leave from who would stay")
    if measured.brier_gain.low > 0 or measured.brier_gain.high < 0:
        said.append(f"came {'closer to' if measured.brier_gain.low > 0 else 'less close to'} what happened")
    if not said:
        return "No difference to the computed scores that is larger than chance"
    return f"Beside the computed ones, and beyond chance, the stated scores {' and '.join(said)}"
