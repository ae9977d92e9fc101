"""Moves runs on: from the step their counter stands at to the next wait or the end, in one transaction.

First everything is read and rendered; then, in one transaction, the runs are locked and only those whose fence is still the
expected one are written: messages reserved, alerts opened, steps noted, counters moved. So an advance that comes twice, late,
or from two processes at once does its work once, and a template that fails leaves nothing behind but the run's error.

Many runs move together, in a handful of statements.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import blake2b
from typing import Any

import orjson

from hub.delivery import RenderError
from hub.model.actions import AlertState, DeliveryState, Run, RunState
from hub.playbooks.planning import Planned, Planner, dedup_key
from hub.playbooks.spec import Email, Playbook, from_definition
from hub.store import Store, alerts, deliveries, runs
from hub.store.playbooks import Situation, find_situations

Move = tuple[str, int]
"""A run, and the fence it is expected to have."""
MOVABLE = (RunState.RUNNING, RunState.WAITING)


@dataclass(slots=True)
class Walk:
    """What moving one run writes."""

    run: Run
    step: int
    state: RunState = RunState.DONE
    wake_at: datetime | None = None
    error: str | None = None
    deliveries: list[dict[str, Any]] = field(default_factory=list)
    alerts: list[dict[str, Any]] = field(default_factory=list)
    steps: list[dict[str, Any]] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Advanced:
    """moved: runs that moved. wakes: {moment: moves to make then}. reserved: messages newly in the ledger."""

    moved: int
    wakes: Mapping[datetime, Sequence[Move]]
    reserved: int


class Advancer:
    """Moves runs. `suppressed`: addresses ("ann@x.example") and domains ("@x.example") nobody may write to."""

    def __init__(self, store: Store, planner: Planner, *, suppressed: Collection[str] = ()) -> None:
        self._store = store
        self._planner = planner
        self._suppressed = frozenset(each.lower() for each in suppressed)
        self._parsed: dict[bytes, Playbook] = {}

    async def advance(self, moves: Sequence[Move], *, now: datetime) -> Advanced:
        expected = dict(moves)
        async with self._store.reading() as connection:
            found = [
                run
                for run in await runs.find_runs(connection, ids=expected)
                if run.fence == expected[run.id] and _may_move(run, now)
            ]
            playbooks = {run.id: self._playbook(run) for run in found}
            situations = await find_situations(
                connection,
                [run.customer_id for run in found],
                with_contacts=any(_writes_contacts(playbook) for playbook in playbooks.values()),
            )
        walks = [self._walk(run, playbooks[run.id], situations.get(run.customer_id), now=now) for run in found]
        return await self._write(walks, now=now)

    def _playbook(self, run: Run) -> Playbook:
        """The playbook as it stood when the run began; the same for all runs of one firing."""
        key = blake2b(orjson.dumps(run.definition)).digest()
        if key not in self._parsed:
            self._parsed[key] = from_definition(run.definition)
        return self._parsed[key]

    def _walk(self, run: Run, playbook: Playbook, situation: Situation | None, *, now: datetime) -> Walk:
        walk = Walk(run, run.step)
        if situation is None:
            walk.state, walk.error = RunState.CANCELLED, "the customer is gone or was merged into another"
            return walk
        while walk.step < len(playbook.steps):
            try:
                planned = self._planner.step(playbook, walk.step, situation, before=run.facts, now=now)
            except RenderError as error:
                return _failed(run, walk.step, playbook.steps[walk.step].action, str(error), now)
            self._take(walk, planned, now=now)
            walk.step += 1
            if (pause := planned[0].wait) is not None:
                walk.state, walk.wake_at = RunState.WAITING, now + pause
                return walk
        return walk

    def _take(self, walk: Walk, planned: Sequence[Planned], *, now: datetime) -> None:
        run = walk.run
        for each in planned:
            if each.channel is not None and each.address is not None:
                walk.deliveries.append(self._delivery(run, each, each.channel, each.address, now))
            elif each.title is not None:
                walk.alerts.append(_alert(run, each, now))
        shown = planned[0].show() if len(planned) == 1 else f"to {len(planned)} addresses"
        walk.steps.append(
            _step(run, walk.step, planned[0].action, "skipped" if planned[0].skipped else "done", shown, now)
        )

    def _delivery(self, run: Run, planned: Planned, channel: str, address: str, now: datetime) -> dict[str, Any]:
        key = dedup_key(run.playbook, run.playbook_version, run.customer_id, run.episode, planned.index, address)
        suppressed = {address.lower(), f"@{address.lower().rpartition('@')[2]}"} & self._suppressed
        return {
            "id": f"del_{key.rpartition('.')[2]}",
            "dedup_key": key,
            "run_id": run.id,
            "customer_id": run.customer_id,
            "channel": channel,
            "address": address,
            "subject": planned.subject,
            "payload": planned.payload,
            "state": (DeliveryState.SUPPRESSED if suppressed else DeliveryState.RESERVED).value,
            "error": "nobody may write to this address" if suppressed else None,
            "attempts": 0,
            "reserved_at": now,
        }

    async def _write(self, walks: Sequence[Walk], *, now: datetime) -> Advanced:
        async with self._store.transaction() as connection:
            held = await runs.lock(connection, [walk.run.id for walk in walks])
            walks = [walk for walk in walks if _still(walk.run, held)]
            reserved = await deliveries.reserve(connection, [row for walk in walks for row in walk.deliveries])
            await alerts.open_alerts(connection, [row for walk in walks for row in walk.alerts])
            await runs.insert_steps(connection, [row for walk in walks for row in walk.steps])
            await runs.move(
                connection,
                [
                    {
                        "id": walk.run.id,
                        "step": walk.step,
                        "state": walk.state.value,
                        "wake_at": walk.wake_at,
                        "error": walk.error,
                        "updated_at": now,
                        "finished_at": None if walk.state is RunState.WAITING else now,
                    }
                    for walk in walks
                ],
            )
        wakes: dict[datetime, list[Move]] = {}
        for walk in walks:
            if walk.wake_at is not None:
                wakes.setdefault(walk.wake_at, []).append((walk.run.id, walk.run.fence + 1))
        return Advanced(len(walks), wakes, len(reserved))


def _may_move(run: Run, now: datetime) -> bool:
    return run.state in MOVABLE and (run.wake_at is None or run.wake_at <= now)


def _still(run: Run, held: Mapping[str, tuple[int, RunState]]) -> bool:
    fence, state = held.get(run.id, (-1, RunState.CANCELLED))
    return fence == run.fence and state in MOVABLE


def _writes_contacts(playbook: Playbook) -> bool:
    return any(isinstance(step.settings, Email) and step.settings.to == "contacts" for step in playbook.steps)


def _failed(run: Run, index: int, action: str, reason: str, now: datetime) -> Walk:
    """Nothing of this move is kept, not even the steps before the one that failed: a person mends the template first."""
    walk = Walk(run, run.step, state=RunState.FAILED, error=reason)
    walk.steps.append(_step(run, index, action, "failed", reason, now))
    return walk


def _step(run: Run, index: int, action: str, state: str, detail: str, now: datetime) -> dict[str, Any]:
    return {
        "id": f"{run.id}:{index}",
        "run_id": run.id,
        "index": index,
        "action": action,
        "state": state,
        "detail": detail,
        "done_at": now,
    }


def _alert(run: Run, planned: Planned, now: datetime) -> dict[str, Any]:
    key = dedup_key(run.playbook, run.playbook_version, run.customer_id, run.episode, planned.index, "")
    return {
        "id": f"alert_{key.rpartition('.')[2]}",
        "customer_id": run.customer_id,
        "kind": planned.action,
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
