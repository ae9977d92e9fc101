"""Send messages of the delivery ledger once more, on a person's word."""

from collections.abc import Mapping
from typing import Any

import strawberry

from schema.enums import Role
from schema.errors import MutationError
from schema.fields import computed, key
from schema.loaders import ApiInfo, load_by_id
from schema.nodes import global_id, keys_of
from schema.performing import Outcome, answering, perform
from schema.permissions import root
from schema.playbooks.types import Delivery

MOST_RESENT = 1_000


@strawberry.input(
    description="Send failed or unknown messages once more, all or none. The same idempotencyKey sends once."
)
class DeliveryResendInput:
    ids: list[strawberry.ID]
    idempotency_key: str
    dry_run: bool = strawberry.field(default=False, description="Say what may be doubled, and send nothing.")


@strawberry.type(description="A message that is sent once more, and what that may double.")
class DeliveryRisk:
    delivery_id: strawberry.ID = computed(lambda row: global_id("delivery", row["delivery_id"]))
    risk: str = key(description="What may be doubled, in words.")


@strawberry.type
class DeliveryResendPayload:
    outcome: strawberry.Private[Outcome]

    @answering
    async def deliveries(self, info: ApiInfo) -> list[Delivery]:
        """The messages as they stand now; of a dry run, as they are."""
        ids = [item["delivery_id"] for item in self.outcome.result.get("resent", [])]
        found: list[Delivery] = await load_by_id(info, "delivery", ids)
        return found

    @answering
    def risks(self) -> list[DeliveryRisk]:
        """What may be doubled, message by message."""
        found: list[Any] = self.outcome.result.get("resent", [])
        return found

    @answering
    def errors(self) -> list[MutationError]:
        return self.outcome.errors


@strawberry.type
class DeliveryMutations:
    @root(Role.CSM, description="Send failed or unknown messages once more, knowing what that may double.")
    async def delivery_resend(self, info: ApiInfo, input: DeliveryResendInput) -> DeliveryResendPayload:  # noqa: A002 - the API's word
        context = info.context

        async def run() -> Mapping[str, Any]:
            resent = await context.actions.resend(keys, by=context.viewer.actor, dry_run=input.dry_run)
            return {"resent": [{"delivery_id": each.delivery_id, "risk": each.risk} for each in resent]}

        with Outcome.collecting(of="ids") as outcome:
            keys = keys_of(input.ids, "delivery", field="ids", most=MOST_RESENT)
            await perform(
                outcome,
                info,
                "deliveryResend",
                subject=keys[0] if len(keys) == 1 else f"{len(keys)} messages",
                request={"deliveries": list(keys), "dry_run": input.dry_run},
                run=run,
                about={"delivery": keys},
                # a dry run does nothing that could be done twice, and must not use up the key of the real one
                key=None if input.dry_run else input.idempotency_key,
            )
        return DeliveryResendPayload(outcome=outcome)
