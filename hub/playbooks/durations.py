"""Durations as people write them ("30 days", "2 business days"), and days that facts speak of ("30 days before renewal")."""

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from hub.model.conditions import All, Condition, Field, Operator, Test
from hub.model.team import Member

_UNITS = {
    "minute": timedelta(minutes=1),
    "hour": timedelta(hours=1),
    "day": timedelta(days=1),
    "week": timedelta(weeks=1),
}
_SHAPE = re.compile(r"(\d{1,5}) (minute|hour|day|week)s?")
_BUSINESS = re.compile(r"(\d{1,3}) business days?")
_MOMENT = re.compile(r"(?:(.+) (before|after) )?(.+)")
DATES: Mapping[str, tuple[str, int]] = {"renewal": ("days_to_renewal", 1), "start": ("tenure_days", -1)}
"""{a day in a customer's life: (the fact that counts the days to it or from it, 1 for to and -1 for from)}."""


@dataclass(frozen=True, slots=True)
class BusinessDays:
    """So many days on which whoever has to do it works."""

    count: int


def parse_duration(value: object) -> timedelta:
    """The duration `value` says; ValueError where it is none."""
    match = _SHAPE.fullmatch(value) if isinstance(value, str) else None
    if match is None:
        raise ValueError(f"{value!r} is no duration; durations are such as 45 minutes, 12 hours, 3 days, 2 weeks")
    return int(match[1]) * _UNITS[match[2]]


def parse_due(value: object) -> timedelta | BusinessDays:
    """A duration, or so many business days; ValueError where it is neither."""
    if isinstance(value, str) and (match := _BUSINESS.fullmatch(value)):
        return BusinessDays(int(match[1]))
    try:
        return parse_duration(value)
    except ValueError as error:
        raise ValueError(f"{error}, 2 business days") from None


def show_duration(value: timedelta) -> str:
    """The duration in the largest unit that divides it."""
    for unit, length in reversed(_UNITS.items()):
        if value and value % length == timedelta(0):
            count = value // length
            return f"{count} {unit}" + ("" if count == 1 else "s")
    return "0 minutes" if not value else str(value)


def due_on(due: timedelta | BusinessDays, now: datetime, owner: Member) -> date:
    """The day something is due that is asked of `owner` now, where they are; part of a day is a day."""
    if isinstance(due, timedelta):
        return owner.local(now + timedelta(days=math.ceil(due / timedelta(days=1)))).date()
    return owner.business_days_after(now, due.count)


@dataclass(frozen=True, slots=True)
class Moment:
    """A day that a fact speaks of, or so many days before (negative) or after it."""

    day: str
    offset: timedelta

    @property
    def fact(self) -> str:
        return DATES[self.day][0]

    def day_of(self, values: Mapping[str, Any], as_of: date | None) -> date | None:
        """The day for a customer with these `values` as of a day; None where its fact is missing."""
        fact, sign = DATES[self.day]
        days = values.get(fact)
        if as_of is None or not isinstance(days, int | float) or isinstance(days, bool) or math.isnan(days):
            return None
        return as_of + timedelta(days=sign * round(days)) + self.offset

    def at(self, values: Mapping[str, Any], as_of: date | None) -> datetime | None:
        """Its first moment, in UTC."""
        day = self.day_of(values, as_of)
        return None if day is None else datetime.combine(day, time(), UTC)

    def came(self, within: timedelta) -> Condition:
        """A condition for: the day is here, and came no longer than `within` ago."""
        fact, sign = DATES[self.day]
        field, reached, late = Field(fact, "number"), -sign * self.offset.days, within.days
        if sign > 0:
            tests = ((Operator.LTE, reached), (Operator.GTE, reached - late))
        else:
            tests = ((Operator.GTE, reached), (Operator.LTE, reached + late))
        return All(tuple(Test(field, operator, float(value)) for operator, value in tests))

    def show(self) -> str:
        if not self.offset:
            return self.day
        return f"{show_duration(abs(self.offset))} {'before' if self.offset < timedelta(0) else 'after'} {self.day}"


def parse_moment(value: object) -> Moment:
    """The moment `value` says; ValueError where it is none."""
    match = _MOMENT.fullmatch(value) if isinstance(value, str) else None
    if match is None or match[3] not in DATES:
        raise ValueError(f"{value!r} is no day; days are such as 30 days before renewal, 2 weeks after start, renewal")
    offset = timedelta(0) if match[1] is None else parse_duration(match[1])
    if offset % timedelta(days=1):
        raise ValueError(f"{value!r} must be a number of whole days before or after")
    return Moment(match[3], -offset if match[2] == "before" else offset)
