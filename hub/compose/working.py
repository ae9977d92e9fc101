"""Tasks by hand, runs that are cancelled, trainings that are asked for: as the GraphQL mutations call them."""

from datetime import datetime

from hub.compose.hub import Hub
from hub.compose.jobs import TRAIN
from hub.model.actions import Alert
from hub.playbooks.alerts import open_alert
from hub.playbooks.stopping import cancel_run
from schema.playbooks.asking import TaskRequest


class WorkActions:
    """The caller has checked who may, and audits."""

    _hub: Hub

    async def open_task(self, request: TaskRequest, *, now: datetime) -> Alert:
        return await open_alert(
            self._hub.store,
            request.customer_id,
            title=request.title,
            key=request.key,
            kind="task",
            severity=request.severity,
            reason=request.reason,
            owner_email=request.owner_email,
            due_on=request.due_on,
            now=now,
        )

    async def cancel_run(self, run_id: str, *, by: str, reason: str, now: datetime) -> int:
        return await cancel_run(self._hub.store, run_id, by=by, reason=reason, now=now)

    async def train_model(self, *, by: str) -> None:
        await self._hub.durable.enqueue(TRAIN, {}, key=TRAIN)
