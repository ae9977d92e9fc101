"""Who a customer is: what each source calls it and why that was believed, and the customers that became part of it."""

from datetime import datetime
from typing import TYPE_CHECKING, Annotated

import strawberry

from hub.store.query import Order
from schema.enums import IdentityState
from schema.fields import column, computed, many, one
from schema.nodes import Node, global_id
from schema.own_words import answered

if TYPE_CHECKING:
    from schema.customers.types import Customer

CustomerRef = Annotated["Customer", strawberry.lazy("schema.customers.types")]


@strawberry.type(description="A customer that a company could be.")
class IdentityCandidate:
    customer_id: strawberry.ID = computed(lambda row: global_id("customer", row["customer_id"]), "customer_id")
    customer: CustomerRef | None = one(
        "customer", key="id", parent="customer_id", unique=True, description="Null where it was merged meanwhile."
    )


@strawberry.type(
    description="Evidence of who a customer is: a company as one source knows it, and what was made of it."
)
class Identity(Node):
    source: str = column()
    key: str = column(description="The source's key of the company; of some sources a person's address.", personal=True)
    name: str | None = column()
    domains: list[str] = computed(lambda row: row["domains"] or [], "domains")
    external_key: str | None = column(description="Another system's key that the source carries.", personal=True)
    parent_key: str | None = column(description="The source's key of the company above it.", personal=True)
    state: IdentityState = column()
    method: str | None = column(
        description="How it was decided: map, external, domain, created, person; merged: it made a customer that is part of "
        "this one now."
    )
    reason: str | None = answered("reason", "Why, in words.")
    decided_at: datetime | None = column()
    decided_by: str | None = column(description="Which of our people decided; null where a rule did.")
    synced_at: datetime = column(description="When it was last pulled with a change.")
    customer: CustomerRef | None = one("customer", key="id", parent="customer_id", unique=True)
    candidates: list[IdentityCandidate] = many(
        "identity_candidate",
        key="evidence_id",
        order=Order("customer_id"),
        expected=3,
        description="Of an ambiguous one: the customers it could be.",
    )


@strawberry.type(description="A customer became part of another. Undone, it stays on record.")
class CustomerMerge(Node):
    at: datetime = column()
    by: str = column()
    reason: str = column(personal=True)
    merged_id: strawberry.ID = computed(lambda row: global_id("customer", row["merged_id"]), "merged_id")
    merged_name: str = column(description="Of the customer that became part of the other.")
    customer: CustomerRef | None = one(
        "customer", key="id", parent="kept_id", unique=True, description="The one it became part of."
    )
    evidence_ids: list[strawberry.ID] = computed(
        lambda row: [global_id("external_id", key) for key in row["evidence"]],
        "evidence",
        description="What the sources called the merged one; undoing the merge gives it back, and its records with it.",
    )
    undone_at: datetime | None = column()
    undone_by: str | None = column()
    undoable: bool = computed(
        lambda row: row["undone_at"] is None and row["merged_into_id"] == row["kept_id"],
        "undone_at",
        "merged_into_id",
        "kept_id",
        description="Whether it can still be undone: it was not yet, and the merged one has not gone on to another.",
    )
