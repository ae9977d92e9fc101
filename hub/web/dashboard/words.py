"""How numbers, days and names are written on pages: each figure with its unit, each missing one as a dash that says so.

Health and churn risk are 0 to 1 in the API and written 0 to 100 here.
"""

import json
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime
from typing import Any
from urllib.parse import urlencode

from markupsafe import Markup

MISSING = Markup("&ndash;")
MINUS = "\N{MINUS SIGN}"


def whole(value: float | None) -> str:
    """12345.6 as 12,346."""
    return MISSING if value is None else f"{value:,.0f}"


def decimal(value: float | None, places: int = 1) -> str:
    return MISSING if value is None else f"{value:,.{places}f}"


def points(value: float | None) -> str:
    """A score of 0 to 1 as 0 to 100."""
    return MISSING if value is None else f"{value * 100:.0f}"


def signed_points(value: float | None) -> str:
    """A change of a score, of 0 to 1, in points, with its sign."""
    if value is None:
        return MISSING
    rounded = round(value * 100)
    return "\N{PLUS-MINUS SIGN}0" if rounded == 0 else f"{'+' if rounded > 0 else MINUS}{abs(rounded)}"


def percent(value: float | None, places: int = 0) -> str:
    """A share as a percentage."""
    return MISSING if value is None else f"{value * 100:.{places}f} %"


def money(value: float | None, currency: str | None = None) -> str:
    """Short, such as EUR 1.2 M; with its currency, where one is known."""
    if value is None:
        return MISSING
    size = abs(value)
    for least, by, letter in ((999_950_000, 1e9, " B"), (999_950, 1e6, " M"), (9_950, 1e3, " k")):
        if size >= least:
            said = f"{value / by:.1f}".removesuffix(".0") + letter
            break
    else:
        said = f"{value:,.0f}"
    return f"{currency} {said}" if currency else said


def quantity(value: float | str | None, unit: str | None = None, currency: str | None = None) -> str:
    """A fact with its unit, as the catalogue of facts names units."""
    if value is None or isinstance(value, str):
        return value or MISSING
    if unit == "ratio":
        return percent(value, 1 if 0 < abs(value) < 0.1 else 0)
    if unit == "per month":
        return f"{money(value, currency)} a month"
    if unit == "0-1":
        return f"{points(value)} of 100"
    said = f"{value:,.0f}" if value == round(value) or abs(value) >= 100 else f"{value:,.1f}"
    if unit == "0-10":
        return f"{said} of 10"
    if said == "1" and unit:
        unit = unit.removesuffix("s")
    return f"{said} {unit}" if unit else said


def label(value: str | None) -> str:
    """IN_PROGRESS as In progress."""
    return MISSING if not value else value.replace("_", " ").capitalize()


def counted(count: int, one: str, many: str | None = None) -> str:
    """1 customer, 2 customers."""
    return f"{count:,} {one if count == 1 else many or one + 's'}"


def day(value: str | date | None) -> Markup:
    """A day, the same in every zone."""
    if value is None:
        return MISSING
    at = date.fromisoformat(value[:10]) if isinstance(value, str) else value
    return Markup('<time datetime="{0}">{1}</time>').format(at.isoformat(), f"{at.day} {at:%b %Y}")


def moment(value: str | datetime | None) -> Markup:
    """A moment: UTC as drawn, the viewer's own zone as soon as the page's script has run."""
    if value is None:
        return MISSING
    at = datetime.fromisoformat(value) if isinstance(value, str) else value
    at = at.astimezone(UTC)
    said = f"{at.day} {at:%b %Y, %H:%M} UTC"
    return Markup('<time datetime="{0}" data-moment>{1}</time>').format(at.isoformat(timespec="seconds"), said)


def ago(value: str | datetime | None, now: datetime) -> Markup:
    """How long ago, or until; the moment itself on hovering."""
    if value is None:
        return MISSING
    at = (datetime.fromisoformat(value) if isinstance(value, str) else value).astimezone(UTC)
    seconds = (now - at).total_seconds()
    made = Markup('<time datetime="{0}" data-ago title="{1}">{2}</time>')
    return made.format(at.isoformat(timespec="seconds"), f"{at:%Y-%m-%d %H:%M} UTC", _span(seconds))


def days_until(value: str | date | None, now: datetime) -> str:
    """today, in 3 days, 2 days ago."""
    if value is None:
        return MISSING
    return in_days(((date.fromisoformat(value[:10]) if isinstance(value, str) else value) - now.date()).days)


def in_days(days: float | None) -> str:
    """today, in 3 days, 2 days ago."""
    if days is None:
        return MISSING
    days = round(days)
    if days == 0:
        return "today"
    return f"in {counted(days, 'day')}" if days > 0 else f"{counted(-days, 'day')} ago"


def _span(seconds: float) -> str:
    size = abs(seconds)
    if size < 60:
        return "just now"
    for length, name in ((86_400, "day"), (3_600, "hour"), (60, "minute")):
        if size >= length:
            said = counted(int(size // length), name)
            return f"{said} ago" if seconds > 0 else f"in {said}"
    raise AssertionError("a minute is the least")


def initials(name: str | None) -> str:
    """Of a person or a company, at most two letters."""
    parts = [part for part in (name or "").replace(".", " ").replace("@", " ").split() if part]
    return "".join(part[0] for part in parts[:2]).upper() or "?"


def capitalize_first(text: str) -> str:
    """A sentence's first letter large, the others as they are."""
    return text[:1].upper() + text[1:]


def customers_where(tests: Mapping[str, Any], **more: str) -> str:
    """The address of the table of customers that pass. `tests`: a filter of the API; those that are None are left out."""
    filter_ = {name: test for name, test in tests.items() if test is not None}
    return f"/customers?{urlencode({'filter': json.dumps(filter_, separators=(',', ':')), **more})}"


FILTERS: Mapping[str, Callable[..., Any]] = {
    "whole": whole,
    "decimal": decimal,
    "points": points,
    "signed_points": signed_points,
    "percent": percent,
    "money": money,
    "quantity": quantity,
    "label": label,
    "day": day,
    "moment": moment,
    "ago": ago,
    "days_until": days_until,
    "in_days": in_days,
    "capitalize_first": capitalize_first,
    "initials": initials,
}
"""By the name a template calls them."""
