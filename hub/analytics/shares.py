"""Rows and the headline they add up to: a value is computed from its rows' numerators and denominators and nothing else.

The columns stay columns; a `Row` is made only of those somebody looks at. The rows that cost the figure most come first.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from math import fsum
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from hub.analytics.definitions import Aggregation, Definition
from hub.analytics.months import Period
from hub.analytics.survival import median_time

Floats = NDArray[np.float64]
Texts = NDArray[np.object_]
MOST_ROWS = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Shares:
    """What each row brings to a headline: columns of one length.

    ids        of customers, or of deals and answers where several are one customer's
    customers  ids of the customers
    notes      what happened, in a word or two
    """

    ids: Texts
    customers: Texts
    numerator: Floats
    denominator: Floats
    notes: Texts

    def __len__(self) -> int:
        return len(self.ids)

    def where(self, mask: NDArray[np.bool_]) -> "Shares":
        return Shares(
            ids=self.ids[mask],
            customers=self.customers[mask],
            numerator=self.numerator[mask],
            denominator=self.denominator[mask],
            notes=self.notes[mask],
        )

    def headline(self, aggregation: Aggregation) -> float | None:
        """The value of these rows; None where nothing is there to divide by, or the median is not reached."""
        if aggregation is Aggregation.SUM:
            return fsum(self.numerator)
        if aggregation is Aggregation.MEDIAN:
            return median_time(self.numerator, self.denominator > 0)
        base = fsum(self.denominator)
        return fsum(self.numerator) / base if base else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One row of a drill-down."""

    id: str
    customer_id: str
    customer_name: str
    numerator: float
    denominator: float
    note: str


NOTHING: Mapping[str, float] = MappingProxyType({})


@dataclass(frozen=True, slots=True, kw_only=True)
class Value:
    """A figure of a period, with everything that makes it the one it is.

    group       the segment, CSM or plan; None: everybody
    currency    of the money in it; None where there is none
    scale       of the answers, "lowest-highest"
    reason      why there is no value
    given       what the request settled that the definition leaves open, in words
    n           rows it is made of
    components  {what: amount}, the parts of the formula
    """

    definition: Definition
    period: Period
    value: float | None
    n: int
    group: str | None = None
    currency: str | None = None
    scale: str | None = None
    reason: str | None = None
    given: str | None = None
    components: Mapping[str, float] = field(default_factory=lambda: NOTHING)
    shares: Shares = field(repr=False)
    names: Mapping[str, str] = field(repr=False)

    def rows(self, first: int | None = None, *, skip: int = 0) -> list[Row]:
        """Its rows, those that take most from the figure (or bring most to a sum) before the others: all of them, or the
        first after `skip`."""
        shares = self.shares
        of_losses = self.definition.aggregation is Aggregation.RATIO and self.definition.higher_is_better
        weight = shares.denominator - shares.numerator if of_losses else shares.numerator
        order = np.argsort(-weight, kind="stable")  # equals stay in order of id
        return [
            Row(
                id=shares.ids[place],
                customer_id=shares.customers[place],
                customer_name=self.names.get(shares.customers[place], shares.customers[place]),
                numerator=float(shares.numerator[place]),
                denominator=float(shares.denominator[place]),
                note=shares.notes[place],
            )
            for place in order[skip : None if first is None else skip + first]
        ]


def texts(values: Sequence[str]) -> Texts:
    """A column of texts."""
    column = np.empty(len(values), dtype=np.object_)
    column[:] = values
    return column
