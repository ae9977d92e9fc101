"""How numbers are worded in reasons: as a person would say them, and the same everywhere."""

from functools import lru_cache


@lru_cache(maxsize=16_384)  # most facts are small counts, worded for every customer every day
def number(value: float) -> str:
    """1234.0 -> "1,234", 2.25 -> "2.2", 0.04 -> "0.04"."""
    if value == round(value) or abs(value) >= 100:
        return f"{value + 0.0:,.0f}"  # + 0.0: no minus before a zero, whichever of the two zeros the cache saw first
    return f"{value:.1f}" if abs(value) >= 1 else f"{value:.2g}"


def percent(share: float) -> str:
    """0.624 -> "62 %"."""
    return f"{share * 100:.0f} %"


def points(share: float) -> str:
    """A score or a reading as people are shown it, of 100: 0.624 -> "62.4"."""
    return f"{share * 100:.1f}"


def duration(minutes: float) -> str:
    """90 -> "1.5 hours"; the unit in which the number is at least 1."""
    for unit, size in (("day", 1440), ("hour", 60)):
        if minutes >= size:
            return counted(round(minutes / size, 1), unit, f"{unit}s")
    return counted(round(minutes, 1), "minute", "minutes")


def counted(value: float, one: str, many: str) -> str:
    """(1, "ticket", "tickets") -> "1 ticket"."""
    return f"{number(value)} {one if value == 1 else many}"
