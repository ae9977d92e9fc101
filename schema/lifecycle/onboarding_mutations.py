"""Begin an onboarding, say that a step is done, skip an optional one, call it off."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

import strawberry

from schema.context import OnboardingRequest
from schema.enums import Role
from schema.errors import MutationError
from schema.lifecycle.onboarding import Onboarding
from schema.loaders import ApiInfo, load_one
from schema.nodes import key_of
from schema.performing import Outcome, answering, perform
from schema.permissions import root

_KEY = "The same key does it once, however often it is sent."


@strawberry.input
class OnboardingStartInput:
    customer_id: strawberry.ID
    restart: bool = strawberry.field(
        default=False, description="Also where one is active, which is called off then, or was completed."
    )
    idempotency_key: str | None = strawberry.field(default=None, description=_KEY)


@strawberry.input
class OnboardingStepCompleteInput:
    customer_id: strawberry.ID
    step: str | None = strawberry.field(default=None, description="Its name; the current one where none is given.")
    note: str | None = None
    idempotency_key: str | None = strawberry.field(default=None, description=_KEY)


@strawberry.input
class OnboardingStepSkipInput:
    customer_id: strawberry.ID
    step: str = strawberry.field(description="Name of an optional step.")
    note: str | None = None
    idempotency_key: str | None = strawberry.field(default=None, description=_KEY)


@strawberry.input
class OnboardingCancelInput:
    customer_id: strawberry.ID
    reason: str
    idempotency_key: str | None = strawberry.field(default=None, description=_KEY)


@strawberry.type
class _Payload:
    outcome: strawberry.Private[Outcome]

    @answering
    async def onboarding(self, info: ApiInfo) -> Onboarding | None:
        """The onboarding as it is now; null where nothing was done."""
        key = self.outcome.result.get("onboarding_id")
        found: Onboarding | None = await load_one(info, "onboarding", key) if key is not None else None
        return found

    @answering
    def errors(self) -> list[MutationError]:
        return self.outcome.errors


@strawberry.type
class OnboardingStartPayload(_Payload):
    pass


@strawberry.type
class OnboardingStepCompletePayload(_Payload):
    pass


@strawberry.type
class OnboardingStepSkipPayload(_Payload):
    pass


@strawberry.type
class OnboardingCancelPayload(_Payload):
    pass


@strawberry.type
class OnboardingMutations:
    @root(
        Role.CSM,
        description="Begin the onboarding of a customer by hand; after one that failed it is the next attempt.",
    )
    async def onboarding_start(self, info: ApiInfo, input: OnboardingStartInput) -> OnboardingStartPayload:  # noqa: A002 - the API's word
        outcome = await _do(info, "onboardingStart", input, kind="start", restart=input.restart)
        return OnboardingStartPayload(outcome=outcome)

    @root(
        Role.CSM,
        description="Say that a step is done. Refused out of its turn; the message names what may be done now.",
    )
    async def onboarding_step_complete(
        self,
        info: ApiInfo,
        input: OnboardingStepCompleteInput,  # noqa: A002 - the API's word
    ) -> OnboardingStepCompletePayload:
        outcome = await _do(info, "onboardingStepComplete", input, kind="complete", step=input.step, note=input.note)
        return OnboardingStepCompletePayload(outcome=outcome)

    @root(Role.CSM, description="Pass over an optional step.")
    async def onboarding_step_skip(self, info: ApiInfo, input: OnboardingStepSkipInput) -> OnboardingStepSkipPayload:  # noqa: A002 - the API's word
        outcome = await _do(info, "onboardingStepSkip", input, kind="skip", step=input.step, note=input.note)
        return OnboardingStepSkipPayload(outcome=outcome)

    @root(Role.CSM, description="Call off the active onboarding; its reminders end.")
    async def onboarding_cancel(self, info: ApiInfo, input: OnboardingCancelInput) -> OnboardingCancelPayload:  # noqa: A002 - the API's word
        outcome = await _do(info, "onboardingCancel", input, kind="cancel", note=input.reason)
        return OnboardingCancelPayload(outcome=outcome)


async def _do(info: ApiInfo, action: str, given: Any, **asked: Any) -> Outcome:
    context = info.context

    async def run() -> Mapping[str, Any]:
        return {"onboarding_id": await context.actions.onboard(request, now=context.now)}

    with Outcome.collecting(of="customerId") as outcome:
        key = key_of(given.customer_id, "customer", field="customerId")
        request = OnboardingRequest(customer_id=key, by=context.viewer.actor, **asked)
        about = {"customer": [key]}
        told = asdict(request)
        await perform(outcome, info, action, subject=key, request=told, run=run, key=given.idempotency_key, about=about)
    return outcome
