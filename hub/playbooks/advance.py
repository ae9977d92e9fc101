"""Moves runs on: from the step their counter stands at to the next wait or the end, in one transaction.

First everything is read and rendered (hub.playbooks.walking); then, in one transaction, the runs are locked and only those
whose fence is still the expected one are written: messages reserved, alerts opened, people asked, other playbooks begun,
steps noted, counters moved. So an advance that comes twice, late, or from two processes at once does its work once, and a
template that fails leaves nothing behind but the run's error.

Many runs move together, in a handful of statements.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import blake2b

import orjson

from hub.attention import Attention
from hub.model.actions import AlertOutcome, ApprovalState, Run, RunState
from hub.playbooks.attending import attend, note_concern
from hub.playbooks.holdout import begin
from hub.playbooks.mailing import Mailing
from hub.playbooks.planning import Planner
from hub.playbooks.rows import BY_PLAYBOOK, LEFT_OPEN, Walk, call_key, run_row
from hub.playbooks.settling import settled_runs
from hub.playbooks.spec import Playbook, from_definition
from hub.playbooks.walking import Heard, Walker
from hub.store import Connection, Store, alerts, approvals, deliveries, runs, stops, withdrawals
from hub.store.attention import keep_withheld
from hub.store.custom import write_custom
from hub.store.playbooks import find_situations
from hub.store.rests import find_resting

Move = tuple[str, int]
"""A run, and the fence it is expected to have."""
MOVABLE = (RunState.RUNNING, RunState.WAITING)
CLOSED_BEFORE = "what it is about was closed before the CSM was to read it"


@dataclass(frozen=True, slots=True)
class Advanced:
    """moved: runs that moved. wakes: {moment: moves to make then}. reserved: messages newly in the ledger.

    begun  runs of other playbooks that steps started
    """

    moved: int
    wakes: Mapping[datetime, Sequence[Move]]
    reserved: int
    begun: Sequence[str] = ()


class Advancer:
    """Moves runs. `mailing`: the rules their mail keeps; `attention`: None, and everything goes out at once."""

    def __init__(
        self,
        store: Store,
        planner: Planner,
        *,
        definitions: Mapping[str, Playbook],
        mailing: Mailing,
        attention: Attention | None = None,
    ) -> None:
        self._attention = attention
        self._store = store
        self._mailing = mailing
        self._walker = Walker(planner, definitions, mailing)
        self._parsed: dict[str, Playbook] = {}

    async def advance(self, moves: Sequence[Move], *, now: datetime) -> Advanced:
        expected = dict(moves)
        async with self._store.reading() as connection:
            found = [
                run
                for run in await runs.find_runs(connection, ids=expected)
                if run.fence == expected[run.id] and _may_move(run, now)
            ]
            asked = {run.id: self._playbook(run) for run in found}
            ready = await settled_runs(connection, asked.values(), today=now.date())
            playbooks = {run_id: ready[id(playbook)] for run_id, playbook in asked.items()}
            situations = await find_situations(
                connection,
                [run.customer_id for run in found],
                with_contacts=any(playbook.writes_contacts for playbook in playbooks.values()),
            )
            heard = await _hear(connection, found)
        walks = [
            self._walker.walk(run, playbooks[run.id], situations.get(run.customer_id), heard[run.id], now=now)
            for run in found
        ]
        for walk in walks:
            note_concern(walk, playbooks[walk.run.id], situations.get(walk.run.customer_id))
        return await self._write(walks, now=now)

    def _playbook(self, run: Run) -> Playbook:
        """The playbook as it stood when the run began; the same for all runs of one version."""
        key = run.definition_hash or blake2b(orjson.dumps(run.definition)).hexdigest()
        if key not in self._parsed:
            self._parsed[key] = from_definition(run.definition)
        return self._parsed[key]

    async def _write(self, walks: Sequence[Walk], *, now: datetime) -> Advanced:
        async with self._store.transaction() as connection:
            held = await runs.lock(connection, [walk.run.id for walk in walks])
            stopped = await stops.find_stops(connection)
            walks = [walk for walk in walks if _still(walk.run, held) and not stops.stop_of(stopped, walk.run.playbook)]
            await _withdraw(connection, walks, now=now)
            messages = [row for walk in walks for row in walk.deliveries]
            await self._mailing.settle(connection, messages, now=now)
            withheld = await attend(connection, self._attention, walks, now=now)
            reserved = await deliveries.reserve(connection, messages)
            await _open_and_close(connection, walks, now=now)
            await keep_withheld(connection, withheld)
            await approvals.ask(connection, [row for walk in walks for row in walk.approvals])
            await _expire(connection, walks, now=now)
            await write_custom(connection, [row for walk in walks for row in walk.updates], now=now)
            begun = await _begin(connection, walks, stopped, now=now)
            await runs.insert_steps(connection, [row for walk in walks for row in walk.steps])
            await runs.move(
                connection,
                [
                    {
                        "id": walk.run.id,
                        "step": walk.step,
                        "state": walk.state.value,
                        "wake_at": walk.wake_at,
                        "awaits": walk.awaits,
                        "since": walk.since,
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
        return Advanced(len(walks), wakes, len(reserved), begun)


async def _hear(connection: Connection, found: Sequence[Run]) -> dict[str, Heard]:
    """What became of that which runs await."""
    heard = {run.id: Heard() for run in found}
    asking = [run.id for run in found if run.awaits == "approval"]
    sending = [run.id for run in found if run.awaits in ("delivery", "run")]
    for given in await approvals.find_approvals(connection, run_ids=asking) if asking else ():
        heard[given.run_id].approvals[given.step] = given
    for sent in await deliveries.find_deliveries(connection, run_ids=sending) if sending else ():
        heard[str(sent.run_id)].deliveries.append(sent)
    return heard


async def _withdraw(connection: Connection, walks: Sequence[Walk], *, now: datetime) -> None:
    """What a run has closed is no news to a CSM any more who was to read of it in the morning, or in a digest."""
    if closing := [walk.run.id for walk in walks if walk.closes]:
        await withdrawals.withdraw_late(connection, closing, reason=CLOSED_BEFORE, now=now)


async def _open_and_close(connection: Connection, walks: Sequence[Walk], *, now: datetime) -> None:
    """Alerts and tasks in the order of the steps: what is opened after a close stays open."""
    for turn in range(1 + max((len(walk.closes) for walk in walks), default=0)):
        await alerts.open_alerts(connection, [row for walk in walks for row in walk.opened(turn)])
        closing = [walk.closes[turn][1] for walk in walks if turn < len(walk.closes)]
        await alerts.close_of_runs(connection, closing)
    for state, why in LEFT_OPEN.items():
        left = [walk.run.id for walk in walks if walk.state is state]
        await alerts.note_of_runs(connection, left, note=why, now=now)


async def _expire(connection: Connection, walks: Sequence[Walk], *, now: datetime) -> None:
    if not any(walk.expired for walk in walks):
        return
    await approvals.settle(
        connection, ApprovalState.EXPIRED, ids=[id_ for walk in walks for id_ in walk.expired], now=now
    )
    keys = [call_key(walk.run, int(id_.rpartition(":")[2])) for walk in walks for id_ in walk.expired]
    await alerts.close(connection, keys, outcome=AlertOutcome.INVALID, note="nobody answered in time", now=now)


async def _begin(
    connection: Connection, walks: Sequence[Walk], stopped: Mapping[str, stops.Stopped], *, now: datetime
) -> list[str]:
    """Begin runs of the playbooks that steps start, but for customers these leave alone; the notes of the steps say why."""
    begun: list[str] = []
    wanted = {start.playbook.name: start.playbook for walk in walks for start in walk.starts}
    for name, playbook in wanted.items():
        asked = [(walk.run, start) for walk in walks for start in walk.starts if start.playbook.name == name]
        ids = [run.customer_id for run, _ in asked]
        resting = await find_resting(connection, playbook=name, customer_ids=ids, rested_since=now - playbook.rest)
        rows, notes = [], []
        for run, start in asked:
            if stops.stop_of(stopped, name) is not None:
                start.note.update(state="skipped", detail=f"{name} is stopped")
                continue
            if run.customer_id in resting:
                start.note.update(state="skipped", detail=f"{name} rests for this customer")
                continue
            episode = f"{BY_PLAYBOOK}:{run.id}:{start.note['index']}"
            notes.append(start.note)
            rows.append(
                run_row(
                    playbook,
                    run.customer_id,
                    start.values,
                    episode=episode,
                    cause=BY_PLAYBOOK,
                    by=run.playbook,
                    now=now,
                )
            )
        new = await begin(connection, playbook, rows, now=now)
        begun += new.going
        held, going = set(new.held), set(new.going)
        for row, note in zip(rows, notes, strict=True):
            if row["id"] in held:
                note.update(state="skipped", detail=f"{name} holds this customer out")
            elif row["id"] not in going:  # begun meanwhile
                note.update(state="skipped", detail=f"{name} rests for this customer")
    return begun


def _may_move(run: Run, now: datetime) -> bool:
    return run.state in MOVABLE and (run.wake_at is None or run.wake_at <= now)


def _still(run: Run, held: Mapping[str, tuple[int, RunState]]) -> bool:
    fence, state = held.get(run.id, (-1, RunState.CANCELLED))
    return fence == run.fence and state in MOVABLE
