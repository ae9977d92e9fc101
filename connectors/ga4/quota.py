"""What is left of a property's quotas, as each answer tells, and until when to pause once one is used up.

    propertyQuota: {tokensPerDay, tokensPerHour, tokensPerProjectPerHour, …: {consumed, remaining}}

`consumed` is what this request cost. The next one costs about as much, so it is not made where less is left. Hours refill
within the hour, days at midnight Pacific time.
"""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from connectors.kit import tempo
from connectors.kit.budget import Budget
from connectors.kit.errors import PausedError
from connectors.kit.rates import RateReading

PACIFIC = ZoneInfo("America/Los_Angeles")
HOURLY = ("tokensPerHour", "tokensPerProjectPerHour")
DAILY = "tokensPerDay"


def next_hour(now: datetime) -> datetime:
    return now.replace(minute=0, second=0, microsecond=0) + timedelta(hours=1)


def next_day(now: datetime) -> datetime:
    """The next midnight Pacific time, in UTC."""
    local = now.astimezone(PACIFIC)
    midnight = (local + timedelta(days=1)).replace(hour=0, minute=0, second=0, microsecond=0)
    return midnight.astimezone(UTC)


def spend(quota: Any, budget: Budget, *, now: datetime) -> PausedError | None:
    """Note what is left in `budget`; the pause that is due before the next request, where one is."""
    if not isinstance(quota, Mapping):
        return None
    pause: PausedError | None = None
    for name in (DAILY, *HOURLY):
        status = quota.get(name)
        if not isinstance(status, Mapping):
            continue
        left, cost = status.get("remaining", 0), status.get("consumed", 0)
        until = next_day(now) if name == DAILY else next_hour(now)
        reading = RateReading(
            bucket=name, remaining=left, limit=None, reset_after=max(1.0, (until - now).total_seconds())
        )
        budget.observe(name, reading, at=now, tick=tempo.monotonic())
        if left < max(1, cost) and (pause is None or until > pause.until):
            pause = PausedError(
                f"Google Analytics: {left} {name} are left and a report costs {cost}; paused until"
                f" {until:%Y-%m-%d %H:%M} UTC",
                until=until,
            )
    return pause
