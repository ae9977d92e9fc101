"""Records told as of any moment, again and again: what nothing happens to any more is told once, and is one object."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from typing import Generic, TypeVar

Life = TypeVar("Life")
Row = TypeVar("Row")


@dataclass(frozen=True, slots=True, kw_only=True)
class Viewpoint:
    """A moment, and how to turn days and seconds since the opening of the window into times."""

    started_on: date
    until: datetime
    opened: datetime = field(init=False)
    second: int = field(init=False)

    def __post_init__(self) -> None:
        opened = datetime.combine(self.started_on, time.min, UTC)
        object.__setattr__(self, "opened", opened)
        object.__setattr__(self, "second", int((self.until - opened).total_seconds()))

    def at(self, second: int) -> datetime:
        return self.opened + timedelta(seconds=second)

    def on(self, day: int) -> date:
        return self.started_on + timedelta(days=day)

    def latest(self, *seconds: int | None) -> datetime:
        """The last of these that has happened."""
        return self.at(max(second for second in seconds if second is not None and second <= self.second))


class Retelling(Generic[Life, Row]):
    """Of lives in the order of their numbers, from 1.

    begins, over   the second from which on there is a life, and from which on nothing happens to it
    tell           (view, number, life) -> the record as of then
    """

    def __init__(
        self,
        lives: Sequence[Life],
        *,
        begins: Callable[[Life], int],
        over: Callable[[Life], int],
        tell: Callable[[Viewpoint, int, Life], Row],
    ) -> None:
        self._lives = [(number, life, begins(life), over(life)) for number, life in enumerate(lives, start=1)]
        self._tell = tell
        self._told: dict[int, Row] = {}

    def at(self, view: Viewpoint) -> list[Row]:
        """Those there are by then, in order."""
        now, rows = view.second, []
        for number, life, begins, over in self._lives:
            if begins > now:
                continue
            row = self._told.get(number) if over <= now else None
            if row is None:
                row = self._tell(view, number, life)
                if over <= now:
                    self._told[number] = row
            rows.append(row)
        return rows
