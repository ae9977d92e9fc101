"""Reading a vendor's cell: text to times, numbers, choices; what cannot be read is a BadRowError that names its field.

    moment("2026-11-22T10:00:00.5Z", field="updatedAt")  aware UTC; also epoch seconds or milliseconds, as text or number
    choice("p1", {"p1": Severity.URGENT}, field="priority")

Empty (None, "", blanks) is a BadRowError too: ask `given(value)` first where a field may be empty.
"""

import math
import re
from collections.abc import Mapping
from datetime import UTC, date, datetime
from typing import Any, TypeVar

from connectors.kit.base import BadRowError

Choice = TypeVar("Choice")
MILLISECONDS = 1e11  # an epoch above this counts milliseconds: as seconds it would be the year 5138


def given(value: Any) -> bool:
    """Whether there is anything in the cell."""
    if isinstance(value, str):
        return bool(value) and not value.isspace()
    return value is not None and bool(str(value).strip())


def text(value: Any) -> str | None:
    """The text without blanks around it; None where it is empty."""
    return str(value).strip() if given(value) else None


def host(value: Any) -> str | None:
    """The host of a website, or a bare domain, in lower case and without `www.`; None where there is none."""
    site = (text(value) or "").lower()
    name = re.split(r"[/?#:]", site.partition("://")[2] or site)[0].removeprefix("www.")
    return name or None


def moment(value: Any, *, field: str) -> datetime:
    """An ISO 8601 time (UTC where it names no zone) or an epoch in seconds or milliseconds, as aware UTC."""
    seen = _present(value, field)
    try:
        if seen.lstrip("-").replace(".", "", 1).isdigit() and len(seen) > 8:  # eight digits are a day: 20261122
            epoch = float(seen)
            return datetime.fromtimestamp(epoch / 1000 if abs(epoch) > MILLISECONDS else epoch, UTC)
        when = datetime.fromisoformat(seen)
    except (ValueError, OverflowError, OSError):
        raise BadRowError(f"{seen!r} is no time such as 2026-11-22T10:00:00Z", field=field) from None
    if when.tzinfo is UTC:
        return when
    return when.replace(tzinfo=UTC) if when.tzinfo is None else when.astimezone(UTC)


def day(value: Any, *, field: str) -> date:
    """A day; of a time, its day in UTC."""
    seen = _present(value, field)
    try:
        return date.fromisoformat(seen)
    except ValueError:
        return moment(seen, field=field).date()


def number(value: Any, *, field: str) -> float:
    """A finite decimal number with a point; no thousands separators, which differ by country."""
    seen = _present(value, field)
    try:
        result = float(seen)
    except ValueError:
        result = math.nan
    if not math.isfinite(result) or "_" in seen:
        raise BadRowError(f"{seen!r} is no number such as 1234.5", field=field)
    return result


def whole(value: Any, *, field: str) -> int:
    """A whole number; "12.0" is one."""
    result = number(value, field=field)
    if result != int(result):
        raise BadRowError(f"{_present(value, field)!r} is no whole number", field=field)
    return int(result)


FLAGS: Mapping[str, bool] = {
    "true": True, "yes": True, "y": True, "t": True, "1": True,
    "false": False, "no": False, "n": False, "f": False, "0": False,
}  # fmt: skip


def flag(value: Any, *, field: str) -> bool:
    return choice(str(value).strip().lower() if given(value) else value, FLAGS, field=field)


def choice(value: Any, choices: Mapping[str, Choice], *, field: str, hint: str = "") -> Choice:
    """What `value` stands for; anything not among `choices` is refused, naming them. `hint` says what to do about it."""
    key = "" if value is None else str(value).strip()
    if key in choices:
        return choices[key]
    valid = ", ".join(name or "(empty)" for name in choices)
    said = f"{key!r} is none of: {valid}" if key else f"is empty; valid are: {valid}"
    raise BadRowError(f"{said}; {hint}" if hint else said, field=field)


def version(when: datetime) -> int:
    """A record's version: milliseconds since 1970."""
    return round(when.timestamp() * 1000)


def _present(value: Any, field: str) -> str:
    seen = "" if value is None else str(value).strip()
    if not seen:
        raise BadRowError("is empty", field=field)
    return seen
