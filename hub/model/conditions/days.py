"""Days as conditions say them: a date, or one that counts from the day the condition is asked on.

    a day    2026-11-22 | today | yesterday | tomorrow | today - 90 days | today + 2 weeks      days, weeks, months, years
    a span   last 30 days | next 2 weeks      so many, the day itself the last of them, or the first
             this month | last quarter | next year      a whole one of the calendar; a week begins on Monday

A month from the 31st is the last day of a shorter month. Days are days of UTC.
"""

import re
from calendar import monthrange
from dataclasses import dataclass
from datetime import date, timedelta

DAY_FORMS = ("2026-11-22", "today", "yesterday", "tomorrow", "today - 90 days", "today + 2 weeks")
SPAN_FORMS = ("last 30 days", "next 2 weeks", "this month", "last quarter", "next year")
MOST = {"day": 36_500, "week": 5_200, "month": 1_200, "year": 100}
"""How far from today, in each unit."""
_ISO = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
_NEAR = {"today": 0, "yesterday": -1, "tomorrow": 1}
_DAY = re.compile(r"today\s*([+-])\s*(\d{1,5}) (day|week|month|year)s?")
_SPAN = re.compile(r"(last|next) (\d{1,5}) (day|week|month|year)s?")
_CALENDAR = re.compile(r"(last|this|next) (week|month|quarter|year)")
_STEP = {"last": -1, "this": 0, "next": 1}
DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Day:
    """A day that counts from today: `count` units later, or earlier where it is negative."""

    count: int
    unit: str

    def __str__(self) -> str:
        if not self.count:
            return "today"
        size = abs(self.count)
        return f"today {'-' if self.count < 0 else '+'} {size} {self.unit}{'' if size == 1 else 's'}"

    def on(self, today: date) -> date:
        return shifted(today, self.count, self.unit)


@dataclass(frozen=True, slots=True)
class Span:
    """Days that count from today. count: None for a whole unit of the calendar, the one before, this one, the next."""

    which: str
    unit: str
    count: int | None = None

    def __str__(self) -> str:
        if self.count is None:
            return f"{self.which} {self.unit}"
        return f"{self.which} {self.count} {self.unit}{'' if self.count == 1 else 's'}"

    def on(self, today: date) -> tuple[date, date]:
        """Its first and its last day."""
        if self.count is not None:
            if self.which == "last":
                return shifted(today, -self.count, self.unit) + DAY, today
            return today, shifted(today, self.count, self.unit) - DAY
        first = _begin(today, self.unit)
        months = {"month": 1, "quarter": 3, "year": 12}.get(self.unit)
        step = _STEP[self.which]
        if months is None:
            first += 7 * step * DAY
            return first, first + 6 * DAY
        first = shifted(first, months * step, "month")
        return first, shifted(first, months, "month") - DAY


def shifted(day: date, count: int, unit: str) -> date:
    """The day so many units later."""
    if unit in ("day", "week"):
        return day + count * (7 if unit == "week" else 1) * DAY
    months = day.year * 12 + day.month - 1 + count * (12 if unit == "year" else 1)
    year, month = divmod(months, 12)
    return date(year, month + 1, min(day.day, monthrange(year, month + 1)[1]))


def _begin(day: date, unit: str) -> date:
    if unit == "week":
        return day - day.weekday() * DAY
    month = {"month": day.month, "quarter": day.month - (day.month - 1) % 3, "year": 1}[unit]
    return date(day.year, month, 1)


def parse_day(text: str) -> date | Day:
    """The day a text says; ValueError where it says none."""
    given = " ".join(text.split()).lower()
    if given in _NEAR:
        return Day(_NEAR[given], "day")
    if match := _DAY.fullmatch(given):
        return Day(_bounded(int(match[2]), match[3]) * (-1 if match[1] == "-" else 1), match[3])
    try:
        if _ISO.fullmatch(given):
            return date.fromisoformat(given)
    except ValueError:
        pass  # of that shape, and no day of the calendar
    raise ValueError(f"{text!r} is no day; days are such as {', '.join(DAY_FORMS)}")


def parse_span(text: str) -> Span:
    """The span a text says; ValueError where it says none."""
    given = " ".join(text.split()).lower()
    if match := _CALENDAR.fullmatch(given):
        return Span(match[1], match[2])
    if (match := _SPAN.fullmatch(given)) and int(match[2]):
        return Span(match[1], match[3], _bounded(int(match[2]), match[3]))
    raise ValueError(f"{text!r} is no span of days; spans are such as {', '.join(SPAN_FORMS)}")


def _bounded(count: int, unit: str) -> int:
    if count > MOST[unit]:
        raise ValueError(f"reaches further than {MOST[unit]:,} {unit}s")
    return count
