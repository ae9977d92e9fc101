"""A day of the past as a playbook would have found it, and what is carried from one day to the next.

`Roster` numbers customers in the order they were met; `Kept` holds one number for each.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from hub.model.conditions import Condition, matches
from scoring.choosing import chosen
from scoring.facts import FactTable, Floats

Integers = npt.NDArray[np.int64]
Booleans = npt.NDArray[np.bool_]


class Roster:
    """Customers by number."""

    def __init__(self) -> None:
        self._numbers: dict[str, int] = {}
        self.ids: list[str] = []

    def __len__(self) -> int:
        return len(self.ids)

    def of(self, customers: Sequence[str]) -> Integers:
        """The numbers of customers, new ones for those not met before."""
        numbers, ids = self._numbers, self.ids
        found = np.empty(len(customers), dtype=np.int64)
        for place, id_ in enumerate(customers):
            code = numbers.get(id_)
            if code is None:
                code = numbers[id_] = len(ids)
                ids.append(id_)
            found[place] = code
        return found

    def find(self, customer: str) -> int | None:
        return self._numbers.get(customer)


class Kept:
    """One number a customer, `missing` for those of whom nothing was kept."""

    def __init__(self, missing: float) -> None:
        self._missing = missing
        self._values = np.full(0, missing)

    def of(self, codes: Integers) -> Floats:
        self._grow(codes)
        return self._values[codes]

    def put(self, codes: Integers, values: float | Floats) -> None:
        self._grow(codes)
        self._values[codes] = values

    def _grow(self, codes: Integers) -> None:
        size = int(codes.max()) + 1 if len(codes) else 0
        if size > len(self._values):
            more = np.full(max(size - len(self._values), len(self._values)), self._missing)
            self._values = np.concatenate([self._values, more])


class Scene:
    """The scorecards of a day, with where customers stood in the lifecycle at its end.

    codes   the numbers of the table's customers
    until   the next day that has scorecards: ticks before it look at this one
    """

    def __init__(self, table: FactTable, codes: Integers, *, until: date) -> None:
        self.table = table
        self.codes = codes
        self.until = until
        self._holds: dict[int, tuple[Condition, Booleans]] = {}

    @property
    def day(self) -> date:
        return self.table.as_of

    @cached_property
    def ordinal(self) -> int:
        return self.table.as_of.toordinal()

    @cached_property
    def _places(self) -> Mapping[int, int]:
        return {code: place for place, code in enumerate(self.codes.tolist())}

    def place(self, code: int) -> int | None:
        """Where a customer stands in the table; None for who has no scorecard of the day."""
        return self._places.get(code)

    def holds(self, condition: Condition) -> Booleans:
        """For whom a condition without a before holds; worked out once a day."""
        if id(condition) not in self._holds:  # kept beside its id, so that the id stays its own
            self._holds[id(condition)] = (condition, chosen(condition, self.table))
        return self._holds[id(condition)][1]

    def holds_for(self, code: int, condition: Condition) -> bool:
        place = self.place(code)
        return matches(condition, {}, today=self.day) if place is None else bool(self.holds(condition)[place])

    def values(self, code: int) -> dict[str, Any]:
        """All columns of a customer; {} for who has no scorecard of the day."""
        place = self.place(code)
        return {} if place is None else self.table.at(place)

    def text(self, name: str) -> Sequence[str | None]:
        return self.table.texts.get(name) or [None] * len(self.table)

    def number(self, name: str) -> Floats:
        return self.table.numbers.get(name, np.full(len(self.table), np.nan))


@dataclass(frozen=True, slots=True)
class Firing:
    """One firing of a rehearsal.

    code      the customer; day: its ordinal
    at_once   on the first day, of who met the condition already: a backlog, no event
    csm       the customer's on that day
    at_stake  what would be lost: annualised churn risk times a year's revenue, or what is known of it
    """

    code: int
    day: int
    at_once: bool
    csm: str | None
    at_stake: float
