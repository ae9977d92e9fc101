"""What runs, tasks and trainings by hand are asked: the part of `schema.context.Actions` that is about them."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Protocol

from hub.model.actions import Alert


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskRequest:
    """A task by hand. `key`: the same key is the same task of the customer."""

    customer_id: str
    title: str
    key: str
    by: str
    severity: str = "normal"
    reason: str | None = None
    owner_email: str | None = None
    due_on: date | None = None


class WorkActions(Protocol):
    """See hub.playbooks.alerts and hub.playbooks.stopping."""

    async def open_task(self, request: TaskRequest, *, now: datetime) -> Alert: ...

    async def cancel_run(self, run_id: str, *, by: str, reason: str, now: datetime) -> int:
        """End one open run; return how many of its messages will not be sent."""
        ...

    async def train_model(self, *, by: str) -> None:
        """Ask for a training; one that is asked for or runs already is this one."""
        ...
