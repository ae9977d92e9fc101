"""What the hub does about what it knows: alerts, playbook runs, deliveries and syncs, and the states they pass through."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Any


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
    """A playbook run: `waiting` until `wake_at`, `paused` by a person, `done` when its counter is past the last step.

    `held_out`: its customer was left untreated, by lot, so that the playbook's effect can be told; it never did anything.
    """

    RUNNING = "running"
    WAITING = "waiting"
    PAUSED = "paused"
    DONE = "done"
    CANCELLED = "cancelled"
    FAILED = "failed"
    HELD_OUT = "held_out"


class DeliveryState(StrEnum):
    """A message: reserved -> sent -> confirmed; `unknown` when the process died between send and confirmation.

    `held` waits for its CSM's digest; what a digest says, what was said already or is snoozed is `suppressed`.
    """

    HELD = "held"
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
    MANAGER = "manager"
    ADMIN = "admin"


class Scope(StrEnum):
    """What a token may do with what its role shows: read, read personal data, act (mutations), and export."""

    READ = "read"
    PERSONAL = "personal"
    ACT = "act"
    EXPORT = "export"


@dataclass(frozen=True, slots=True, kw_only=True)
class Alert:
    """A dated, owned call for human action. `kind` is alert or task; `run_id` names the playbook run that opened it.

    reason_key  what its playbook speaks about: of one customer and reason one call is open; None: it stands by itself
    """

    id: str
    customer_id: str
    kind: str
    title: str
    severity: str
    state: AlertState
    dedup_key: str
    opened_at: datetime
    updated_at: datetime
    reason: str | None = None
    reason_key: str | None = None
    outcome: AlertOutcome | None = None
    owner_email: str | None = None
    due_on: date | None = None
    snoozed_until: datetime | None = None
    note: str | None = None
    changed_by: str | None = None
    run_id: str | None = None
    closed_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """One firing of a playbook for one customer.

    step    the program counter: index of the step to do next
    fence   goes up with every move; an advance names the one it expects and does nothing when it is another
    facts   {field: value} as they were when it fired
    definition   the playbook as it stood when the run began; definition_hash names that version
    awaits  what the step takes more than one move for: date, condition (of a mail: that it may go out), approval,
            delivery or run; since when it does
    """

    id: str
    playbook: str
    playbook_version: int
    definition: Mapping[str, Any]
    customer_id: str
    episode: str
    cause: str
    state: RunState
    step: int
    fence: int
    facts: Mapping[str, Any]
    started_at: datetime
    updated_at: datetime
    started_by: str | None = None
    wake_at: datetime | None = None
    error: str | None = None
    finished_at: datetime | None = None
    definition_hash: str | None = None
    awaits: str | None = None
    since: datetime | None = None


class ApprovalState(StrEnum):
    """What came of asking a person; `cancelled` where the run ended before anybody answered."""

    OPEN = "open"
    APPROVED = "approved"
    DECLINED = "declined"
    EXPIRED = "expired"
    CANCELLED = "cancelled"


@dataclass(frozen=True, slots=True, kw_only=True)
class Approval:
    """A person's word that a run waits for. `asked_of`: an e-mail address; anybody who may approve can answer."""

    id: str
    run_id: str
    step: int
    customer_id: str
    question: str
    state: ApprovalState
    asked_at: datetime
    asked_of: str | None = None
    expires_at: datetime | None = None
    decided_at: datetime | None = None
    decided_by: str | None = None
    note: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """What a run did at one step: done, skipped or failed, and in words what or why."""

    run_id: str
    index: int
    action: str
    state: str
    done_at: datetime
    detail: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """One message to one place, as it stands in the ledger. `payload` is exactly what is sent.

    expires_at  when it is tried no longer; None before its first attempt, unless who reserved it said when
    doubted_at  since when it may have arrived: an attempt had no answer, whatever became of later ones
    audience    whose attention it takes: csm (`owner_email`), team, customer or system; None: no playbook's
    rank        churn risk times a year's revenue of its customer, as it was reserved
    held        why it waited, or was not sent: hours, digest, merged or snoozed; `held_by`: the digest or the earlier
                message that says it, or the snooze
    """

    id: str
    dedup_key: str
    channel: str
    address: str
    payload: Mapping[str, Any]
    state: DeliveryState
    attempts: int
    reserved_at: datetime
    run_id: str | None = None
    step: int | None = None
    most_attempts: int | None = None
    pause_seconds: int | None = None
    customer_id: str | None = None
    subject: str | None = None
    receipt: Mapping[str, Any] | None = None
    error: str | None = None
    claimed_by: str | None = None
    not_before: datetime | None = None
    expires_at: datetime | None = None
    doubted_at: datetime | None = None
    sent_at: datetime | None = None
    confirmed_at: datetime | None = None
    audience: str | None = None
    owner_email: str | None = None
    severity: str | None = None
    reason_key: str | None = None
    rank: float | None = None
    held: str | None = None
    held_by: str | None = None
