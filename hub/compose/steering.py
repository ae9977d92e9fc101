"""Answers to what runs ask, and the kill switch, as the GraphQL mutations call them; the caller has checked who may."""

from collections.abc import Sequence

from hub.compose.hub import Hub
from hub.playbooks.stopping import Stopping
from hub.store.stops import Stopped


class SteeringActions:
    """What is audited by the mutation is not audited again."""

    _hub: Hub

    async def approve(self, run_id: str, *, approved: bool, by: str, note: str | None, step: int | None) -> None:
        await self._hub.playbooks.approve(run_id, approved=approved, by=by, note=note, step=step)

    async def stop_playbook(self, playbook: str, *, by: str, reason: str, cancel: bool) -> Stopping:
        return await self._hub.playbooks.stop(playbook, by=by, reason=reason, cancel=cancel, audited=True)

    async def start_playbook(self, playbook: str, *, by: str) -> None:
        await self._hub.playbooks.start(playbook, by=by, audited=True)

    async def stopped_playbooks(self) -> Sequence[Stopped]:
        return await self._hub.playbooks.stopped()
