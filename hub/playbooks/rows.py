"""The rows that a move of a run writes, under keys that make writing them twice harmless."""

from collections.abc import Mapping, Set
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import blake2b
from typing import Any

from hub.attention import Concern
from hub.model.actions import AlertOutcome, AlertState, ApprovalState, DeliveryState, Run, RunState
from hub.playbooks.planned import Planned
from hub.playbooks.planning import dedup_key
from hub.playbooks.spec import Playbook
from hub.playbooks.steps import Retry

BY_PLAYBOOK = "playbook"
LEFT_OPEN = {
    RunState.CANCELLED: "the playbook's run was cancelled: this stays until a person closes it",
    RunState.FAILED: "the playbook's run failed: this stays until a person closes it",
}
"""What is said to alerts that no step will close any more."""


@dataclass(frozen=True, slots=True)
class Started:
    """Another playbook that a step starts: the step's own note, and the facts as they are."""

    playbook: Playbook
    note: dict[str, Any]
    values: Mapping[str, Any]


@dataclass(slots=True)
class Walk:
    """What moving one run writes. closes: each with how many of the `alerts` were opened before it.

    concern, withheld  what it is about, and the dedup keys of alerts that are not opened for people's attention
    """

    run: Run
    step: int
    state: RunState = RunState.DONE
    wake_at: datetime | None = None
    awaits: str | None = None
    since: datetime | None = None
    error: str | None = None
    deliveries: list[dict[str, Any]] = field(default_factory=list)
    alerts: list[dict[str, Any]] = field(default_factory=list)
    closes: list[tuple[int, dict[str, Any]]] = field(default_factory=list)
    approvals: list[dict[str, Any]] = field(default_factory=list)
    expired: list[str] = field(default_factory=list)
    starts: list[Started] = field(default_factory=list)
    updates: list[dict[str, Any]] = field(default_factory=list)
    steps: list[dict[str, Any]] = field(default_factory=list)
    concern: Concern | None = None
    withheld: Set[str] = frozenset()

    def opened(self, turn: int) -> list[dict[str, Any]]:
        """The alerts opened before the close of this turn (there may be none), and after the one before it."""
        places = [0, *(place for place, _ in self.closes), len(self.alerts)]
        rows = self.alerts[places[turn] : places[turn + 1]] if turn + 1 < len(places) else []
        return [row for row in rows if row["dedup_key"] not in self.withheld]


def step_row(run: Run, index: int, action: str, state: str, detail: str | None, now: datetime) -> dict[str, Any]:
    return {
        "id": f"{run.id}:{index}",
        "run_id": run.id,
        "index": index,
        "action": action,
        "state": state,
        "detail": detail,
        "done_at": now,
    }


def call_key(run: Run, index: int) -> str:
    """What the alert or task of a step is opened under, once."""
    return dedup_key(run.playbook, run.playbook_version, run.customer_id, run.episode, index, "")


def alert_row(run: Run, planned: Planned, now: datetime, *, kind: str) -> dict[str, Any]:
    key = call_key(run, planned.index)
    return {
        "id": f"alert_{key.rpartition('.')[2]}",
        "customer_id": run.customer_id,
        "kind": kind,
        "title": planned.title,
        "reason": planned.reason,
        "severity": planned.severity,
        "state": AlertState.OPEN.value,
        "owner_email": planned.owner_email,
        "due_on": planned.due_on,
        "run_id": run.id,
        "dedup_key": key,
        "opened_at": now,
        "updated_at": now,
    }


def close_row(run: Run, outcome: AlertOutcome, note: str | None, now: datetime) -> dict[str, Any]:
    """What becomes of the run's open alerts and tasks."""
    return {"run": run.id, "came": outcome.value, "said": note, "at": now}


def update_rows(run: Run, written: Mapping[str, str | None]) -> list[dict[str, Any]]:
    """Custom fields to write."""
    return [
        {
            "customer_id": run.customer_id,
            "name": name,
            "value": value,
            "updated_by": f"playbook {run.playbook}",
            "run_id": run.id,
        }
        for name, value in written.items()
    ]


def approval_row(run: Run, planned: Planned, *, until: datetime, now: datetime) -> dict[str, Any]:
    return {
        "id": f"{run.id}:{planned.index}",
        "run_id": run.id,
        "step": planned.index,
        "customer_id": run.customer_id,
        "question": planned.title,
        "asked_of": planned.owner_email,
        "state": ApprovalState.OPEN.value,
        "asked_at": now,
        "expires_at": until,
    }


def delivery_row(run: Run, planned: Planned, *, retry: Retry | None, now: datetime) -> dict[str, Any]:
    """A message to reserve."""
    address = planned.address or ""
    key = dedup_key(run.playbook, run.playbook_version, run.customer_id, run.episode, planned.index, address)
    return {
        "id": f"del_{key.rpartition('.')[2]}",
        "dedup_key": key,
        "run_id": run.id,
        "step": planned.index,
        "customer_id": run.customer_id,
        "channel": planned.channel,
        "address": address,
        "subject": planned.subject,
        "payload": planned.payload,
        "state": DeliveryState.RESERVED.value,
        "error": None,
        "attempts": 0,
        "most_attempts": retry.attempts if retry else None,
        "pause_seconds": round(retry.pause.total_seconds()) if retry and retry.pause else None,
        "reserved_at": now,
    }


def definition_row(playbook: Playbook, *, now: datetime) -> dict[str, Any]:
    """The version of a playbook that runs begin with."""
    return {
        "hash": playbook.hash,
        "playbook": playbook.name,
        "version": playbook.version,
        "definition": playbook.definition,
        "first_used_at": now,
    }


def run_row(
    playbook: Playbook,
    customer_id: str,
    values: Mapping[str, Any],
    *,
    episode: str,
    cause: str,
    by: str | None,
    now: datetime,
) -> dict[str, Any]:
    """A run to begin. `values`: the facts at firing."""
    return {
        "id": run_id_of(playbook.name, customer_id, episode),
        "playbook": playbook.name,
        "playbook_version": playbook.version,
        "definition": {},
        "definition_hash": playbook.hash,
        "customer_id": customer_id,
        "episode": episode,
        "cause": cause,
        "started_by": by,
        "state": RunState.RUNNING.value,
        "step": 0,
        "fence": 0,
        "facts": values,
        "started_at": now,
        "updated_at": now,
    }


def run_id_of(playbook: str, customer_id: str, episode: str) -> str:
    parts = "\x1f".join((playbook, customer_id, episode))
    return f"run_{blake2b(parts.encode(), digest_size=16).hexdigest()}"
