"""Use held in memory, for computing many days in a row: what `usage` and `features` ask of the database, from arrays.

Consecutive days share nearly all of their 84-day windows, so a backfill reads the rows once and counts each day from them,
many times as fast as asking anew. The counts are the same to the last one; a test asks both about the same days.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, NamedTuple, Self

import numpy as np
import numpy.typing as npt
from sqlalchemy import and_, func, select

from hub.store.facts.window import Window
from hub.store.store import Connection
from hub.store.tables import feature_usage_day, user_activity_day

Ints = npt.NDArray[np.int64]
LONGEST = 84
MOST_ROWS = 3_000_000
"""About a gigabyte while they are read; beyond that the database counts each day."""


class Used(NamedTuple):
    """A customer's use of a day's windows; the columns of `usage`'s statements."""

    customer_id: str
    dau: int
    wau: int
    mau: int
    mau_previous: int
    user_days: int
    events_28d: int
    events_previous_28d: int
    events_84d: int
    sessions_28d: int
    minutes_28d: float
    active_days_28d: int


class UsedFeatures(NamedTuple):
    """A customer's features of a day's windows; the columns of `features`' statement."""

    customer_id: str
    features_used_28d: int
    features_used_previous_28d: int


@dataclass(frozen=True, slots=True)
class _Rows:
    """Rows by day: the customer, and what is counted within it (a user, a feature), as numbers; both are named once.

    owner[part] is the customer of each user or feature of a customer; name[part] the number of a feature's name.
    """

    days: Ints
    customer: Ints
    part: Ints
    owner: Ints
    name: Ints
    learned: npt.NDArray[np.float64]
    values: tuple[npt.NDArray[np.float64], ...]

    @classmethod
    def of(cls, rows: Sequence[Any], customers: dict[str, int], values: int) -> Self:
        parts: dict[tuple[int, str], int] = {}
        names: dict[str, int] = {}
        placed = []
        for row in rows:
            customer = customers.setdefault(row[1], len(customers))
            names.setdefault(row[2], len(names))
            placed.append((customer, parts.setdefault((customer, row[2]), len(parts))))
        ids = np.array(placed, dtype=np.int64).reshape(-1, 2)
        keys = list(parts)
        return cls(
            days=np.array([row[0].toordinal() for row in rows], dtype=np.int64),
            customer=ids[:, 0],
            part=ids[:, 1],
            owner=np.array([customer for customer, _ in keys], dtype=np.int64),
            name=np.array([names[name] for _, name in keys], dtype=np.int64),
            learned=np.array([row[3].timestamp() for row in rows], dtype=np.float64),
            values=tuple(np.array([row[4 + i] for row in rows], dtype=np.float64) for i in range(values)),
        )

    def known(self, window: Window, days: int) -> Ints:
        """Places of the rows of the trailing `days` that were known by the end of the day."""
        first, last = window.first(days).toordinal(), window.day.toordinal()
        start, stop = np.searchsorted(self.days, [first, last + 1])
        return np.asarray(np.flatnonzero(self.learned[start:stop] < window.end.timestamp()) + start, dtype=np.int64)


class UseInMemory:
    """The use of all customers from 84 days before `first` up to `last`: what facts of the days between them count."""

    def __init__(self, first: date, last: date, users: Sequence[Any], features: Sequence[Any]) -> None:
        self.first, self.last = first, last
        numbers: dict[str, int] = {}
        self._users = _Rows.of(users, numbers, 3)
        self._features = _Rows.of(features, numbers, 0)
        self._ids = list(numbers)

    @classmethod
    async def read(cls, connection: Connection, *, first: date, last: date, most: int = MOST_ROWS) -> Self | None:
        """Read what the days from `first` to `last` need; None where that would be more than `most` rows."""
        window, start = Window(last), Window(first).first(LONGEST)
        rows: list[Sequence[Any]] = []
        for table, part, values in (
            (user_activity_day, "user_key", ("events", "sessions", "minutes")),
            (feature_usage_day, "feature", ()),
        ):
            use = table.c
            within = and_(use.day >= start, use.day <= last)
            most -= (await connection.execute(select(func.count()).select_from(table).where(within))).scalar_one()
            if most < 0:
                return None
            statement = (
                select(use.day, use.customer_id, use[part], use.learned_at, *(use[name] for name in values))
                .where(window.known(table), within, use.events > 0)
                .order_by(use.day)
            )
            rows.append((await connection.execute(statement)).all())
        return cls(first, last, *rows)

    def covers(self, window: Window) -> bool:
        return self.first <= window.day <= self.last

    def used(self, window: Window) -> Iterator[Used]:
        """Per customer, over 84 days; who has no use in them is left out."""
        rows = self._users
        chosen = rows.known(window, LONGEST)
        days, parts = rows.days[chosen], rows.part[chosen]
        events, sessions, minutes = (column[chosen] for column in rows.values)
        size, people = len(self._ids), len(rows.owner)
        today, week, month, before = (days > window.day.toordinal() - length for length in (1, 7, 28, 56))
        before &= ~month

        def users(when: npt.NDArray[np.bool_]) -> Ints:
            return np.bincount(rows.owner[np.bincount(parts[when], minlength=people) > 0], minlength=size)

        def total(column: npt.NDArray[np.float64], when: npt.NDArray[np.bool_]) -> npt.NDArray[np.float64]:
            sums = np.bincount(rows.customer[chosen][when], weights=column[when], minlength=size)
            return np.asarray(sums, dtype=np.float64)

        def pairs(column: Ints, owner: Ints | None) -> Ints:
            """How many distinct pairs of `column` and a day of the month there are, by customer."""
            distinct = np.unique(column[month] * 10_000_000 + days[month]) // 10_000_000
            return np.bincount(distinct if owner is None else owner[distinct], minlength=size)

        everything = np.ones(len(chosen), dtype=np.bool_)
        columns = (
            users(today),
            users(week),
            users(month),
            users(before),
            pairs(parts, rows.owner),
            total(events, month),
            total(events, before),
            total(events, everything),
            total(sessions, month),
            total(minutes, month),
            pairs(rows.customer[chosen], None),
        )
        for i in np.unique(rows.customer[chosen]).tolist():
            yield Used(self._ids[i], *(column[i].item() for column in columns))

    def used_features(self, window: Window) -> Iterator[UsedFeatures]:
        """Per customer, over 56 days."""
        rows = self._features
        chosen = rows.known(window, 56)
        month = rows.days[chosen] > window.day.toordinal() - 28
        now, before = (
            np.bincount(rows.owner[np.unique(rows.part[chosen][when])], minlength=len(self._ids))
            for when in (month, ~month)
        )
        for i in np.unique(rows.customer[chosen]).tolist():
            yield UsedFeatures(self._ids[i], now[i].item(), before[i].item())

    def anybody_used(self, window: Window) -> int:
        """How many features any customer used in 28 days."""
        rows = self._features
        return len(np.unique(rows.name[rows.part[rows.known(window, 28)]]))
