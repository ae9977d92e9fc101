"""Say what became of a renewal, where the sources do not tell."""

from collections.abc import Mapping
from enum import Enum
from typing import Any

import strawberry

from schema.enums import Role
from schema.errors import BadInputError, MutationError
from schema.lifecycle.renewals import Renewal
from schema.loaders import ApiInfo, load_one
from schema.nodes import key_of
from schema.performing import Outcome, answering, perform
from schema.permissions import root


@strawberry.enum(description="What a person says a renewal came to; BY_RECORDS takes back what was said before.")
class RenewalStatement(Enum):
    RENEWED = "renewed"
    CHURNED = "churned"
    BY_RECORDS = "by_records"


@strawberry.input(description="A person's word outweighs the records and never overwrites them.")
class RenewalUpdateInput:
    id: strawberry.ID
    status: RenewalStatement
    reason: str | None = strawberry.field(default=None, description="Needed for renewed and churned.")
    amount: float | None = strawberry.field(
        default=None, description="A year's, of what is renewed; what was due where none is given."
    )
    idempotency_key: str | None = None


@strawberry.type
class RenewalUpdatePayload:
    outcome: strawberry.Private[Outcome]

    @answering
    async def renewal(self, info: ApiInfo) -> Renewal | None:
        """The renewal as it stands now; null where nothing was changed."""
        if (key := self.outcome.result.get("renewal_id")) is None:
            return None
        found: Renewal | None = await load_one(info, "renewal", key)
        return found

    @answering
    def errors(self) -> list[MutationError]:
        return self.outcome.errors


@strawberry.type
class RenewalMutations:
    @root(Role.CSM, description="Say that a renewal is renewed or churned, or take that back.")
    async def renewal_update(self, info: ApiInfo, input: RenewalUpdateInput) -> RenewalUpdatePayload:  # noqa: A002 - the API's word
        context = info.context
        status = None if input.status is RenewalStatement.BY_RECORDS else str(input.status.value)

        async def run() -> Mapping[str, Any]:
            await context.actions.update_renewal(
                key,
                status=status,
                amount=input.amount,
                reason=input.reason or "",
                by=context.viewer.actor,
                now=context.now,
            )
            return {"renewal_id": key}

        with Outcome.collecting(of="id") as outcome:
            key = key_of(input.id, "renewal", field="id")
            if status is None and (input.amount is not None or input.reason is not None):
                raise BadInputError("what was said is taken back without amount and reason", field="status")
            request = {"renewal": key, "status": status, "amount": input.amount, "reason": input.reason}
            await perform(
                outcome,
                info,
                "renewalUpdate",
                subject=key,
                request=request,
                run=run,
                key=input.idempotency_key,
                about={"renewal": [key]},
            )
        return RenewalUpdatePayload(outcome=outcome)
