"""What is written in the engine's row for a job.

Rows wait for days and are read by later releases: a field may be added with a default, none may change its meaning.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Self

from hub.durable.port import DEFAULT_QUEUE, Json


@dataclass(frozen=True, slots=True)
class Order:
    """One job to do. `attempt` counts from 1; `put_off`: an attempt failed, and this is the wait for the next."""

    job: str
    argument: Mapping[str, Json] = field(default_factory=dict)
    queue: str = DEFAULT_QUEUE
    key: str | None = None
    attempt: int = 1
    put_off: bool = False

    @property
    def deduplication_id(self) -> str | None:
        """What keeps a second job of the same key out of the queue while this one is queued or running."""
        return None if self.key is None or self.put_off else f"{self.job}:{self.key}"

    def written(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def read(cls, row: Mapping[str, Any]) -> Self:
        """Read what some release wrote; fields of a newer one are left aside."""
        return cls(**{name: row[name] for name in cls.__slots__ if name in row})
