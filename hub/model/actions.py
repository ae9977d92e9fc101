"""What the hub does about what it knows: the states of alerts, playbook runs, deliveries and syncs."""

from enum import StrEnum


class Band(StrEnum):
    CRITICAL = "critical"
    WARNING = "warning"
    STABLE = "stable"
    HEALTHY = "healthy"


class AlertState(StrEnum):
    OPEN = "open"
    IN_PROGRESS = "in_progress"
    CLOSED = "closed"


class AlertOutcome(StrEnum):
    SUCCESS = "success"
    NO_SUCCESS = "no_success"
    INVALID = "invalid"


class RunState(StrEnum):
    """A playbook run: `waiting` until `wake_at`, `done` when its counter is past the last step."""

    RUNNING = "running"
    WAITING = "waiting"
    DONE = "done"
    CANCELLED = "cancelled"
    FAILED = "failed"


class DeliveryState(StrEnum):
    """A message: reserved -> sent -> confirmed; `unknown` when the process died between send and confirmation."""

    RESERVED = "reserved"
    SENT = "sent"
    CONFIRMED = "confirmed"
    UNKNOWN = "unknown"
    FAILED = "failed"
    SUPPRESSED = "suppressed"


class SyncState(StrEnum):
    """A sync: `paused` waits for a quota to refill, `incomplete` landed what it could and says what is missing."""

    RUNNING = "running"
    SUCCEEDED = "succeeded"
    INCOMPLETE = "incomplete"
    PAUSED = "paused"
    FAILED = "failed"
    INTERRUPTED = "interrupted"


class Role(StrEnum):
    VIEWER = "viewer"
    CSM = "csm"
    ADMIN = "admin"
