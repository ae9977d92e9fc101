"""Alerts and tasks as people work on them: open, in progress, closed with an outcome, snoozed until.

Snoozing an alert also keeps its playbook from firing anew for the customer until then. Who takes an alert (in progress) has
taken the PagerDuty incident of its run: that is acknowledged, once.
"""

from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum
from hashlib import blake2b
from typing import Any, TypeVar

from hub.delivery.pagerduty import acknowledge
from hub.errors import NotFoundError, RefusedError
from hub.model.actions import Alert, AlertOutcome, AlertState, DeliveryState
from hub.model.records import Severity
from hub.store import Connection, Store, deliveries
from hub.store import alerts as rows
from hub.store.playbooks import find_situations

MAX_TITLE, MAX_NOTE = 300, 4_000
KINDS = ("alert", "task")
NEVER_SENT = (DeliveryState.FAILED, DeliveryState.SUPPRESSED)
Choice = TypeVar("Choice", bound=StrEnum)


class Unset:
    """The default of what a change leaves as it is; None takes a value away."""


UNSET = Unset()


async def open_alert(
    store: Store,
    customer_id: str,
    *,
    title: str,
    key: str,
    kind: str = "alert",
    severity: str = "normal",
    reason: str | None = None,
    owner_email: str | None = None,
    due_on: Any = None,
    now: datetime,
) -> Alert:
    """Open an alert or a task by hand; the same key for the same customer is the same alert."""
    faults = _faults((kind not in KINDS, f"kind {kind!r} is none of: {', '.join(KINDS)}"), *_title(title))
    chosen = _choice(Severity, severity, "severity", faults)
    if faults:
        raise RefusedError("; ".join(faults))
    assert chosen is not None
    id_ = "alert_" + blake2b(f"{customer_id}\x1f{key}".encode(), digest_size=16).hexdigest()
    async with store.transaction() as connection:
        if not await find_situations(connection, [customer_id]):
            raise NotFoundError(f"there is no customer {customer_id!r}")
        row = {
            "id": id_,
            "customer_id": customer_id,
            "kind": kind,
            "title": title.strip(),
            "reason": reason,
            "severity": chosen.value,
            "state": AlertState.OPEN.value,
            "owner_email": owner_email,
            "due_on": due_on,
            "dedup_key": f"hand.{id_}",
            "opened_at": now,
            "updated_at": now,
        }
        await rows.open_alerts(connection, [row])
        return await rows.get_alert(connection, id_)


async def change_alert(
    store: Store,
    id_: str,
    *,
    state: str | Unset = UNSET,
    outcome: str | Unset | None = UNSET,
    snoozed_until: datetime | Unset | None = UNSET,
    note: str | Unset | None = UNSET,
    owner_email: str | Unset | None = UNSET,
    by: str | None = None,
    now: datetime,
) -> Alert:
    """Change what is given, in the name of `by`.

    Raises RefusedError naming everything that does not go, NotFoundError for no such alert.
    """
    faults: list[str] = []
    changes: dict[str, Any] = {}
    if not isinstance(state, Unset):
        changes["state"] = _choice(AlertState, state, "state", faults)
    if not isinstance(outcome, Unset):
        changes["outcome"] = None if outcome is None else _choice(AlertOutcome, outcome, "outcome", faults)
    if not isinstance(snoozed_until, Unset):
        if snoozed_until is not None and snoozed_until <= now:
            faults.append("snoozed_until must lie ahead")
        changes["snoozed_until"] = snoozed_until
    if not isinstance(note, Unset):
        if note is not None and len(note) > MAX_NOTE:
            faults.append(f"note may have at most {MAX_NOTE} characters")
        changes["note"] = note
    if not isinstance(owner_email, Unset):
        if owner_email is not None and "@" not in owner_email:
            faults.append(f"owner_email {owner_email!r} is no e-mail address")
        changes["owner_email"] = owner_email
    async with store.transaction() as connection:
        before = await rows.get_alert(connection, id_, lock=True)
        if not faults:
            faults += _together(before, changes)
        if faults:
            raise RefusedError("; ".join(faults))
        if changes:
            await rows.change_alert(connection, id_, {**_derived(before, changes, now), "changed_by": by})
        await _acknowledge(connection, before, changes.get("state"), now=now)
        return await rows.get_alert(connection, id_)


async def _acknowledge(connection: Connection, before: Alert, state: object, *, now: datetime) -> None:
    """Reserve the event for what the alert's run opened, where somebody takes it; the sweep, at the latest, sends it."""
    run_id = before.run_id
    if run_id is None or before.state is not AlertState.OPEN or state is not AlertState.IN_PROGRESS:
        return
    opened = [
        each
        for each in await deliveries.find_deliveries(connection, run_ids=[run_id])
        if each.channel == "pagerduty"
        and each.payload.get("event_action") == "trigger"
        and each.state not in NEVER_SENT
    ]
    made = [
        {
            "id": f"{each.id}_ack",
            "dedup_key": f"{each.dedup_key}.ack",
            "run_id": run_id,
            "customer_id": each.customer_id,
            "channel": each.channel,
            "address": each.address,
            "payload": acknowledge(str(each.payload.get("dedup_key") or each.dedup_key)),
            "state": DeliveryState.RESERVED.value,
            "attempts": 0,
            "reserved_at": now,
        }
        for each in opened
    ]
    await deliveries.reserve(connection, made)


def _together(before: Alert, changes: dict[str, Any]) -> list[str]:
    """What the change as a whole would break."""
    state = changes.get("state", before.state)
    reopened = before.state is AlertState.CLOSED and state is not AlertState.CLOSED
    outcome = changes.get("outcome", None if reopened else before.outcome)
    closed = state is AlertState.CLOSED
    choices = ", ".join(each.value for each in AlertOutcome)
    return _faults(
        (closed and outcome is None, f"closing needs an outcome, one of: {choices}"),
        (not closed and outcome is not None, "an outcome belongs to a closed alert: set state to closed"),
        (closed and changes.get("snoozed_until") is not None, "a closed alert cannot be snoozed"),
    )


def _derived(before: Alert, changes: dict[str, Any], now: datetime) -> dict[str, Any]:
    """The changes as a row, with what follows from them."""
    values = {name: value.value if isinstance(value, StrEnum) else value for name, value in changes.items()}
    values["updated_at"] = now
    state = changes.get("state", before.state)
    if state is AlertState.CLOSED and before.state is not AlertState.CLOSED:
        values |= {"closed_at": now, "snoozed_until": None}
    elif state is not AlertState.CLOSED and before.state is AlertState.CLOSED:
        values |= {"closed_at": None, "outcome": None}
    return values


def _choice(type_: type[Choice], value: str, name: str, faults: list[str]) -> Choice | None:
    try:
        return type_(value)
    except ValueError:
        faults.append(f"{name} {value!r} is none of: {', '.join(each.value for each in type_)}")
        return None


def _title(title: str) -> Sequence[tuple[bool, str]]:
    return ((not 0 < len(title.strip()) <= MAX_TITLE, f"title must have 1 to {MAX_TITLE} characters"),)


def _faults(*checks: tuple[bool, str]) -> list[str]:
    return [message for wrong, message in checks if wrong]
