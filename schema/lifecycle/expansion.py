"""Opportunities to expand: what rules found about customers, with the numbers they rest on."""

from datetime import date, datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any

import strawberry
from strawberry.scalars import JSON

from hub.store.query import Order, Where
from schema.fields import DEFAULT_FIRST, column, computed, one, plain
from schema.loaders import ApiInfo, load_page
from schema.nodes import Node, key_of
from schema.paging import Connection
from schema.permissions import root

if TYPE_CHECKING:
    from schema.customers.types import Customer

CustomerRef = Annotated["Customer", strawberry.lazy("schema.customers.types")]


@strawberry.enum
class ExpansionKind(StrEnum):
    PLAN_UPGRADE = "plan_upgrade"
    ADD_ON = "add_on"
    SEATS = "seats"


@strawberry.enum(description="OPEN and OFFERED are live.")
class ExpansionState(StrEnum):
    OPEN = "open"
    OFFERED = "offered"
    WON = "won"
    LOST = "lost"
    WITHDRAWN = "withdrawn"


@strawberry.type(description="A fact an opportunity rests on, as it was when its condition last held.")
class ExpansionEvidence:
    fact: str = computed(lambda pair: pair[0])
    value: JSON | None = computed(lambda pair: pair[1], description="A number or a text; null where it was unknown.")


def _evidence(row: Any) -> list[tuple[str, Any]]:
    return list(row["evidence"].items())


@strawberry.type(description="Something a customer has outgrown, and what it would bring. Amounts are a year's.")
class ExpansionOpportunity(Node):
    rule: str = column(description="Of config/lifecycle.yaml.")
    kind: ExpansionKind = column()
    title: str = column()
    state: ExpansionState = column()
    found_on: date = column()
    missed_since: date | None = column(
        description="Since when its condition does not hold, or something stands against it."
    )
    blocked: str | None = column(description="What stands against offering it, by its name in config/lifecycle.yaml.")
    evidence: list[ExpansionEvidence] = computed(_evidence, "evidence")
    seats: float | None = column(description="To be added, where it is about seats.")
    value: float = column(description="What winning it brings.")
    probability: float = column(description="0 to 1.")
    expected: float = column(description="value times probability.")
    won_amount: float | None = column()
    reason: str | None = column(description="Why it is no longer open.", personal=True)
    decided_by: str | None = column(description="Who said so; null where the records did.")
    closed_on: date | None = column()
    updated_at: datetime = column()
    customer: CustomerRef | None = one("customer", key="id", parent="customer_id", unique=True)


@strawberry.type
class ExpansionQueries:
    @root(description="Opportunities to expand, those that are expected to bring most first.")
    async def expansion_opportunities(
        self,
        info: ApiInfo,
        first: int = DEFAULT_FIRST,
        after: str | None = None,
        state: list[ExpansionState] | None = None,
        kind: list[ExpansionKind] | None = None,
        customer_id: strawberry.ID | None = None,
    ) -> Connection[ExpansionOpportunity]:
        where = [
            Where(name, "in", plain(given)) for name, given in (("state", state), ("kind", kind)) if given is not None
        ]
        if customer_id is not None:
            where.append(Where("customer_id", "eq", key_of(customer_id, "customer", field="customerId")))
        order = Order("expected", descending=True)
        page: Connection[ExpansionOpportunity] = await load_page(
            info, "expansion_opportunity", order=order, first=first, after=after, where=where
        )
        return page
