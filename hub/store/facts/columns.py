"""Columns in the making: a list per fact, in the order of the customers, filled from rows that name their customer."""

from collections.abc import Callable, Iterable, Mapping, Sequence, Set
from datetime import date
from operator import attrgetter
from typing import Any


class Columns:
    """Facts of `customers` so far. A customer without a row has None, or what `absent` says of it."""

    def __init__(self, rows: Sequence[Any]) -> None:
        self.customers = [row.customer_id for row in rows]
        self._place = {id_: place for place, id_ in enumerate(self.customers)}
        self._lists: dict[str, list[Any]] = {}
        if rows:
            self.fill(rows, [name for name in rows[0]._fields if name != "customer_id"])

    def __getitem__(self, name: str) -> list[Any]:
        return self._lists[name]

    def put(self, name: str, values: list[Any]) -> None:
        self._lists[name] = values

    def fill(
        self,
        rows: Iterable[Any],
        names: Sequence[str],
        *,
        absent: Mapping[str, Any] | None = None,
        of: Set[str] = frozenset(),
    ) -> None:
        """Take `names` from `rows`; the customers in `of` that have no row get `absent`, all others None."""
        lists = [self._lists.setdefault(name, [None] * len(self.customers)) for name in names]
        everybody = [place for id_ in of if (place := self._place.get(id_)) is not None] if absent else []
        for name, values in zip(names, lists, strict=True):
            if absent and name in absent:
                for place in everybody:
                    values[place] = absent[name]
        found = [(place, row) for row in rows if (place := self._place.get(row.customer_id)) is not None]
        for name, values in zip(names, lists, strict=True):
            take = attrgetter(name)
            for place, row in found:
                value = take(row)
                values[place] = value if value is None or isinstance(value, str) else float(value)

    def take_days(self, rows: Iterable[Any], column: str, name: str, days: Callable[[date], int]) -> None:
        """A column of days counted from the dates in `column`."""
        values = self._lists.setdefault(name, [None] * len(self.customers))
        for row in rows:
            if (place := self._place.get(row.customer_id)) is not None and (on := getattr(row, column)) is not None:
                values[place] = float(days(on))

    def derive(self, name: str, function: Callable[..., float | None], *inputs: str) -> None:
        """A column computed row by row from others."""
        self.put(name, list(map(function, *(self._lists[input_] for input_ in inputs))))

    def table(self, names: Sequence[str]) -> dict[str, list[Any]]:
        """Everything, in the order of `names`."""
        empty: list[Any] = [None] * len(self.customers)
        return {"customer_id": self.customers, **{name: self._lists.get(name, empty) for name in names}}


def share(part: float | None, whole: float | None) -> float | None:
    """part / whole; None where either is missing or the whole is not positive."""
    return None if part is None or not whole or whole < 0 else part / whole


def change(now: float | None, before: float | None, *, base: float) -> float | None:
    """(now - before) / before; None below a minimum `base`, where a share says nothing."""
    return None if now is None or before is None or before < base else (now - before) / before
