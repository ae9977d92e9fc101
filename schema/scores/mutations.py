"""State and withdraw overrides of health, and sentiment."""

from collections.abc import Mapping
from datetime import date
from typing import Any, Literal

import strawberry

from hub.judgement import read_sentiment
from schema.context import OverrideRequest, SentimentRequest
from schema.customers.types import Customer
from schema.enums import Band, Role
from schema.errors import BadInputError, MutationError
from schema.loaders import ApiInfo, load_one
from schema.nodes import key_of
from schema.performing import Outcome, answering, perform
from schema.permissions import root
from schema.scores.judgement import SentimentColour

_KEY = "The same key does it once, however often it is sent."
_REASON = strawberry.field(description="What you know that the data does not show. Needed.")


@strawberry.input(description="A score, or a band, in the place of the computed health: one of the two.")
class CustomerOverrideInput:
    customer_id: strawberry.ID
    reason: str = _REASON
    score: float | None = strawberry.field(default=None, description="0 to 1; the band follows from it.")
    band: Band | None = strawberry.field(default=None, description="Stands for the score in its middle.")
    until: date | None = strawberry.field(
        default=None, description="Last day in force, at most 180 days off; 30 days where nothing is said."
    )
    idempotency_key: str | None = strawberry.field(default=None, description=_KEY)


@strawberry.input(description="How a customer feels to you: a mark or a colour, one of the two.")
class SentimentSetInput:
    customer_id: strawberry.ID
    reason: str = _REASON
    mark: int | None = strawberry.field(default=None, description="1 (worst) to 5 (best).")
    colour: SentimentColour | None = None
    until: date | None = strawberry.field(
        default=None, description="Last day it holds, at most 365 days off; 90 days where nothing is said."
    )
    idempotency_key: str | None = strawberry.field(default=None, description=_KEY)


@strawberry.input
class CustomerOverrideWithdrawInput:
    customer_id: strawberry.ID
    idempotency_key: str | None = strawberry.field(default=None, description=_KEY)


@strawberry.input
class SentimentWithdrawInput:
    customer_id: strawberry.ID
    idempotency_key: str | None = strawberry.field(default=None, description=_KEY)


@strawberry.type
class _Payload:
    outcome: strawberry.Private[Outcome]

    @answering
    async def customer(self, info: ApiInfo) -> Customer | None:
        """The customer with its new scorecard; null where nothing was done."""
        key = self.outcome.result.get("customer_id")
        found: Customer | None = await load_one(info, "customer", key) if key is not None else None
        return found

    @answering
    def errors(self) -> list[MutationError]:
        return self.outcome.errors


@strawberry.type
class CustomerOverridePayload(_Payload):
    pass


@strawberry.type
class CustomerOverrideWithdrawPayload(_Payload):
    pass


@strawberry.type
class SentimentSetPayload(_Payload):
    pass


@strawberry.type
class SentimentWithdrawPayload(_Payload):
    pass


def _one_of(first: Any, second: Any, names: str) -> None:
    if (first is None) == (second is None):
        raise BadInputError(f"give one of {names}, and not the other", field=names.split(" ", maxsplit=1)[0])


@strawberry.type
class ScoreMutations:
    @root(
        Role.CSM,
        description="Put a score of your own in the place of the computed health, for a while. It is in force at once.",
    )
    async def customer_override(self, info: ApiInfo, input: CustomerOverrideInput) -> CustomerOverridePayload:  # noqa: A002 - the API's word
        context = info.context

        async def run() -> Mapping[str, Any]:
            stated = input.band if input.band is not None else input.score
            assert stated is not None, "one of the two was given"
            made = await context.actions.override(
                OverrideRequest(
                    customer_id=key,
                    stated=stated,
                    reason=input.reason,
                    by=context.viewer.actor,
                    until=input.until,
                ),
                now=context.now,
            )
            return {"customer_id": made.customer_id, "id": made.id}

        with Outcome.collecting(of="customerId") as outcome:
            _one_of(input.score, input.band, "score or band")
            key = key_of(input.customer_id, "customer", field="customerId")
            request = {
                "customer": key,
                "score": input.score,
                "band": input.band.value if input.band else None,
                "reason": input.reason,
                "until": input.until.isoformat() if input.until else None,
            }
            await perform(
                outcome,
                info,
                "customerOverride",
                subject=key,
                request=request,
                run=run,
                key=input.idempotency_key,
                about={"customer": [key]},
            )
        return CustomerOverridePayload(outcome=outcome)

    @root(Role.CSM, description="End the override in force; the computed score is back at once.")
    async def customer_override_withdraw(
        self,
        info: ApiInfo,
        input: CustomerOverrideWithdrawInput,  # noqa: A002 - the API's word
    ) -> CustomerOverrideWithdrawPayload:
        outcome = await _withdraw(info, "override", input, "customerOverrideWithdraw")
        return CustomerOverrideWithdrawPayload(outcome=outcome)

    @root(Role.CSM, description="State how a customer feels to you. No part of health, unless a definition says so.")
    async def sentiment_set(self, info: ApiInfo, input: SentimentSetInput) -> SentimentSetPayload:  # noqa: A002 - the API's word
        context = info.context

        async def run() -> Mapping[str, Any]:
            request = SentimentRequest(
                customer_id=key, value=value, reason=input.reason, by=context.viewer.actor, until=input.until
            )
            made = await context.actions.feel(request, now=context.now)
            return {"customer_id": made.customer_id, "id": made.id}

        with Outcome.collecting(of="customerId") as outcome:
            _one_of(input.mark, input.colour, "mark or colour")
            key = key_of(input.customer_id, "customer", field="customerId")
            value = read_sentiment(input.colour.value if input.colour is not None else str(input.mark))
            request = {
                "customer": key,
                "value": value,
                "reason": input.reason,
                "until": input.until.isoformat() if input.until else None,
            }
            await perform(
                outcome,
                info,
                "sentimentSet",
                subject=key,
                request=request,
                run=run,
                key=input.idempotency_key,
                about={"customer": [key]},
            )
        return SentimentSetPayload(outcome=outcome)

    @root(Role.CSM, description="End the sentiment in force.")
    async def sentiment_withdraw(self, info: ApiInfo, input: SentimentWithdrawInput) -> SentimentWithdrawPayload:  # noqa: A002 - the API's word
        outcome = await _withdraw(info, "sentiment", input, "sentimentWithdraw")
        return SentimentWithdrawPayload(outcome=outcome)


async def _withdraw(
    info: ApiInfo,
    kind: Literal["override", "sentiment"],
    given: CustomerOverrideWithdrawInput | SentimentWithdrawInput,
    action: str,
) -> Outcome:
    context = info.context

    async def run() -> Mapping[str, Any]:
        await context.actions.withdraw(kind, key, by=context.viewer.actor, now=context.now)
        return {"customer_id": key}

    with Outcome.collecting(of="customerId") as outcome:
        key = key_of(given.customer_id, "customer", field="customerId")
        await perform(
            outcome,
            info,
            action,
            subject=key,
            request={"customer": key},
            run=run,
            key=given.idempotency_key,
            about={"customer": [key]},
        )
    return outcome
