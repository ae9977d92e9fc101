"""Pipedrive's limits: a window of two seconds, and a day's tokens for the whole company, both told in headers."""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta

from connectors.kit.errors import ConnectorError, PausedError, TransientError
from connectors.kit.rates import RateReading, number, retry_after
from connectors.kit.reply import Reply

WINDOW = 2.0
BANNED_FOR = 60.0


def judge(reply: Reply, now: datetime) -> ConnectorError | None:
    if reply.status == 429:
        if number(reply.headers.get("x-daily-ratelimit-token-remaining", "")) == 0:
            until = _midnight(now)
            return PausedError(
                f"the day's tokens of Pipedrive are used up; paused until {until:%Y-%m-%d %H:%M} UTC", until=until
            )
        wait = retry_after(reply.headers, now)
        told = number(reply.headers.get("x-ratelimit-reset", ""))
        return TransientError(
            f"{reply.place} is rate limited", retry_after=wait if wait is not None else told or WINDOW
        )
    if reply.status == 403 and reply.content.lstrip()[:1] == b"<":
        # who goes on asking after many 429s is kept out by what stands in front of the API, in HTML
        return TransientError(f"{reply.place} is kept out for too many requests", retry_after=BANNED_FOR)
    return None


def rate_headers(headers: Mapping[str, str], now: datetime) -> Iterable[RateReading]:
    yield RateReading(
        remaining=number(headers.get("x-ratelimit-remaining", "")),
        limit=number(headers.get("x-ratelimit-limit", "")),
        reset_after=number(headers.get("x-ratelimit-reset", "")) or WINDOW,
    )
    left = number(headers.get("x-daily-ratelimit-token-remaining", ""))
    yield RateReading(
        bucket="day",
        remaining=left,
        limit=number(headers.get("x-daily-ratelimit-token-limit", "")),
        # told only once nothing is left: a budget would spread the rest of a day's tokens over the day
        reset_after=(_midnight(now) - now).total_seconds() if left == 0 else None,
    )


def _midnight(now: datetime) -> datetime:
    return (now + timedelta(days=1)).replace(hour=0, minute=0, second=0, microsecond=0)
