"""How much a token may cost in a minute.

A minute begins with the first request of a token and ends sixty seconds later; then the whole budget is there again. The
count is kept by each process for itself: with N web processes a token may cost up to N times as much. Sharing it would take a
write to the store for every read of the API, which costs more than what it saves.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

MINUTE = timedelta(minutes=1)
_MANY = 10_000


@dataclass(frozen=True, slots=True)
class Spent:
    """How a token stands after a request, as `extensions.cost` of its answer tells it.

    requested   points of this request
    limit       points a minute
    within      whether the budget had room for the request; where not, nothing was taken from it
    """

    requested: int
    limit: int
    remaining: int
    reset_at: datetime
    within: bool = True

    def shown(self) -> dict[str, Any]:
        return {
            "requested": self.requested,
            "limit": self.limit,
            "remaining": self.remaining,
            "resetAt": self.reset_at.isoformat().replace("+00:00", "Z"),
        }

    def wait_seconds(self, now: datetime) -> int:
        """Until the budget is whole again; at least 1."""
        return max(1, -int((now - self.reset_at) / timedelta(seconds=1) // 1))


@dataclass(slots=True)
class _Minute:
    ends: datetime
    spent: int = 0


class Budgets:
    """What each token has cost in its minute."""

    def __init__(self, per_minute: int) -> None:
        self.per_minute = per_minute
        self._minutes: dict[str, _Minute] = {}

    def is_spent(self, token_id: str, *, now: datetime) -> bool:
        """Whether the token has nothing left of its minute."""
        minute = self._minutes.get(token_id)
        return minute is not None and minute.ends > now and minute.spent >= self.per_minute

    def spend(self, token_id: str, cost: int, *, now: datetime) -> Spent:
        """Take `cost` from the token's budget, if it has room for it."""
        minute = self._minutes.get(token_id)
        if minute is None or minute.ends <= now:
            if len(self._minutes) >= _MANY:
                self._minutes = {token: each for token, each in self._minutes.items() if each.ends > now}
            minute = self._minutes[token_id] = _Minute(now + MINUTE)
        within = minute.spent + cost <= self.per_minute
        if within:
            minute.spent += cost
        return Spent(cost, self.per_minute, self.per_minute - minute.spent, minute.ends, within)
