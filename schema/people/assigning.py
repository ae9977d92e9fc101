"""Give customers to a CSM, and back to what the source says."""

from collections.abc import Mapping, Sequence
from typing import Any

import strawberry

from hub.people import Assigned
from schema.customers.types import Customer
from schema.enums import Role
from schema.errors import MutationError
from schema.fields import computed, key
from schema.loaders import ApiInfo, load_by_id
from schema.nodes import global_id, keys_of
from schema.people.asking import AssignRequest
from schema.performing import Outcome, answering, perform
from schema.permissions import root

MOST = 1_000
_KEY = "The same key does it once, however often it is sent."
_DRY = "Show what would change, and change nothing."


@strawberry.input(description="Whose customers are, by your own word. It goes before the source's, and syncs leave it.")
class CustomerAssignInput:
    customer_ids: list[strawberry.ID] = strawberry.field(description="1 to 1,000: all of them or none.")
    csm_email: str | None = strawberry.field(description="Null makes them nobody's.")
    reason: str | None = None
    dry_run: bool = strawberry.field(default=False, description=_DRY)
    idempotency_key: str | None = strawberry.field(default=None, description=_KEY)


@strawberry.input
class CustomerUnassignInput:
    customer_ids: list[strawberry.ID] = strawberry.field(description="1 to 1,000: all of them or none.")
    dry_run: bool = strawberry.field(default=False, description=_DRY)
    idempotency_key: str | None = strawberry.field(default=None, description=_KEY)


@strawberry.type(description="What an assignment changed for one customer, or would.")
class CsmChange:
    customer_id: strawberry.ID = computed(lambda row: global_id("customer", row["customer_id"]))
    name: str = key(description="The customer's.")
    before: str | None = key(description="The CSM's address; null: nobody's.")
    after: str | None = key()
    changed: bool = key(description="false where it was so already.")


@strawberry.type
class _AssignPayload:
    outcome: strawberry.Private[Outcome]

    @answering
    def changes(self) -> list[CsmChange]:
        """What changed, or of a dry run would; a customer each."""
        found: list[Any] = self.outcome.result.get("changes", [])
        return found

    @answering
    async def customers(self, info: ApiInfo) -> list[Customer]:
        """The customers as they are now."""
        ids = [each["customer_id"] for each in self.outcome.result.get("changes", [])]
        found: list[Customer] = await load_by_id(info, "customer", ids)
        return found

    @answering
    def errors(self) -> list[MutationError]:
        return self.outcome.errors


@strawberry.type
class CustomerAssignPayload(_AssignPayload):
    pass


@strawberry.type
class CustomerUnassignPayload(_AssignPayload):
    pass


@strawberry.type
class AssignmentMutations:
    @root(Role.MANAGER, description="Make customers those of a CSM at once, with what is open for the former one.")
    async def customer_assign(self, info: ApiInfo, input: CustomerAssignInput) -> CustomerAssignPayload:  # noqa: A002 - the API's word
        context = info.context

        async def run() -> Mapping[str, Any]:
            request = AssignRequest(
                customer_ids=keys,
                csm_email=input.csm_email,
                reason=input.reason,
                by=context.viewer.actor,
                dry_run=input.dry_run,
            )
            return {"changes": _plain(await context.actions.assign(request, now=context.now))}

        with Outcome.collecting(of="customerIds") as outcome:
            keys = keys_of(input.customer_ids, "customer", field="customerIds", most=MOST)
            await perform(
                outcome,
                info,
                "customerAssign",
                subject=f"{len(keys)} customers",
                request={
                    "customers": list(keys),
                    "csm": input.csm_email,
                    "reason": input.reason,
                    "dry_run": input.dry_run,
                },
                run=run,
                key=None if input.dry_run else input.idempotency_key,
                about={"customer": keys},
            )
        return CustomerAssignPayload(outcome=outcome)

    @root(Role.MANAGER, description="Let customers be whose the source says again.")
    async def customer_unassign(self, info: ApiInfo, input: CustomerUnassignInput) -> CustomerUnassignPayload:  # noqa: A002 - the API's word
        context = info.context

        async def run() -> Mapping[str, Any]:
            told = await context.actions.unassign(keys, by=context.viewer.actor, dry_run=input.dry_run, now=context.now)
            return {"changes": _plain(told)}

        with Outcome.collecting(of="customerIds") as outcome:
            keys = keys_of(input.customer_ids, "customer", field="customerIds", most=MOST)
            await perform(
                outcome,
                info,
                "customerUnassign",
                subject=f"{len(keys)} customers",
                request={"customers": list(keys), "dry_run": input.dry_run},
                run=run,
                key=None if input.dry_run else input.idempotency_key,
                about={"customer": keys},
            )
        return CustomerUnassignPayload(outcome=outcome)


def _plain(told: Sequence[Assigned]) -> list[dict[str, Any]]:
    return [{name: getattr(each, name) for name in Assigned.__dataclass_fields__} for each in told]
