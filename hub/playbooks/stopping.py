"""The kill switch: stop one playbook or all of them, at once and everywhere, and let them go on.

While a playbook is stopped it fires for nobody, its runs stand where they are, and what it reserved is not sent: every process
reads the table of stops when it claims a message, once more just before it sends it, and in the transaction that moves a run.
A message that is on the line already cannot be called back. Nothing is lost: started again, runs and messages go on from
where they stood; `cancel` ends the runs and withdraws the messages instead.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from hub.errors import NotFoundError, RefusedError
from hub.model.actions import ApprovalState, RunState
from hub.playbooks.rows import LEFT_OPEN
from hub.store import Connection, Store, alerts, approvals, audit, runs, stops, withdrawals
from hub.store.stops import ALL, Stopped

MAX_REASON = 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Stopping:
    """What a stop did. changed: False where it was stopped already. cancelled, withdrawn: runs and messages ended by it."""

    playbook: str
    changed: bool
    cancelled: int = 0
    withdrawn: int = 0


async def stop(
    store: Store, playbook: str, *, by: str, reason: str, cancel: bool, audited: bool, now: datetime
) -> Stopping:
    """Stop `playbook`, or ALL. `audited`: who calls writes the audit log himself. RefusedError without a reason."""
    reason = " ".join(reason.split())
    if not 0 < len(reason) <= MAX_REASON:
        raise RefusedError(f"a stop needs a reason of 1 to {MAX_REASON} characters")
    async with store.transaction() as connection:
        made = Stopped(playbook=playbook, reason=reason, stopped_by=by, stopped_at=now)
        changed = await stops.insert(connection, made)
        cancelled = withdrawn = 0
        if cancel:
            name = None if playbook == ALL else playbook
            ended = await runs.cancel_all(connection, playbook=name, error=f"stopped by {by}: {reason}", now=now)
            await approvals.settle(connection, ApprovalState.CANCELLED, run_ids=ended, by=by, now=now)
            await alerts.note_of_runs(connection, ended, note=LEFT_OPEN[RunState.CANCELLED], now=now)
            cancelled = len(ended)
            withdrawn = await withdrawals.withdraw(connection, playbook=name, reason=f"stopped by {by}: {reason}")
        if not audited:
            request = {"playbook": playbook, "reason": reason, "cancel": cancel}
            await _audit(connection, "playbookStop", playbook, request, by=by, now=now)
    return Stopping(playbook=playbook, changed=changed, cancelled=cancelled, withdrawn=withdrawn)


async def cancel_run(store: Store, run_id: str, *, by: str, reason: str, now: datetime) -> int:
    """End one open run, and what it waits to send; return how many messages that are. What it opened stays.

    NotFoundError for no such run, RefusedError for one that has ended, and without a reason.
    """
    reason = " ".join(reason.split())
    if not 0 < len(reason) <= MAX_REASON:
        raise RefusedError(f"a cancellation needs a reason of 1 to {MAX_REASON} characters")
    why = f"cancelled by {by}: {reason}"
    async with store.transaction() as connection:
        found = await runs.find_runs(connection, ids=[run_id])
        if not found:
            raise NotFoundError(f"there is no playbook run {run_id!r}")
        ended = await runs.cancel(connection, ids=[run_id], error=why, now=now)
        if not ended:
            raise RefusedError(f"this run has ended already: it is {found[0].state.value.replace('_', ' ')}")
        await approvals.settle(connection, ApprovalState.CANCELLED, run_ids=ended, by=by, now=now)
        await alerts.note_of_runs(connection, ended, note=LEFT_OPEN[RunState.CANCELLED], now=now)
        return await withdrawals.withdraw_of_runs(connection, ended, reason=why)


async def start(store: Store, playbook: str, *, by: str, audited: bool, now: datetime) -> None:
    """Let it go on. NotFoundError where it is not stopped by that name."""
    async with store.transaction() as connection:
        if not await stops.remove(connection, playbook):
            there = ", ".join(await stops.find_stops(connection)) or "nothing"
            raise NotFoundError(f"{playbook} is not stopped; stopped is: {there}")
        if not audited:
            await _audit(connection, "playbookStart", playbook, {"playbook": playbook}, by=by, now=now)


async def _audit(
    connection: Connection, action: str, subject: str, request: Mapping[str, Any], *, by: str, now: datetime
) -> None:
    entry_id = audit.new_entry()
    await audit.insert(connection, entry_id=entry_id, at=now, actor=by, action=action, subject=subject, request=request)
    await audit.finish(connection, entry_id, at=now, outcome="done")
