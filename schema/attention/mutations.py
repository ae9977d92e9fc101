"""Snooze a customer for a reason, lift that, and say whether what a playbook did was of use."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import strawberry

from schema.attention.asking import SnoozeRequest, VoteRequest
from schema.attention.types import PlaybookVote, Snooze
from schema.enums import Role
from schema.errors import MutationError
from schema.loaders import ApiInfo
from schema.nodes import key_of
from schema.performing import About, Outcome, answering, perform
from schema.permissions import root

_KEY = "The same key does it once, however often it is sent."


@strawberry.input(
    description="Let nothing new come up about a customer for a reason, whichever playbook it comes from."
)
class CustomerSnoozeInput:
    customer_id: strawberry.ID
    reason_key: str = strawberry.field(description="As playbooks say it: health, churn, …; * for any.")
    until: datetime
    note: str | None = None
    idempotency_key: str | None = strawberry.field(default=None, description=_KEY)


@strawberry.input
class SnoozeLiftInput:
    id: str
    idempotency_key: str | None = strawberry.field(default=None, description=_KEY)


@strawberry.type
class _SnoozePayload:
    outcome: strawberry.Private[Outcome]

    @answering
    async def snoozes(self, info: ApiInfo) -> list[Snooze]:
        """What is in force for the customer now; empty where nothing was done."""
        if (customer_id := self.outcome.result.get("customer_id")) is None:
            return []
        found: list[Any] = [
            *await info.context.actions.snoozes(customer_ids=[customer_id], book=info.context.viewer.book)
        ]
        return found

    @answering
    def errors(self) -> list[MutationError]:
        return self.outcome.errors


@strawberry.type
class CustomerSnoozePayload(_SnoozePayload):
    pass


@strawberry.type
class SnoozeLiftPayload(_SnoozePayload):
    pass


@strawberry.input(description="Whether a run of a playbook was of use. Said again, the newest counts.")
class PlaybookRunRateInput:
    id: strawberry.ID
    useful: bool
    note: str | None = None
    idempotency_key: str | None = strawberry.field(default=None, description=_KEY)


@strawberry.input(description="Whether an alert was of use: a vote on the run that opened it.")
class AlertRateInput:
    id: strawberry.ID
    useful: bool
    note: str | None = None
    idempotency_key: str | None = strawberry.field(default=None, description=_KEY)


@strawberry.type
class _RatePayload:
    outcome: strawberry.Private[Outcome]

    @answering
    def vote(self) -> PlaybookVote | None:
        """The vote as it counts now; null where there is none."""
        found: Any = self.outcome.result or None
        return found  # type: ignore[no-any-return]  # a row, of which the type reads its fields

    @answering
    def errors(self) -> list[MutationError]:
        return self.outcome.errors


@strawberry.type
class PlaybookRunRatePayload(_RatePayload):
    pass


@strawberry.type
class AlertRatePayload(_RatePayload):
    pass


@strawberry.type
class AttentionMutations:
    @root(Role.CSM, description="Let nothing new come up about a customer for a reason until then, but what is urgent.")
    async def customer_snooze(self, info: ApiInfo, input: CustomerSnoozeInput) -> CustomerSnoozePayload:  # noqa: A002 - the API's word
        context = info.context

        async def run() -> Mapping[str, Any]:
            made = await context.actions.snooze(
                SnoozeRequest(
                    customer_id=customer_id,
                    reason=input.reason_key,
                    until=input.until,
                    by=context.viewer.actor,
                    note=input.note,
                )
            )
            return {"customer_id": made.customer_id, "snooze_id": made.id}

        with Outcome.collecting(of="customerId") as outcome:
            customer_id = key_of(input.customer_id, "customer", field="customerId")
            until = input.until.isoformat()
            request = {"customer": customer_id, "reason": input.reason_key, "until": until, "note": input.note}
            await perform(
                outcome,
                info,
                "customerSnooze",
                subject=customer_id,
                request=request,
                run=run,
                key=input.idempotency_key,
                about={"customer": [customer_id]},
            )
        return CustomerSnoozePayload(outcome=outcome)

    @root(Role.CSM, description="End a snooze before its time.")
    async def snooze_lift(self, info: ApiInfo, input: SnoozeLiftInput) -> SnoozeLiftPayload:  # noqa: A002 - the API's word
        context = info.context

        async def run() -> Mapping[str, Any]:
            lifted = await context.actions.unsnooze(input.id, by=context.viewer.actor)
            return {"customer_id": lifted.customer_id, "snooze_id": lifted.id}

        with Outcome.collecting(of="id") as outcome:
            request = {"snooze": input.id}
            await perform(
                outcome,
                info,
                "snoozeLift",
                subject=input.id,
                request=request,
                run=run,
                key=input.idempotency_key,
                about={"snooze": [input.id]},
            )
        return SnoozeLiftPayload(outcome=outcome)

    @root(
        Role.CSM, description="Say whether a run of a playbook was of use; it counts towards the playbook's precision."
    )
    async def playbook_run_rate(self, info: ApiInfo, input: PlaybookRunRateInput) -> PlaybookRunRatePayload:  # noqa: A002 - the API's word
        with Outcome.collecting(of="id") as outcome:
            run_id = key_of(input.id, "playbook_run", field="id")
            request = VoteRequest(voter=info.context.viewer.actor, useful=input.useful, note=input.note, run_id=run_id)
            about = {"playbook_run": [run_id]}
            await _rate(outcome, info, "playbookRunRate", request, key=input.idempotency_key, about=about)
        return PlaybookRunRatePayload(outcome=outcome)

    @root(Role.CSM, description="Say whether an alert was of use; it counts towards its playbook's precision.")
    async def alert_rate(self, info: ApiInfo, input: AlertRateInput) -> AlertRatePayload:  # noqa: A002 - the API's word
        with Outcome.collecting(of="id") as outcome:
            alert_id = key_of(input.id, "alert", field="id")
            request = VoteRequest(
                voter=info.context.viewer.actor, useful=input.useful, note=input.note, alert_id=alert_id
            )
            about = {"alert": [alert_id]}
            await _rate(outcome, info, "alertRate", request, key=input.idempotency_key, about=about)
        return AlertRatePayload(outcome=outcome)


async def _rate(
    outcome: Outcome, info: ApiInfo, action: str, request: VoteRequest, *, key: str | None, about: About
) -> None:
    [[subject]] = about.values()

    async def run() -> Mapping[str, Any]:
        voted = await info.context.actions.vote(request)
        return {"run_id": voted.run_id, "playbook": voted.playbook, "voter": voted.voter, "useful": voted.useful}

    told = {"subject": subject, "useful": request.useful, "note": request.note}
    await perform(outcome, info, action, subject=subject, request=told, run=run, key=key, about=about)
