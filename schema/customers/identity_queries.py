"""Queries for the evidence of who customers are, and for merges."""

from typing import Annotated

import strawberry

from hub.store.query import Order, Where
from schema.customers.identity import CustomerMerge, Identity
from schema.enums import IdentityState
from schema.fields import DEFAULT_FIRST
from schema.loaders import ApiInfo, load_page
from schema.narrowing import narrowed, there
from schema.nodes import key_of
from schema.paging import Connection
from schema.permissions import root

Undone = Annotated[
    bool | None, strawberry.argument(description="true: those that were undone; false: those that stand.")
]

Decided = Annotated[
    bool | None, strawberry.argument(description="true: those that one of our people decided; false: all others.")
]

Methods = Annotated[
    list[str] | None, strawberry.argument(description="How it was decided: any of these; see Identity.method.")
]


@strawberry.type
class IdentityQueries:
    @root(
        description="Companies as the sources know them. With `state: [AMBIGUOUS, UNMATCHED]` the queue of those a person is "
        "to decide; they belong to no customer yet, so who sees the customers of one CSM sees none of them."
    )
    async def identities(
        self,
        info: ApiInfo,
        first: int = DEFAULT_FIRST,
        after: str | None = None,
        state: list[IdentityState] | None = None,
        source: str | None = None,
        customer_id: strawberry.ID | None = None,
        decided: Decided = None,
        method: Methods = None,
    ) -> Connection[Identity]:
        where = [
            *narrowed(customer_id=customer_id, state=state, source=source, method=method),
            *there("decided_by", decided),
        ]
        page: Connection[Identity] = await load_page(
            info, "external_id", order=Order("id"), first=first, after=after, where=where
        )
        return page

    @root(description="Customers that became part of others, the newest first.")
    async def customer_merges(
        self,
        info: ApiInfo,
        first: int = DEFAULT_FIRST,
        after: str | None = None,
        customer_id: strawberry.ID | None = None,
        undone: Undone = None,
    ) -> Connection[CustomerMerge]:
        where: list[Where] = []
        if customer_id is not None:
            where.append(Where("kept_id", "eq", key_of(customer_id, "customer", field="customerId")))
        if undone is not None:
            where.append(Where("undone_at", "is_null", not undone))
        page: Connection[CustomerMerge] = await load_page(
            info, "customer_merge", order=Order("at", descending=True), first=first, after=after, where=where
        )
        return page
