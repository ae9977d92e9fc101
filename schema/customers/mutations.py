"""Mutations of customers."""

from collections.abc import Mapping
from typing import Any

import strawberry

from schema.customers.types import Customer
from schema.enums import Role
from schema.errors import MutationError
from schema.loaders import ApiInfo, load_by_id
from schema.nodes import keys_of
from schema.performing import Outcome, answering, perform
from schema.permissions import root

MOST_RESCORED = 1_000


@strawberry.input
class CustomerRescoreInput:
    customer_ids: list[strawberry.ID]
    idempotency_key: str | None = None


@strawberry.type
class CustomerRescorePayload:
    outcome: strawberry.Private[Outcome]

    @answering
    async def customers(self, info: ApiInfo) -> list[Customer]:
        """The customers with their new scorecards."""
        found: list[Customer] = await load_by_id(info, "customer", self.outcome.result.get("customer_ids", []))
        return found

    @answering
    def errors(self) -> list[MutationError]:
        return self.outcome.errors


@strawberry.type
class CustomerMutations:
    @root(Role.CSM, description="Compute the scorecards of some customers anew, from the facts of today.")
    async def customer_rescore(self, info: ApiInfo, input: CustomerRescoreInput) -> CustomerRescorePayload:  # noqa: A002 - the API's word
        context = info.context

        async def run() -> Mapping[str, Any]:
            rescored = await context.actions.rescore(keys, by=context.viewer.actor, now=context.now)
            return {"customer_ids": list(rescored.customer_ids), "as_of": rescored.as_of.isoformat()}

        with Outcome.collecting(of="customerIds") as outcome:
            keys = keys_of(input.customer_ids, "customer", field="customerIds", most=MOST_RESCORED)
            await perform(
                outcome,
                info,
                "customerRescore",
                subject=f"{len(keys)} customers",
                request={"customers": list(keys)},
                run=run,
                key=input.idempotency_key,
                about={"customer": keys},
            )
        return CustomerRescorePayload(outcome=outcome)
