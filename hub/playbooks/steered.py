"""What people do to playbooks that run: stop one or all, let them go on, hold a run, end it. A part of `Playbooks`."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta

from hub.model.actions import Run, RunState
from hub.playbooks.advance import Move
from hub.playbooks.jobs import SweepReport
from hub.playbooks.spec import Playbook
from hub.playbooks.steering import set_state
from hub.playbooks.stopping import Stopping, start, stop
from hub.store import Store, runs, stops
from hub.store.stops import ALL, Stopped

STUCK = timedelta(minutes=2)


class Steered(ABC):
    """See the module."""

    definitions: Mapping[str, Playbook]
    _store: Store
    _clock: Callable[[], datetime]

    @abstractmethod
    def get(self, name: str) -> Playbook: ...

    @abstractmethod
    async def sweep(self, *, now: datetime, stuck: timedelta = STUCK) -> SweepReport: ...

    @abstractmethod
    async def _wake(self, at: datetime, moves: Sequence[Move]) -> None: ...

    async def stop(
        self, playbook: str, *, by: str, reason: str, cancel: bool = False, audited: bool = False
    ) -> Stopping:
        """The kill switch for a playbook, or for ALL of them: see hub.playbooks.stopping."""
        if playbook != ALL:
            await self._known(playbook)
        now = self._clock()
        return await stop(self._store, playbook, by=by, reason=reason, cancel=cancel, audited=audited, now=now)

    async def start(self, playbook: str, *, by: str, audited: bool = False) -> None:
        """Let a stopped playbook go on where it stood."""
        now = self._clock()
        await start(self._store, playbook, by=by, audited=audited, now=now)
        await self.sweep(now=now, stuck=timedelta(0))

    async def stopped(self) -> list[Stopped]:
        async with self._store.reading() as connection:
            return list((await stops.find_stops(connection)).values())

    async def pause(self, run_id: str) -> Run:
        """Hold a run where it stands; what is reserved already is still sent."""
        return await self._set(run_id, RunState.PAUSED, allowed=(RunState.RUNNING, RunState.WAITING))

    async def resume(self, run_id: str) -> Run:
        """Let a paused run go on: at its time, or now where that has passed."""
        run = await self._set(run_id, RunState.WAITING, allowed=(RunState.PAUSED,))
        await self._wake(run.wake_at or self._clock(), [(run.id, run.fence)])
        return run

    async def cancel(self, run_id: str) -> Run:
        """End a run; what is reserved already is still sent."""
        return await self._set(
            run_id, RunState.CANCELLED, allowed=(RunState.RUNNING, RunState.WAITING, RunState.PAUSED)
        )

    async def _known(self, playbook: str) -> None:
        """Whether it is configured, or was: it may have runs still."""
        if playbook not in self.definitions:
            async with self._store.reading() as connection:
                found = await runs.find_runs(connection, playbook=playbook, limit=1)
            if not found:
                self.get(playbook)

    async def _set(self, run_id: str, state: RunState, *, allowed: Sequence[RunState]) -> Run:
        return await set_state(self._store, run_id, state, allowed=allowed, now=self._clock())
