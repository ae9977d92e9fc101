"""What is before people, what is kept from them, snoozes in force, and the precision of playbooks."""

from typing import Any

import strawberry

from schema.attention.types import AttentionDigest, InboxEntry, PlaybookPrecision, Snooze, Withheld
from schema.errors import BadInputError
from schema.fields import DEFAULT_FIRST, FIRST_IS, LARGEST_FIRST
from schema.loaders import ApiInfo
from schema.nodes import key_of
from schema.permissions import root

MOST_DAYS = 730


def _checked(first: int) -> int:
    if not 1 <= first <= LARGEST_FIRST:
        raise BadInputError(f"first must be {FIRST_IS}, not {first}", field="first")
    return first


@strawberry.type
class AttentionQueries:
    @root(description="Open alerts and tasks, urgent ones first, then by churn risk times a year's revenue.")
    async def inbox(
        self, info: ApiInfo, owner_email: str | None = None, first: int = DEFAULT_FIRST
    ) -> list[InboxEntry]:
        found: list[Any] = [
            *await info.context.actions.inbox(owner_email, limit=_checked(first), book=info.context.viewer.book)
        ]
        return found

    @root(
        description="Messages that are held or were not sent for people's attention, and calls not opened; newest first."
    )
    async def withheld(
        self, info: ApiInfo, owner_email: str | None = None, first: int = DEFAULT_FIRST
    ) -> list[Withheld]:
        found: list[Any] = [
            *await info.context.actions.withheld(owner_email, limit=_checked(first), book=info.context.viewer.book)
        ]
        return found

    @root(description="Snoozes in force, newest first.")
    async def snoozes(self, info: ApiInfo, customer_id: strawberry.ID | None = None) -> list[Snooze]:
        ids = None if customer_id is None else [key_of(customer_id, "customer", field="customerId")]
        found: list[Any] = [*await info.context.actions.snoozes(customer_ids=ids, book=info.context.viewer.book)]
        return found

    @root(whole=True, description="How much of what each playbook said in so many days was of use.")
    async def playbook_precision(self, info: ApiInfo, days: int = 90) -> list[PlaybookPrecision]:
        if not 1 <= days <= MOST_DAYS:
            raise BadInputError(f"days must be 1 to {MOST_DAYS}, not {days}", field="days")
        found: list[Any] = [*await info.context.actions.precision(days=days)]
        return found

    @root(description="What a CSM's digest would be now; null where nothing is held for it.")
    async def attention_digest(self, info: ApiInfo, owner_email: str) -> AttentionDigest | None:
        found: Any = await info.context.actions.digest(owner_email, book=info.context.viewer.book)
        return found  # type: ignore[no-any-return]  # a digest, of which the type reads its fields
