"""A run held, let go on, or ended by a person."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from hub.errors import NotFoundError, RefusedError
from hub.model.actions import ApprovalState, Run, RunState
from hub.playbooks.rows import LEFT_OPEN
from hub.store import Store, alerts, approvals, runs


async def set_state(store: Store, run_id: str, state: RunState, *, allowed: Sequence[RunState], now: datetime) -> Run:
    """Put a run into `state`, if it is in one of `allowed`; NotFoundError, or RefusedError where it is not."""
    async with store.transaction() as connection:
        await runs.lock(connection, [run_id])
        found = await runs.find_runs(connection, ids=[run_id])
        if not found:
            raise NotFoundError(f"there is no playbook run {run_id!r}")
        run = found[0]
        if run.state not in allowed:
            raise RefusedError(
                f"the run is {run.state}; that goes only while it is {' or '.join(each.value for each in allowed)}"
            )
        change: dict[str, Any] = {
            "id": run.id,
            "step": run.step,
            "state": state.value,
            "wake_at": None if state is RunState.CANCELLED else run.wake_at or now,
            "awaits": run.awaits,
            "since": run.since,
            "error": run.error,
            "updated_at": now,
            "finished_at": now if state is RunState.CANCELLED else None,
        }
        await runs.move(connection, [change])
        if state is RunState.CANCELLED:
            await approvals.settle(connection, ApprovalState.CANCELLED, run_ids=[run_id], now=now)
            await alerts.note_of_runs(connection, [run_id], note=LEFT_OPEN[state], now=now)
        return (await runs.find_runs(connection, ids=[run_id]))[0]
