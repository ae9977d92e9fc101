"""Calendar months, as they are asked for ("2026-10"), and the periods made of them."""

import re
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Self

from hub.errors import RefusedError

_MONTH = re.compile(r"(\d{4})-(0[1-9]|1[0-2])")


@dataclass(frozen=True, slots=True, order=True)
class Month:
    """A month of the calendar; `month` is 1-12."""

    year: int
    month: int

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read "2026-10"; RefusedError where it is none."""
        found = _MONTH.fullmatch(text.strip())
        if found is None or int(found[1]) < 1000:
            raise RefusedError(f"{text[:40]!r} is no month; write it as 2026-10")
        return cls(int(found[1]), int(found[2]))

    @classmethod
    def of(cls, day: date) -> Self:
        return cls(day.year, day.month)

    def plus(self, months: int) -> "Month":
        count = self.year * 12 + self.month - 1 + months
        return Month(count // 12, count % 12 + 1)

    def to(self, other: "Month") -> int:
        """How many months `other` is later."""
        return (other.year - self.year) * 12 + other.month - self.month

    @property
    def first(self) -> date:
        return date(self.year, self.month, 1)

    @property
    def last(self) -> date:
        return self.plus(1).first - timedelta(days=1)

    def __str__(self) -> str:
        return f"{self.year:04}-{self.month:02}"


@dataclass(frozen=True, slots=True)
class Period:
    """From the first day to the last, both included.

    opening   the day before the first: who pays at its end is the cohort. So who begins on the first day is new, and who
              pays for the last time on the day before it has left in the period
    """

    first: date
    last: date

    @property
    def opening(self) -> date:
        return self.first - timedelta(days=1)

    @property
    def month(self) -> Month:
        """The month the period ends in."""
        return Month.of(self.last)

    def __str__(self) -> str:
        if self.first.day == 1 and self.last == self.month.last:
            first = Month.of(self.first)
            return str(first) if first == self.month else f"{first} to {self.month}"
        return f"{self.first} to {self.last}"


def periods(first: Month, last: Month, *, monthly: bool, today: date) -> list[Period]:
    """One period, or one a month. A month that is not over goes as far as today."""
    spans = [(first.plus(n),) * 2 for n in range(first.to(last) + 1)] if monthly else [(first, last)]
    return [Period(begin.first, min(end.last, today)) for begin, end in spans]


def last_months(count: int, *, today: date) -> tuple[Month, Month]:
    """First and last of the `count` months that are over."""
    last = Month.of(today).plus(-1)
    return last.plus(1 - count), last
