"""A person's word that a run waits for: yes or no, once, with a name to it."""

from datetime import datetime

from hub.errors import NotFoundError, RefusedError
from hub.model.actions import AlertOutcome, ApprovalState, Run, RunState
from hub.playbooks.rows import call_key
from hub.store import Store, alerts, approvals, runs

MAX_NOTE = 2_000


async def decide(
    store: Store, run_id: str, *, approved: bool, by: str, note: str | None, step: int | None = None, now: datetime
) -> Run:
    """Answer what the run asks; return it, due now.

    step   which question is meant, where the answer was asked for earlier (a button in a message): another one is refused
    Raises NotFoundError for a run that isn't there, RefusedError for one that asks nothing (any more).
    """
    if note is not None and len(note) > MAX_NOTE:
        raise RefusedError(f"note may have at most {MAX_NOTE} characters")
    async with store.transaction() as connection:
        await runs.lock(connection, [run_id])
        found = await runs.find_runs(connection, ids=[run_id])
        if not found:
            raise NotFoundError(f"there is no playbook run {run_id!r}")
        run = found[0]
        if run.state is not RunState.WAITING or run.awaits != "approval" or step not in (None, run.step):
            raise RefusedError(f"the run asks for no approval now: it is {run.state}{await _told(store, run, step)}")
        asked = [each for each in await approvals.find_approvals(connection, run_ids=[run_id]) if each.step == run.step]
        if not asked or asked[0].state is not ApprovalState.OPEN:
            raise RefusedError("it was answered already, and the run goes on in a moment")
        if asked[0].expires_at is not None and asked[0].expires_at <= now:
            raise RefusedError(f"the time to answer was over at {asked[0].expires_at:%Y-%m-%d %H:%M} UTC")
        state = ApprovalState.APPROVED if approved else ApprovalState.DECLINED
        await approvals.settle(connection, state, ids=[asked[0].id], by=by, note=note, now=now)
        outcome = AlertOutcome.SUCCESS if approved else AlertOutcome.NO_SUCCESS
        told = f"{state.value} by {by}" + (f": {note}" if note else "")
        await alerts.close(connection, [call_key(run, run.step)], outcome=outcome, note=told, now=now)
        # the fence moves, so that an advance which read the question as unanswered comes too late
        change = {
            "id": run.id,
            "step": run.step,
            "state": RunState.WAITING.value,
            "wake_at": now,
            "awaits": run.awaits,
            "since": run.since,
            "updated_at": now,
        }
        await runs.move(connection, [change])
        return (await runs.find_runs(connection, ids=[run_id]))[0]


async def _told(store: Store, run: Run, step: int | None) -> str:
    """What came of the question that was meant."""
    async with store.reading() as connection:
        given = await approvals.find_approvals(connection, run_ids=[run.id])
    for each in given:
        if step in (None, each.step) and each.state is not ApprovalState.OPEN:
            who = f" by {each.decided_by}" if each.decided_by else ""
            return f"; what it asked was {each.state.value}{who}"
    return ""
