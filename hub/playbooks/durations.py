"""Durations as people write them: "30 days", "12 hours"."""

import re
from datetime import timedelta

_UNITS = {
    "minute": timedelta(minutes=1),
    "hour": timedelta(hours=1),
    "day": timedelta(days=1),
    "week": timedelta(weeks=1),
}
_SHAPE = re.compile(r"(\d{1,5}) (minute|hour|day|week)s?")


def parse_duration(value: object) -> timedelta:
    """The duration `value` says; ValueError where it is none."""
    match = _SHAPE.fullmatch(value) if isinstance(value, str) else None
    if match is None:
        raise ValueError(f"{value!r} is no duration; durations are such as 45 minutes, 12 hours, 3 days, 2 weeks")
    return int(match[1]) * _UNITS[match[2]]


def show_duration(value: timedelta) -> str:
    """The duration in the largest unit that divides it."""
    for unit, length in reversed(_UNITS.items()):
        if value and value % length == timedelta(0):
            count = value // length
            return f"{count} {unit}" + ("" if count == 1 else "s")
    return "0 minutes" if not value else str(value)
