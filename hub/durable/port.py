"""The port: what a use case may ask of the durable engine, whichever engine it is."""

import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol, TypeAlias, cast

Json: TypeAlias = bool | int | float | str | Sequence["Json"] | Mapping[str, "Json"] | None
Argument: TypeAlias = Mapping[str, Json]
Handler: TypeAlias = Callable[[Argument], Awaitable[None]]

DEFAULT_QUEUE = "default"


@dataclass(frozen=True, slots=True)
class Failure:
    """A job that was given up. `error` is fit to show; the traceback is in the log of the process that ran it."""

    job: str
    error: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Inspection:
    """How many jobs there are in each state, over all processes, as far back as finished ones are kept.

    waiting    until their time, or until they are tried again
    queued     ready for the next free process
    running    now
    done       finished; an attempt that failed and was put off is finished too, its next attempt is counted by itself
    failed     given up: the handler raised something that trying again doesn't mend, or raised it too often
    abandoned  given up: it took its process down with it too often
    failures   the newest of the failed and abandoned
    """

    waiting: int = 0
    queued: int = 0
    running: int = 0
    done: int = 0
    failed: int = 0
    abandoned: int = 0
    failures: tuple[Failure, ...] = ()


class Durable(Protocol):
    """Jobs that survive the process that asked for them.

    Everything is registered first, then `start`, then work is asked for. A job nobody registered is refused with
    NotFoundError; an argument that isn't plain JSON raises TypeError.
    """

    def register(self, job: str, handler: Handler) -> None:
        """Say who does `job`. Before `start`.

        A handler that raises hub.errors.TransientError is tried again after a while, a bounded number of times; any
        other exception gives the job up. Both are logged, and counted by `inspect`.
        """
        ...

    def every(self, name: str, cron: str, job: str, argument: Argument, *, timezone: str = "UTC") -> None:
        """Run `job` at each tick of `cron` (5 fields, or 6 with seconds first). Before `start`.

        Each tick runs once, however many processes there are. Ticks missed while nobody was alive run as one, and a
        tick that falls into the job's last run still going on is left out. Raises ConfigError for a cron expression
        or a time zone nobody knows.
        """
        ...

    async def enqueue(
        self, job: str, argument: Argument, *, key: str | None = None, queue: str = DEFAULT_QUEUE
    ) -> None:
        """Run `job` soon. While a job of the same `key` is queued or running, asking again adds none.

        So who asks because something changed must not count on a job that had begun before the change: let a sweep
        on a schedule look again, or leave out the key.
        """
        ...

    async def wake(self, job: str, argument: Argument, *, at: datetime, key: str, queue: str = DEFAULT_QUEUE) -> None:
        """Run `job` at `at` (soon, where that is past). The same `key` is one wake, also after it ran: name the wait
        in it, such as "<run>:<step>:<fence>"."""
        ...

    async def start(self) -> None:
        """Begin to work."""
        ...

    async def stop(self) -> None:
        """Take no more work, let what runs finish within a bounded time, and leave the rest to other processes."""
        ...

    async def inspect(self) -> Inspection:
        """How the work stands."""
        ...


class Engine(Durable, Protocol):
    """A durable engine as a process has it. `executor`: the id under which this process takes work."""

    executor: str


def plain(argument: Argument) -> dict[str, Json]:
    """A copy of `argument` as it will come back to the handler; TypeError where that isn't JSON."""
    if not isinstance(argument, Mapping):
        raise TypeError(f"a job's argument is a mapping, not {type(argument).__name__}")
    return cast("dict[str, Json]", json.loads(json.dumps(dict(argument), allow_nan=False)))
