"""Make a task by hand, and cancel one run of a playbook."""

import secrets
from collections.abc import Mapping
from datetime import date
from typing import Any

import strawberry

from schema.enums import Role, Severity
from schema.errors import BadInputError, MutationError
from schema.loaders import ApiInfo, load_one
from schema.nodes import key_of
from schema.performing import Outcome, answering, perform
from schema.permissions import root
from schema.playbooks.asking import TaskRequest
from schema.playbooks.types import Alert, PlaybookRun

_KEY = "The same key does it once, however often it is sent."


@strawberry.input(description="Something that is to be done for a customer.")
class TaskCreateInput:
    customer_id: strawberry.ID
    title: str = strawberry.field(description="At most 300 characters.")
    reason: str | None = strawberry.field(default=None, description="Why, and how.")
    severity: Severity = Severity.NORMAL
    owner_email: str | None = strawberry.field(default=None, description="Who is to do it; you, where nothing is said.")
    due_on: date | None = None
    idempotency_key: str | None = strawberry.field(default=None, description=_KEY)


@strawberry.type
class TaskCreatePayload:
    outcome: strawberry.Private[Outcome]

    @answering
    async def task(self, info: ApiInfo) -> Alert | None:
        """The task, which is an alert of the kind task; null where none was made."""
        if (key := self.outcome.result.get("alert_id")) is None:
            return None
        found: Alert | None = await load_one(info, "alert", key)
        return found

    @answering
    def errors(self) -> list[MutationError]:
        return self.outcome.errors


@strawberry.input(description="End one run before its end; what it waits to send never is.")
class PlaybookRunCancelInput:
    id: strawberry.ID
    reason: str = strawberry.field(description="Why. Needed.")
    idempotency_key: str | None = strawberry.field(default=None, description=_KEY)


@strawberry.type
class PlaybookRunCancelPayload:
    outcome: strawberry.Private[Outcome]

    @answering
    async def run(self, info: ApiInfo) -> PlaybookRun | None:
        """The run as it is now; null where nothing was cancelled."""
        if (key := self.outcome.result.get("run_id")) is None:
            return None
        found: PlaybookRun | None = await load_one(info, "playbook_run", key)
        return found

    @answering
    def withdrawn(self) -> int:
        """How many of its messages waited, and will not be sent."""
        return int(self.outcome.result.get("withdrawn", 0))

    @answering
    def errors(self) -> list[MutationError]:
        return self.outcome.errors


@strawberry.type
class WorkMutations:
    @root(Role.CSM, description="Make a task for a customer by hand.")
    async def task_create(self, info: ApiInfo, input: TaskCreateInput) -> TaskCreatePayload:  # noqa: A002 - the API's word
        context = info.context

        async def run() -> Mapping[str, Any]:
            request = TaskRequest(
                customer_id=customer_id,
                title=input.title,
                key=f"{context.viewer.token_id}:{input.idempotency_key or secrets.token_hex(10)}",
                by=context.viewer.actor,
                severity=input.severity.value,
                reason=input.reason,
                owner_email=input.owner_email or context.viewer.csm_email,
                due_on=input.due_on,
            )
            return {"alert_id": (await context.actions.open_task(request, now=context.now)).id}

        with Outcome.collecting(of="customerId") as outcome:
            customer_id = key_of(input.customer_id, "customer", field="customerId")
            if input.owner_email is not None and "@" not in input.owner_email:
                raise BadInputError(f"{input.owner_email[:80]!r} is no e-mail address", field="ownerEmail")
            await perform(
                outcome,
                info,
                "taskCreate",
                subject=customer_id,
                request={
                    "customer": customer_id,
                    "title": input.title,
                    "reason": input.reason,
                    "severity": input.severity.value,
                    "owner": input.owner_email,
                    "due_on": input.due_on.isoformat() if input.due_on else None,
                },
                run=run,
                key=input.idempotency_key,
                about={"customer": [customer_id]},
            )
        return TaskCreatePayload(outcome=outcome)

    @root(Role.CSM, description="Cancel one run of a playbook. What it opened stays until a person closes it.")
    async def playbook_run_cancel(self, info: ApiInfo, input: PlaybookRunCancelInput) -> PlaybookRunCancelPayload:  # noqa: A002 - the API's word
        context = info.context

        async def run() -> Mapping[str, Any]:
            withdrawn = await context.actions.cancel_run(
                run_id, by=context.viewer.actor, reason=input.reason, now=context.now
            )
            return {"run_id": run_id, "withdrawn": withdrawn}

        with Outcome.collecting(of="id") as outcome:
            run_id = key_of(input.id, "playbook_run", field="id")
            await perform(
                outcome,
                info,
                "playbookRunCancel",
                subject=run_id,
                request={"run": run_id, "reason": input.reason},
                run=run,
                key=input.idempotency_key,
                about={"playbook_run": [run_id]},
            )
        return PlaybookRunCancelPayload(outcome=outcome)
