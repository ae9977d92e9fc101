"""Merge customers and undo that; decide who a company of a source is."""

from collections.abc import Mapping
from typing import Any

import strawberry

from hub.identity import Merged
from schema.customers.asking import MergeRequest
from schema.customers.identity import CustomerMerge, Identity
from schema.customers.types import Customer
from schema.enums import Role
from schema.errors import BadInputError, MutationError
from schema.fields import key
from schema.loaders import ApiInfo, load_one
from schema.nodes import key_of
from schema.performing import Outcome, answering, perform
from schema.permissions import root

_KEY = "The same key does it once, however often it is sent."
_DRY = "Show what would move, and move nothing."


@strawberry.input(description="Two customers are one: `mergeId` becomes part of `keepId`.")
class CustomerMergeInput:
    keep_id: strawberry.ID
    merge_id: strawberry.ID
    reason: str = strawberry.field(description="How you know. Needed.")
    dry_run: bool = strawberry.field(default=False, description=_DRY)
    idempotency_key: str | None = strawberry.field(default=None, description=_KEY)


@strawberry.input
class CustomerMergeUndoInput:
    id: strawberry.ID = strawberry.field(description="Of the merge.")
    dry_run: bool = strawberry.field(default=False, description=_DRY)
    idempotency_key: str | None = strawberry.field(default=None, description=_KEY)


@strawberry.input(description="Whom a company of a source means: one of `customerId`, `newCustomer` and `nobody`.")
class IdentityDecideInput:
    id: strawberry.ID = strawberry.field(description="Of the identity.")
    customer_id: strawberry.ID | None = None
    new_customer: bool = strawberry.field(default=False, description="One that is not there yet.")
    nobody: bool = strawberry.field(default=False, description="No customer of ours; it is not asked again.")
    idempotency_key: str | None = strawberry.field(default=None, description=_KEY)


@strawberry.input(description="Take back what was decided of a company, and let the rules decide anew.")
class IdentityReopenInput:
    id: strawberry.ID = strawberry.field(description="Of the identity.")
    idempotency_key: str | None = strawberry.field(default=None, description=_KEY)


@strawberry.type(description="How many rows of a kind.")
class MovedRecords:
    kind: str = key()
    count: int = key()


@strawberry.type
class _MergePayload:
    outcome: strawberry.Private[Outcome]

    @answering
    async def merge(self, info: ApiInfo) -> CustomerMerge | None:
        """The merge on record; null of a dry run."""
        if (found := self.outcome.result.get("merge_id")) is None:
            return None
        row: CustomerMerge | None = await load_one(info, "customer_merge", found)
        return row

    @answering
    async def customer(self, info: ApiInfo) -> Customer | None:
        """The one that was kept, as it is now."""
        return await self._customer(info, "kept_id")

    @answering
    async def merged(self, info: ApiInfo) -> Customer | None:
        """The other one as it is now; null while it is part of the first."""
        return await self._customer(info, "merged_id")

    async def _customer(self, info: ApiInfo, name: str) -> Customer | None:
        if (found := self.outcome.result.get(name)) is None:
            return None
        row: Customer | None = await load_one(info, "customer", found)
        return row

    @answering
    def moved(self) -> list[MovedRecords]:
        """What moved, or of a dry run would: evidence, notes, alerts (open ones, and tasks), and records by kind."""
        found: list[Any] = self.outcome.result.get("moved", [])
        return found

    @answering
    def cancelled_runs(self) -> int:
        """Runs of playbooks for the merged customer that were, or would be, cancelled."""
        count: int = self.outcome.result.get("runs", 0)
        return count

    @answering
    def errors(self) -> list[MutationError]:
        return self.outcome.errors


@strawberry.type
class CustomerMergePayload(_MergePayload):
    pass


@strawberry.type
class CustomerMergeUndoPayload(_MergePayload):
    pass


@strawberry.type
class _IdentityPayload:
    outcome: strawberry.Private[Outcome]

    @answering
    async def identity(self, info: ApiInfo) -> Identity | None:
        """The identity as it is now; null where nothing was decided."""
        if (found := self.outcome.result.get("evidence_id")) is None:
            return None
        row: Identity | None = await load_one(info, "external_id", found)
        return row

    @answering
    def errors(self) -> list[MutationError]:
        return self.outcome.errors


@strawberry.type
class IdentityDecidePayload(_IdentityPayload):
    @answering
    def moved_records(self) -> int:
        """Records that have another customer by it."""
        count: int = self.outcome.result.get("moved", 0)
        return count


@strawberry.type
class IdentityReopenPayload(_IdentityPayload):
    pass


@strawberry.type
class IdentityMutations:
    @root(Role.MANAGER, description="Make a customer part of another, with all its records. Can be undone.")
    async def customer_merge(self, info: ApiInfo, input: CustomerMergeInput) -> CustomerMergePayload:  # noqa: A002 - the API's word
        context = info.context

        async def run() -> Mapping[str, Any]:
            request = MergeRequest(
                keep_id=kept,
                merge_id=merged,
                reason=input.reason,
                by=context.viewer.actor,
                dry_run=input.dry_run,
            )
            return _told(await context.actions.merge_customers(request, now=context.now))

        with Outcome.collecting() as outcome:
            kept = key_of(input.keep_id, "customer", field="keepId")
            merged = key_of(input.merge_id, "customer", field="mergeId")
            if kept == merged:
                raise BadInputError("a customer cannot be merged into itself", field="mergeId")
            await perform(
                outcome,
                info,
                "customerMerge",
                subject=kept,
                request={"keep": kept, "merge": merged, "reason": input.reason, "dry_run": input.dry_run},
                run=run,
                key=None if input.dry_run else input.idempotency_key,
                about={"customer": [kept, merged]},
            )
        return CustomerMergePayload(outcome=outcome)

    @root(Role.MANAGER, description="Make two customers of one again. Of a chain of merges, the last one first.")
    async def customer_merge_undo(self, info: ApiInfo, input: CustomerMergeUndoInput) -> CustomerMergeUndoPayload:  # noqa: A002 - the API's word
        context = info.context

        async def run() -> Mapping[str, Any]:
            undone = await context.actions.undo_merge(
                found, by=context.viewer.actor, dry_run=input.dry_run, now=context.now
            )
            return _told(undone)

        with Outcome.collecting(of="id") as outcome:
            found = key_of(input.id, "customer_merge", field="id")
            await perform(
                outcome,
                info,
                "customerMergeUndo",
                subject=found,
                request={"merge": found, "dry_run": input.dry_run},
                run=run,
                key=None if input.dry_run else input.idempotency_key,
                about={"customer_merge": [found]},
            )
        return CustomerMergeUndoPayload(outcome=outcome)

    @root(Role.MANAGER, description="Say whom a company of a source means. Its records move at once.")
    async def identity_decide(self, info: ApiInfo, input: IdentityDecideInput) -> IdentityDecidePayload:  # noqa: A002 - the API's word
        context = info.context

        async def run() -> Mapping[str, Any]:
            moved = await context.actions.decide_identity(
                found, customer, new=input.new_customer, by=context.viewer.actor, now=context.now
            )
            return {"evidence_id": found, "moved": moved}

        with Outcome.collecting() as outcome:
            found = key_of(input.id, "external_id", field="id")
            if (input.customer_id is not None) + input.new_customer + input.nobody != 1:
                raise BadInputError("give one of customerId, newCustomer and nobody", field="customerId")
            customer = None
            if input.customer_id is not None:
                customer = key_of(input.customer_id, "customer", field="customerId")
            await perform(
                outcome,
                info,
                "identityDecide",
                subject=found,
                request={"identity": found, "customer": customer, "new": input.new_customer},
                run=run,
                key=input.idempotency_key,
                about={} if customer is None else {"customer": [customer]},
            )
        return IdentityDecidePayload(outcome=outcome)

    @root(Role.MANAGER, description="Take back what was decided of a company, and let the rules decide anew.")
    async def identity_reopen(self, info: ApiInfo, input: IdentityReopenInput) -> IdentityReopenPayload:  # noqa: A002 - the API's word
        context = info.context

        async def run() -> Mapping[str, Any]:
            await context.actions.reopen_identity(found, now=context.now)
            return {"evidence_id": found}

        with Outcome.collecting(of="id") as outcome:
            found = key_of(input.id, "external_id", field="id")
            await perform(
                outcome,
                info,
                "identityReopen",
                subject=found,
                request={"identity": found},
                run=run,
                key=input.idempotency_key,
            )
        return IdentityReopenPayload(outcome=outcome)


def _told(made: Merged) -> Mapping[str, Any]:
    kinds = {"evidence": made.evidence, "notes": made.notes, "alerts": made.alerts, **made.records}
    return {
        "merge_id": made.merge_id,
        "kept_id": made.kept_id,
        "merged_id": made.merged_id,
        "moved": [{"kind": kind, "count": count} for kind, count in kinds.items()],
        "runs": made.runs,
    }
