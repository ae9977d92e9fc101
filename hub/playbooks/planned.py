"""One thing a step does, as it is planned: a dry run shows exactly this, and a run writes exactly this down."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

from hub.playbooks.durations import show_duration

OFF = "switched off"


@dataclass(frozen=True, slots=True, kw_only=True)
class Planned:
    """One thing a step does, or why it does nothing.

    after      how long after firing its turn comes, by the waits before it
    channel, address, subject, payload   a message: the payload is exactly what is sent
    title, reason, owner_email, severity, due_on   an alert or a task
    wait       a wait for so long
    written    custom fields to write
    told       any other step that sends nothing, in words
    skipped    why nothing happens
    depth, block   how many blocks it stands in, and the innermost one's name, such as then
    unless     as the playbook says it, in a dry run: it is asked only when the step's turn comes
    """

    index: int
    action: str
    after: timedelta = timedelta(0)
    channel: str | None = None
    address: str | None = None
    subject: str | None = None
    payload: Mapping[str, Any] = field(default_factory=dict, repr=False)
    title: str | None = None
    reason: str | None = None
    owner_email: str | None = None
    severity: str | None = None
    due_on: date | None = None
    wait: timedelta | None = None
    told: str | None = None
    written: Mapping[str, str | None] = field(default_factory=dict)
    skipped: str | None = None
    unless: Mapping[str, Any] | None = None
    depth: int = 0
    block: str | None = None

    def show(self) -> str:
        """In words, for the list of steps a run took."""
        if self.skipped is not None:
            return self.skipped
        if self.told is not None:
            return self.told
        if self.wait is not None:
            return show_duration(self.wait)
        if self.channel is not None:
            return f"to {self.address}"
        return f"{self.title} ({self.owner_email or 'nobody owns it'})"
