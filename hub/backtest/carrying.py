"""What is carried from one replayed day to the next: a column for each customer ever met, kept by number."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from scoring.book import LastKnown, Part
from scoring.facts import Floats

Integers = npt.NDArray[np.int64]


class Codes:
    """Customers by number, in the order in which they were met."""

    def __init__(self) -> None:
        self._numbers: dict[str, int] = {}

    def __len__(self) -> int:
        return len(self._numbers)

    @property
    def customers(self) -> list[str]:
        return list(self._numbers)

    def of(self, customers: Sequence[str]) -> Integers:
        """The numbers of `customers`, new ones for those not met before."""
        numbers = self._numbers
        return np.array([numbers.setdefault(id_, len(numbers)) for id_ in customers], dtype=np.int64)

    def known(self, customers: Sequence[str]) -> Integers:
        """The numbers of `customers`, -1 for those never met."""
        return np.array([self._numbers.get(id_, -1) for id_ in customers], dtype=np.int64)


class Kept:
    """One number a customer, `missing` for those of whom nothing was kept."""

    def __init__(self, missing: float) -> None:
        self._missing = missing
        self._values = np.full(0, missing)

    def of(self, codes: Integers) -> Floats:
        self._grow(codes)
        return self._values[codes]

    def put(self, codes: Integers, values: Floats) -> None:
        self._grow(codes)
        self._values[codes] = values

    def _grow(self, codes: Integers) -> None:
        size = int(codes.max()) + 1 if len(codes) else 0
        if size > len(self._values):
            more = np.full(size - len(self._values), self._missing)
            self._values = np.concatenate([self._values, more])


class Readings:
    """The last readings known, as the next scorecard would find them in the newest one before it."""

    def __init__(self) -> None:
        self._last: dict[str, tuple[Kept, Kept]] = {}

    def before(self, codes: Integers, day: int) -> dict[str, LastKnown]:
        """{measure: last known}, columns over the customers `codes`, as of the ordinal `day`."""
        return {
            measure: LastKnown(reading.of(codes), day - on.of(codes)) for measure, (reading, on) in self._last.items()
        }

    def keep(self, parts: Sequence[Part], codes: Integers, day: int) -> None:
        """The readings of a day: each customer's are those of the definition that speaks of it, and no others."""
        for reading, on in self._last.values():
            reading.put(codes, np.full(len(codes), np.nan))
            on.put(codes, np.full(len(codes), np.nan))
        for part in parts:
            own = codes[part.places]
            for read in part.health.readings:
                reading, on = self._last.setdefault(read.place.leaf.name, (Kept(np.nan), Kept(np.nan)))
                last = read.last[part.places]
                age = np.zeros(len(own)) if read.last_age is None else read.last_age[part.places]
                reading.put(own, last)
                on.put(own, np.where(np.isnan(last), np.nan, day - age))
