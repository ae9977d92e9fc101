"""When a request is tried again, and for how long altogether.

Waits are the vendor's own where it names one (a little later, so that not everybody comes at once), otherwise
exponential with jitter: the n-th is between half of and all of min(longest, first * 2**(n-1)) seconds. The sum of waits
has a cap; beyond it the error is handed on: as PausedError where the vendor said when to come back.
"""

import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TypeVar

import tenacity

from connectors.kit.errors import BrokenBodyError, PausedError, TransientError

Answer = TypeVar("Answer")
Sleep = Callable[[float], Awaitable[None]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Retry:
    """tries: requests at most, the first included; seconds: first wait, longest wait, all waits together.

    A broken body is believed after `broken_tries`: a vendor that changed its format does so every time.
    """

    tries: int = 8
    broken_tries: int = 4
    first: float = 0.5
    longest: float = 60.0
    total: float = 300.0
    spread: Callable[[float, float], float] = random.uniform

    def wait(self, state: tenacity.RetryCallState) -> float:
        error = _error(state)
        asked = error.retry_after if isinstance(error, TransientError) else None
        if asked is not None:
            return asked + self.spread(0.0, min(1.0, 0.1 * asked))
        full = min(self.longest, self.first * 2.0 ** (state.attempt_number - 1))
        return self.spread(full / 2, full)

    def stop(self, state: tenacity.RetryCallState) -> bool:
        tries = self.broken_tries if isinstance(_error(state), BrokenBodyError) else self.tries
        return state.attempt_number >= tries or state.idle_for + state.upcoming_sleep > self.total

    async def run(
        self, once: Callable[[], Awaitable[Answer]], *, sleep: Sleep, clock: Callable[[], datetime]
    ) -> Answer:
        """`once()` until it succeeds, fails for good, or the patience above is used up."""
        retrying = tenacity.AsyncRetrying(
            sleep=sleep, wait=self.wait, stop=self.stop, retry=tenacity.retry_if_exception(_worth_it), reraise=True
        )

        async def attempt() -> Answer:  # tenacity awaits only what it recognises as a coroutine function
            return await once()

        try:
            return await retrying(attempt)
        except PausedError:
            raise
        except TransientError as error:
            if error.retry_after is not None and error.retry_after > self.longest:
                until = clock() + timedelta(seconds=error.retry_after)
                raise PausedError(f"{error}; paused until {until:%Y-%m-%d %H:%M} UTC", until=until) from error
            raise


def _worth_it(error: BaseException) -> bool:
    return isinstance(error, (TransientError, BrokenBodyError)) and not isinstance(error, PausedError)


def _error(state: tenacity.RetryCallState) -> BaseException | None:
    return state.outcome.exception() if state.outcome is not None else None
