"""The kinds of event there are, and an event as it is told: {"id", "type", "timestamp", "data"}.

`id` is the event's number in the log, the same however often it is told: tools tell by it what they have seen.
"""

from collections.abc import Mapping
from typing import Any

from hub.delivery import webhook
from hub.store.events import Heard

EVENTS: Mapping[str, tuple[str, str, str]] = {
    "alert.opened": ("alert", "opened", "An alert or a task was opened."),
    "alert.changed": ("alert", "changed", "Somebody took it, gave it on, or put it off."),
    "alert.closed": ("alert", "closed", "An alert or a task was closed."),
    "band.down": ("band", "down", "A customer's health fell into a worse band."),
    "band.up": ("band", "up", "A customer's health rose into a better band."),
    "run.started": ("run", "started", "A playbook was fired."),
    "run.awaits_approval": ("run", "awaits_approval", "A playbook waits for a person's word."),
    "run.ended": ("run", "ended", "A playbook's run ended, whichever way."),
}
"""{type: (kind and change in the log, what it tells)}."""


def type_of(heard: Heard) -> str:
    return f"{heard.kind}.{heard.change}"


def body_of(heard: Heard, told: Mapping[str, Any]) -> dict[str, Any]:
    """As it is sent and as samples show it."""
    return {"id": str(heard.number), **webhook.event(type_of(heard), told, at=heard.at)}
