"""Answer what a run asks, and the kill switch for playbooks."""

from collections.abc import Mapping
from typing import Any

import strawberry

from schema.enums import Role
from schema.errors import MutationError
from schema.loaders import ApiInfo, load_one
from schema.nodes import key_of
from schema.performing import Outcome, answering, perform
from schema.permissions import root
from schema.playbooks.types import PlaybookRun, PlaybookStopped


@strawberry.input(description="Approve or decline what a run waits for. The first answer counts.")
class PlaybookApproveInput:
    run_id: strawberry.ID
    approved: bool
    note: str | None = None
    step: int | None = strawberry.field(default=None, description="Index of the step that asked; another is refused.")
    idempotency_key: str | None = None


@strawberry.type
class PlaybookApprovePayload:
    outcome: strawberry.Private[Outcome]

    @answering
    async def run(self, info: ApiInfo) -> PlaybookRun | None:
        """The run, which goes on in a moment; null where nothing was answered."""
        if (run_id := self.outcome.result.get("run_id")) is None:
            return None
        found: PlaybookRun | None = await load_one(info, "playbook_run", run_id)
        return found

    @answering
    def errors(self) -> list[MutationError]:
        return self.outcome.errors


@strawberry.input(description="Stop a playbook at once, its runs and messages included.")
class PlaybookStopInput:
    playbook: str = strawberry.field(description="Its name; * stops all of them.")
    reason: str
    cancel: bool = strawberry.field(
        default=False, description="End its runs and withdraw its messages, instead of holding them."
    )
    idempotency_key: str | None = None


@strawberry.input(description="Let a stopped playbook go on where it stood.")
class PlaybookStartInput:
    playbook: str = strawberry.field(description="The name it was stopped by; * for the stop of all.")
    idempotency_key: str | None = None


@strawberry.type
class PlaybookStopPayload:
    outcome: strawberry.Private[Outcome]

    @answering
    async def stopped(self, info: ApiInfo) -> list[PlaybookStopped]:
        """Everything that is stopped now."""
        return await stops_of(info)

    @answering
    def cancelled_runs(self) -> int:
        """How many runs were ended."""
        return int(self.outcome.result.get("cancelled", 0))

    @answering
    def withdrawn_messages(self) -> int:
        """How many messages were withdrawn."""
        return int(self.outcome.result.get("withdrawn", 0))

    @answering
    def errors(self) -> list[MutationError]:
        return self.outcome.errors


@strawberry.type
class PlaybookStartPayload:
    outcome: strawberry.Private[Outcome]

    @answering
    async def stopped(self, info: ApiInfo) -> list[PlaybookStopped]:
        """Everything that is stopped still."""
        return await stops_of(info)

    @answering
    def errors(self) -> list[MutationError]:
        return self.outcome.errors


async def stops_of(info: ApiInfo) -> list[Any]:
    """Rows of `PlaybookStopped`."""
    return [
        {
            "playbook": each.playbook,
            "reason": each.reason,
            "stopped_by": each.stopped_by,
            "stopped_at": each.stopped_at,
        }
        for each in await info.context.actions.stopped_playbooks()
    ]


@strawberry.type
class SteeringQueries:
    @root(description="Playbooks that are stopped, by whom and why.")
    async def playbook_stops(self, info: ApiInfo) -> list[PlaybookStopped]:
        return await stops_of(info)


@strawberry.type
class SteeringMutations:
    @root(Role.CSM, description="Approve or decline what a playbook run asks.")
    async def playbook_approve(self, info: ApiInfo, input: PlaybookApproveInput) -> PlaybookApprovePayload:  # noqa: A002 - the API's word
        context = info.context

        async def run() -> Mapping[str, Any]:
            await context.actions.approve(
                run_id, approved=input.approved, by=context.viewer.actor, note=input.note, step=input.step
            )
            return {"run_id": run_id}

        with Outcome.collecting(of="runId") as outcome:
            run_id = key_of(input.run_id, "playbook_run", field="runId")
            await perform(
                outcome,
                info,
                "playbookApprove",
                subject=run_id,
                request={"run": run_id, "approved": input.approved, "note": input.note, "step": input.step},
                run=run,
                key=input.idempotency_key,
                about={"playbook_run": [run_id]},
            )
        return PlaybookApprovePayload(outcome=outcome)

    @root(Role.ADMIN, description="The kill switch: nothing of the playbook fires, moves or is sent from now on.")
    async def playbook_stop(self, info: ApiInfo, input: PlaybookStopInput) -> PlaybookStopPayload:  # noqa: A002 - the API's word
        context = info.context

        async def run() -> Mapping[str, Any]:
            done = await context.actions.stop_playbook(
                input.playbook, by=context.viewer.actor, reason=input.reason, cancel=input.cancel
            )
            return {"cancelled": done.cancelled, "withdrawn": done.withdrawn}

        with Outcome.collecting(of="playbook") as outcome:
            await perform(
                outcome,
                info,
                "playbookStop",
                subject=input.playbook,
                request={"playbook": input.playbook, "reason": input.reason, "cancel": input.cancel},
                run=run,
                key=input.idempotency_key,
            )
        return PlaybookStopPayload(outcome=outcome)

    @root(Role.ADMIN, description="Let a stopped playbook go on.")
    async def playbook_start(self, info: ApiInfo, input: PlaybookStartInput) -> PlaybookStartPayload:  # noqa: A002 - the API's word
        context = info.context

        async def run() -> Mapping[str, Any]:
            await context.actions.start_playbook(input.playbook, by=context.viewer.actor)
            return {}

        with Outcome.collecting(of="playbook") as outcome:
            await perform(
                outcome,
                info,
                "playbookStart",
                subject=input.playbook,
                request={"playbook": input.playbook},
                run=run,
                key=input.idempotency_key,
            )
        return PlaybookStartPayload(outcome=outcome)
