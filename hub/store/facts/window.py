"""The day that facts are computed for: its trailing windows, and what was known by its end.

A window of n days is the day itself and the n - 1 before it. Datetimes are compared with the first moment of the next day,
so that a day is whole. All bounds are computed here and bound as parameters: no database does arithmetic with dates.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Table, and_, true

MAX_PARAMETERS = 10_000
"""More ids than this are not sent along but picked out of the answer; databases limit the parameters of a statement."""


@dataclass(frozen=True, slots=True)
class Window:
    """A day, and the customers asked for (None: all)."""

    day: date
    customer_ids: Sequence[str] | None = None

    @property
    def end(self) -> datetime:
        """The first moment that is no longer the day."""
        return datetime.combine(self.day + timedelta(days=1), time.min, UTC)

    def first(self, days: int) -> date:
        """First day of the window of `days`."""
        return self.day - timedelta(days=days - 1)

    def first_moment(self, days: int) -> datetime:
        """First moment of the window of `days`."""
        return datetime.combine(self.first(days), time.min, UTC)

    def asked(self, column: ColumnElement[Any]) -> ColumnElement[bool]:
        """Whether `column` is one of the customers asked for."""
        if self.customer_ids is None or len(self.customer_ids) > MAX_PARAMETERS:
            return true()
        return column.in_(list(self.customer_ids))

    def picked(self, ids: Iterable[str]) -> list[str]:
        """Those of `ids` that were asked for."""
        if self.customer_ids is None:
            return list(ids)
        asked = set(self.customer_ids)
        return [id_ for id_ in ids if id_ in asked]

    def known(self, table: Table) -> ColumnElement[bool]:
        """Whether a row of a table of records is known on the day and belongs to somebody; not when it happened."""
        return and_(table.c.learned_at < self.end, table.c.deleted.is_(False), table.c.customer_id.is_not(None))

    def known_of_asked(self, table: Table) -> ColumnElement[bool]:
        return and_(self.known(table), self.asked(table.c.customer_id))
