"""Rate budgets: how many requests a credential may still make, shared by all clients of that credential in the process.

A `Bucket` is a sliding window per rate; `reserve` hands out start times, so a burst of callers is spread without anyone
waking up twice. Headers correct it (`observe`): another program may be spending the same budget. A `Budget` is the
buckets of one credential and a limit on requests under way; `shared` finds the one of a credential. What is left of them is
a `Quota` each: as the vendor said last, or by our own count where it says nothing.
"""

import asyncio
import hashlib
import threading
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from weakref import WeakKeyDictionary

from connectors.kit.rates import RateReading

SCARCE = 0.1  # below this share of the limit the rest of a window is spread evenly over its remaining time


@dataclass(frozen=True, slots=True)
class Rate:
    """At most `requests` in any `seconds`."""

    requests: int
    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Quota:
    """What was left of a limit `as_of` a moment: requests of a window that is new at `resets_at`; None: nobody says."""

    name: str
    limit: float | None
    remaining: float
    resets_at: datetime | None
    as_of: datetime


class Bucket:
    """Start times under one or several rates. Thread-safe; knows no clock: `now` is any monotonic number of seconds."""

    def __init__(self, rates: Sequence[Rate]) -> None:
        self._rates = tuple(rates)
        self._starts: deque[float] = deque(maxlen=max((rate.requests for rate in rates), default=1))
        self._not_before = float("-inf")
        self._lock = threading.Lock()

    def reserve(self, now: float, *, at_most: float = float("inf")) -> tuple[float, bool]:
        """(seconds to wait before starting, True) and the start is taken; or, above `at_most`, (seconds, False)."""
        with self._lock:
            start = max(now, self._not_before)
            if self._starts:
                start = max(start, self._starts[-1])  # in order, so that the window below stays sorted
            for rate in self._rates:
                if len(self._starts) >= rate.requests:
                    start = max(start, self._starts[-rate.requests] + rate.seconds)
            wait = start - now
            if wait > at_most:
                return wait, False
            self._starts.append(start)
            return wait, True

    def observe(self, reading: RateReading, now: float) -> None:
        """Believe the vendor: nothing left means wait for the reset; little left is spread over the time until then."""
        if reading.remaining is None or reading.reset_after is None:
            return
        with self._lock:
            if reading.remaining < 1:
                self._not_before = max(self._not_before, now + reading.reset_after)
            elif reading.limit and reading.remaining < SCARCE * reading.limit:
                pace = reading.reset_after / (reading.remaining + 1)
                self._not_before = max(self._not_before, now + pace)

    def left(self, now: float) -> RateReading | None:
        """By our own count, of the rate that has the least share left; None where nothing counts or was asked."""
        with self._lock:
            starts = list(self._starts)
        if not starts:
            return None
        found = []
        for rate in self._rates:
            remaining = max(0, rate.requests - sum(start > now - rate.seconds for start in starts))
            reset_after = max(0.0, starts[-1] + rate.seconds - now)
            found.append(RateReading(remaining=remaining, limit=rate.requests, reset_after=reset_after))
        return min(found, key=lambda each: (each.remaining or 0) / (each.limit or 1), default=None)

    def block(self, seconds: float, now: float) -> None:
        """The vendor said: not before then. Everybody who shares the bucket waits, not only who was told."""
        with self._lock:
            self._not_before = max(self._not_before, now + seconds)


class Budget:
    """Buckets by name (an unknown name is the bucket "default") and a limit on requests under way."""

    def __init__(self, rates: Mapping[str, Sequence[Rate]], *, concurrency: int = 4) -> None:
        self._buckets = {"default": Bucket(()), **{name: Bucket(some) for name, some in rates.items()}}
        self._said: dict[str, Quota] = {}
        self._concurrency = concurrency
        self._slots: WeakKeyDictionary[asyncio.AbstractEventLoop, asyncio.Semaphore] = WeakKeyDictionary()

    def bucket(self, name: str) -> Bucket:
        return self._buckets.get(name) or self._buckets["default"]

    def observe(self, name: str, reading: RateReading, *, at: datetime, tick: float) -> None:
        """What an answer said of a bucket: `at` in the world's time, `tick` in the buckets'."""
        self.bucket(name).observe(reading, tick)
        if reading.remaining is not None:
            self._said[name] = _quota(name, reading, at=at)

    def quotas(self, *, at: datetime, tick: float) -> list[Quota]:
        """What is left of each limit that was used, in order of name."""
        counted = {name: bucket.left(tick) for name, bucket in self._buckets.items() if name not in self._said}
        ours = [_quota(name, reading, at=at) for name, reading in counted.items() if reading is not None]
        return sorted([*self._said.values(), *ours], key=lambda each: each.name)

    def slot(self) -> asyncio.Semaphore:
        """Held while a request is under way; one per event loop, because a semaphore cannot be shared between them."""
        return self._slots.setdefault(asyncio.get_running_loop(), asyncio.Semaphore(self._concurrency))


def _quota(name: str, reading: RateReading, *, at: datetime) -> Quota:
    after = reading.reset_after
    resets_at = None if after is None else at + timedelta(seconds=after)
    return Quota(name=name, limit=reading.limit, remaining=reading.remaining or 0.0, resets_at=resets_at, as_of=at)


_shared: dict[str, Budget] = {}
_shared_lock = threading.Lock()


def shared(*parts: str, make: Callable[[], Budget]) -> Budget:
    """The process's budget of one credential; `parts` identify it (connector, base URL, credential) and are only hashed.

    The first caller's `make` decides its rates.
    """
    key = hashlib.sha256("\0".join(parts).encode()).hexdigest()
    with _shared_lock:
        if key not in _shared:
            _shared[key] = make()
        return _shared[key]
