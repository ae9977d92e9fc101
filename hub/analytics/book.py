"""Balances of all customers on the days asked for, as columns, and the groups customers fall into."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hub.analytics.months import Period
from hub.analytics.retention import Balances
from hub.analytics.shares import Floats, Texts, texts

NO_GROUP = "(none)"


class Book:
    """`rows` as `find_balances` returns them for `days`. Customers are in order of id; `currencies` in order of name."""

    def __init__(self, rows: Sequence[Any], days: Sequence[date]) -> None:
        ids = sorted({row[0] for row in rows})
        place = {id_: index for index, id_ in enumerate(ids)}
        self.ids: Texts = texts(ids)
        self.currencies: list[str] = sorted({row[1] for row in rows})
        self._owner = np.array([place[row[0]] for row in rows], dtype=np.int64)
        currency = texts([row[1] for row in rows])
        self._in = {name: currency == name for name in self.currencies}
        self._plan = texts([row[2] for row in rows])
        self._mrr = np.array([row[4:] for row in rows], dtype=np.float64).reshape(len(rows), len(days))
        self._column = {day: index for index, day in enumerate(days)}
        self._first = np.full(len(ids), date.max.toordinal(), dtype=np.int64)
        self._plans: dict[Period, dict[str, str]] = {}
        self._balances: dict[tuple[Period, str | None], Balances] = {}
        np.minimum.at(self._first, self._owner, np.array([row[3].toordinal() for row in rows], dtype=np.int64))

    def balances(self, period: Period, currency: str | None) -> Balances:
        """Start and end of a period; without a currency whether anything was paid, as 1 or 0, whatever the currency."""
        key = period, currency
        if key not in self._balances:
            start, end = self.mrr(period.opening, currency), self.mrr(period.last, currency)
            if currency is None:
                start, end = (start > 0).astype(np.float64), (end > 0).astype(np.float64)
            self._balances[key] = Balances(start, end, self._first < period.first.toordinal())
        return self._balances[key]

    def mrr(self, day: date, currency: str | None) -> Floats:
        """MRR by customer; of all currencies it is no amount of money, only more than nothing or not."""
        amounts = self._mrr[:, self._column[day]]
        if currency is not None:
            amounts = np.where(self._in[currency], amounts, 0.0)
        return np.bincount(self._owner, weights=amounts, minlength=len(self.ids)).astype(np.float64)

    def plans(self, period: Period) -> dict[str, str]:
        """{customer: plan} on the day before the period, else on its last day: that of the term with the highest MRR."""
        if period in self._plans:
            return self._plans[period]
        found = self._plans[period] = {}
        for day in (period.last, period.opening):  # the later overwrites
            amounts = self._mrr[:, self._column[day]]
            paid = np.flatnonzero(amounts > 0)
            rows = paid[
                np.lexsort((amounts[paid], self._owner[paid]))
            ]  # the highest of a customer comes last and stays
            found.update(zip(self.ids[self._owner[rows]], self._plan[rows], strict=True))
        return found


def members(customers: Texts, groups: Mapping[str, str | None]) -> dict[str, NDArray[np.bool_]]:
    """{group: which of the customers are in it}, in order of the groups' names; every customer is in exactly one."""
    column = texts([groups.get(id_) or NO_GROUP for id_ in customers])
    return {group: column == group for group in sorted(set(column))}
