"""Reading how a vendor speaks of its limits: Retry-After and the many rate-limit headers, each as seconds from now.

A `RateHeaders` turns the headers of one answer into readings, each for a bucket (None: the bucket of the request). Make
one with `named` or `fields`; vendors differ in names and in what "reset" means:

    "delta"   seconds from now                 RateLimit-Reset: 60
    "epoch"   seconds (or ms) since 1970       X-RateLimit-Reset: 1795348800
    number    the window's length in seconds, where the vendor names no reset at all
"""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Literal

MILLISECONDS = 1e11  # a "reset since 1970" above this is in milliseconds: in seconds it would be the year 5138


@dataclass(frozen=True, slots=True, kw_only=True)
class RateReading:
    """What one answer says of one bucket: requests left, requests a window, seconds until the window is new."""

    bucket: str | None = None
    remaining: float | None = None
    limit: float | None = None
    reset_after: float | None = None


RateHeaders = Callable[[Mapping[str, str], datetime], Iterable[RateReading]]


def retry_after(headers: Mapping[str, str], now: datetime) -> float | None:
    """Seconds the vendor asks to wait, from Retry-After as seconds or as an HTTP date; never negative, None if unsaid."""
    value = headers.get("retry-after", "").strip()
    if not value:
        return None
    if (seconds := number(value)) is not None:
        return max(0.0, seconds)
    try:
        when = parsedate_to_datetime(value)
    except ValueError:
        return None
    if when.tzinfo is None:
        when = when.replace(tzinfo=UTC)
    return max(0.0, (when - now).total_seconds())


def named(
    *,
    remaining: str,
    limit: str | None = None,
    reset: str | None = None,
    reset_is: Literal["delta", "epoch"] | float = "delta",
    bucket: str | None = None,
) -> RateHeaders:
    """Limits in one header each, by name (any case)."""

    def read(headers: Mapping[str, str], now: datetime) -> Iterable[RateReading]:
        left = number(headers.get(remaining.lower(), ""))
        if left is None:
            return ()
        return (
            RateReading(
                bucket=bucket,
                remaining=left,
                limit=number(headers.get((limit or "").lower(), "")),
                reset_after=_reset(headers.get((reset or "").lower(), ""), reset_is, now),
            ),
        )

    return read


def fields(prefix: str, *, buckets: Mapping[str, str] | None = None) -> RateHeaders:
    """Every header that begins with `prefix` holds "total=10; remaining=9; resets=60".

    `buckets` maps what follows the prefix to a bucket of ours; headers it does not name are not read. Without it every
    such header speaks of the request's own bucket.
    """
    prefix = prefix.lower()

    def read(headers: Mapping[str, str], now: datetime) -> Iterable[RateReading]:
        readings = []
        for name, value in headers.items():
            what = name.lower().removeprefix(prefix)
            if not name.lower().startswith(prefix) or (buckets is not None and what not in buckets):
                continue
            said = {key.lower(): number(part) for key, part in re.findall(r"(\w+)\s*=\s*([^;,\s]+)", value)}
            readings.append(
                RateReading(
                    bucket=buckets[what] if buckets else None,
                    remaining=said.get("remaining"),
                    limit=said.get("total"),
                    reset_after=said.get("resets"),
                )
            )
        return readings

    return read


def several(*adapters: RateHeaders) -> RateHeaders:
    """All readings of all `adapters`."""
    return lambda headers, now: [reading for adapter in adapters for reading in adapter(headers, now)]


standard = several(
    named(remaining="ratelimit-remaining", limit="ratelimit-limit", reset="ratelimit-reset"),
    named(remaining="x-ratelimit-remaining", limit="x-ratelimit-limit", reset="x-ratelimit-reset", reset_is="epoch"),
)


def number(text: str) -> float | None:
    """A non-negative decimal number, or None."""
    text = text.strip()
    return float(text) if re.fullmatch(r"\d+(\.\d+)?", text) else None


def _reset(text: str, reset_is: Literal["delta", "epoch"] | float, now: datetime) -> float | None:
    if not isinstance(reset_is, str):
        return float(reset_is)
    value = number(text)
    if value is None or reset_is == "delta":
        return value
    seconds = value / 1000 if value > MILLISECONDS else value
    # some vendors call it an epoch and send a delta: a time before 2001 is one
    return seconds if seconds < 1e9 else max(0.0, seconds - now.timestamp())
