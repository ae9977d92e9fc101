"""Retention of a cohort: what each customer's balance at the start and at the end brings to each figure.

Balances are MRR of one currency, a column over customers. Ratios of MRR and of ARR (12 x MRR) are the same number. The cap
of gross retention is per customer: capping the total would let one customer's growth hide another's loss.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from hub.analytics.shares import Floats, Texts

CENT = 0.005
"""Balances that differ by less have not moved: sums of floats differ in their last digits."""
Flags = NDArray[np.bool_]


@dataclass(frozen=True)
class Balances:
    """MRR of customers at the start and the end of a period; `before`: whether they paid anything before the period."""

    start: Floats
    end: Floats
    before: Flags

    @property
    def cohort(self) -> Flags:
        return self.start > 0

    @property
    def kept(self) -> Floats:
        """The smaller of both, customer by customer."""
        return np.minimum(self.start, self.end)

    @property
    def churned(self) -> Flags:
        return self.cohort & (self.end <= 0)

    @property
    def contracted(self) -> Flags:
        return self.cohort & (self.end > 0) & (self.end <= self.start - CENT)

    @property
    def expanded(self) -> Flags:
        return self.cohort & (self.end >= self.start + CENT)

    @property
    def new(self) -> Flags:
        return ~self.cohort & (self.end > 0) & ~self.before

    @property
    def reactivated(self) -> Flags:
        return ~self.cohort & (self.end > 0) & self.before

    @cached_property
    def notes(self) -> Texts:
        """What happened to each customer, in a word."""
        notes = np.full(len(self.start), "retained", dtype=np.object_)
        for word in ("churned", "contracted", "expanded", "new", "reactivated"):
            notes[getattr(self, word)] = word
        return notes

    def components(self) -> dict[str, float]:
        """The parts of the formulas; start + expansion - contraction - churn is the end of the cohort."""
        start, end, moved = self.start, self.end, self.end - self.start
        return {
            "start": float(start[self.cohort].sum()),
            "expansion": float(np.maximum(moved, 0)[self.cohort].sum()),
            "contraction": float(-np.minimum(moved, 0)[self.cohort & ~self.churned].sum()),
            "churn": float(start[self.churned].sum()),
            "end": float(end[self.cohort].sum()),
            "new": float(end[self.new].sum()),
            "reactivated": float(end[self.reactivated].sum()),
        }

    def counts(self) -> dict[str, float]:
        """Customers, where balances are no money."""
        named = {"start": self.cohort, "churned": self.churned, "new": self.new, "reactivated": self.reactivated}
        return {name: float(flags.sum()) for name, flags in named.items()}


Part = Callable[[Balances], tuple[Flags, Floats, Floats]]


def _of_cohort(numerator: Callable[[Balances], Floats | Flags]) -> Part:
    """Rows are the cohort, weighed by what they paid."""
    return lambda of: (of.cohort, numerator(of).astype(np.float64), of.start)


def _of_logos(numerator: Callable[[Balances], Flags]) -> Part:
    """Rows are the cohort, each one customer."""
    return lambda of: (of.cohort, numerator(of).astype(np.float64), np.ones(len(of.start)))


def _counting(which: Callable[[Balances], Flags]) -> Part:
    return lambda of: (which(of), np.ones(len(of.start)), np.ones(len(of.start)))


def _of_payers(factor: float) -> Part:
    return lambda of: (of.end > 0, factor * of.end, np.ones(len(of.start)))


PARTS: Mapping[str, Part] = {
    "nrr": _of_cohort(lambda of: of.end),
    "grr": _of_cohort(lambda of: of.kept),
    "mrr_churn": _of_cohort(lambda of: np.where(of.churned, of.start, 0.0)),
    "gross_mrr_churn": _of_cohort(lambda of: of.start - of.kept),
    "net_mrr_churn": _of_cohort(lambda of: of.start - of.end),
    "logo_retention": _of_logos(lambda of: of.cohort & ~of.churned),
    "logo_churn": _of_logos(lambda of: of.churned),
    "churned_customers": _counting(lambda of: of.churned),
    "contracted_customers": _counting(lambda of: of.contracted),
    "expanded_customers": _counting(lambda of: of.expanded),
    "new_customers": _counting(lambda of: of.new),
    "reactivated_customers": _counting(lambda of: of.reactivated),
    "mrr": _of_payers(1.0),
    "arr": _of_payers(12.0),
    "arpa": _of_payers(1.0),
    "ltv": _of_payers(1.0),
    "margin_ltv": _of_payers(1.0),
}
"""{figure: which customers are its rows, their numerators, their denominators}."""


def lifetime_value(arpa: float, churn: float) -> float | None:
    """ARPA / churn rate of a month; None where churn is 0, for that is no lifetime but for ever.

    >>> lifetime_value(100.0, 0.05)
    2000.0
    """
    return arpa / churn if churn > 0 else None
