"""Exports a vendor makes in its own time: submit a job, look at it until it is done, fetch what it made.

    async def submit() -> str: ...                   the job's id at the vendor
    async def look(job: str) -> Result | None: ...   None while it runs; JobFailedError where the vendor gave it up
    made = await run(submit, look, what="Acme export of October")

What `look` returns is the connector's own business: a URL, a list of parts, the rows. Looks come further and further
apart, so that a short job is not waited for long and a long one costs few requests. A job that failed, or that the vendor
no longer knows, is submitted once more; one that has not ended by the deadline is a TransientError, and `began` lets a
later sync go on waiting for it instead of asking for the same work again: keep its id in a bookmark where that pays.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TypeVar

from connectors.kit import tempo
from connectors.kit.errors import TransientError
from connectors.kit.retry import Sleep

Result = TypeVar("Result")


class JobFailedError(TransientError):
    """The vendor gave the job up, or knows it no longer; it may be submitted again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Polling:
    """Seconds: until the first look, between looks at most, and altogether; each wait is `growth` times the last."""

    first: float = 2.0
    longest: float = 60.0
    growth: float = 1.5
    deadline: float = 3600.0

    def after(self, wait: float) -> float:
        return min(self.longest, wait * self.growth)


async def run(
    submit: Callable[[], Awaitable[str]],
    look: Callable[[str], Awaitable[Result | None]],
    *,
    what: str,
    polling: Polling | None = None,
    tries: int = 2,
    began: str | None = None,
    sleep: Sleep | None = None,
    monotonic: Callable[[], float] | None = None,
) -> Result:
    """What the job made, as `look` says it; TransientError where it is not done in time or failed `tries` times.

    what    what is asked for, fit to show
    sleep, monotonic    for tests; else the kit's tempo
    began   a job that was submitted earlier: it is waited for first, and counts as the first of the tries
    """
    job = began
    failed: JobFailedError | None = None
    for _ in range(tries):
        job = job if job is not None else await submit()
        try:
            return await finished(job, look, what=what, polling=polling, sleep=sleep, monotonic=monotonic)
        except JobFailedError as error:
            failed, job = error, None
    raise TransientError(f"{what}: the vendor's job failed {tries} times: {failed}") from failed


async def finished(
    job: str,
    look: Callable[[str], Awaitable[Result | None]],
    *,
    what: str,
    polling: Polling | None = None,
    sleep: Sleep | None = None,
    monotonic: Callable[[], float] | None = None,
) -> Result:
    """What `look` says once it says anything; TransientError after the deadline. Errors of `look` are handed on."""
    polling, sleep, monotonic = polling or Polling(), sleep or tempo.sleep, monotonic or tempo.monotonic
    deadline, wait = monotonic() + polling.deadline, polling.first
    while True:
        await sleep(wait)
        made = await look(job)
        if made is not None:
            return made
        if monotonic() >= deadline:
            minutes = round(polling.deadline / 60)
            raise TransientError(f"{what}: the vendor's job still runs after {minutes} minutes")
        wait = polling.after(wait)
