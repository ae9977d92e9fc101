"""Say what became of an opportunity to expand."""

from collections.abc import Mapping
from enum import Enum
from typing import Any

import strawberry

from schema.enums import Role
from schema.errors import MutationError
from schema.lifecycle.expansion import ExpansionOpportunity
from schema.loaders import ApiInfo, load_one
from schema.nodes import key_of
from schema.performing import Outcome, answering, perform
from schema.permissions import root


@strawberry.enum(description="What a person says became of an opportunity.")
class ExpansionStatement(Enum):
    OFFERED = "offered"
    WON = "won"
    LOST = "lost"
    WITHDRAWN = "withdrawn"


@strawberry.input
class ExpansionOpportunityUpdateInput:
    id: strawberry.ID
    state: ExpansionStatement
    reason: str | None = strawberry.field(default=None, description="Needed for lost and withdrawn.")
    amount: float | None = strawberry.field(
        default=None, description="A year's, of what is won; what was forecast where none is given."
    )
    idempotency_key: str | None = None


@strawberry.type
class ExpansionOpportunityUpdatePayload:
    outcome: strawberry.Private[Outcome]

    @answering
    async def opportunity(self, info: ApiInfo) -> ExpansionOpportunity | None:
        """The opportunity as it stands now; null where nothing was changed."""
        if (key := self.outcome.result.get("opportunity_id")) is None:
            return None
        found: ExpansionOpportunity | None = await load_one(info, "expansion_opportunity", key)
        return found

    @answering
    def errors(self) -> list[MutationError]:
        return self.outcome.errors


@strawberry.type
class ExpansionMutations:
    @root(Role.CSM, description="Say that an opportunity is offered, won, lost or withdrawn.")
    async def expansion_opportunity_update(
        self,
        info: ApiInfo,
        input: ExpansionOpportunityUpdateInput,  # noqa: A002 - the API's word
    ) -> ExpansionOpportunityUpdatePayload:
        context = info.context

        async def run() -> Mapping[str, Any]:
            await context.actions.update_opportunity(
                key,
                state=str(input.state.value),
                amount=input.amount,
                reason=input.reason,
                by=context.viewer.actor,
                now=context.now,
            )
            return {"opportunity_id": key}

        with Outcome.collecting(of="id") as outcome:
            key = key_of(input.id, "expansion_opportunity", field="id")
            request = {
                "opportunity": key,
                "state": input.state.value,
                "amount": input.amount,
                "reason": input.reason,
            }
            await perform(
                outcome,
                info,
                "expansionOpportunityUpdate",
                subject=key,
                request=request,
                run=run,
                key=input.idempotency_key,
                about={"expansion_opportunity": [key]},
            )
        return ExpansionOpportunityUpdatePayload(outcome=outcome)
