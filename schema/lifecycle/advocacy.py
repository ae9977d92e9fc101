"""Invitations to the hub's own survey: who was asked, and what they answered. Where a customer stands is Customer.lifecycle."""

from datetime import datetime
from typing import TYPE_CHECKING, Annotated

import strawberry

from hub.store.query import Order, Where
from schema.fields import DEFAULT_FIRST, column, one
from schema.loaders import ApiInfo, load_page
from schema.nodes import Node, key_of
from schema.paging import Connection
from schema.permissions import root

if TYPE_CHECKING:
    from schema.customers.types import Customer
    from schema.playbooks.types import Delivery

CustomerRef = Annotated["Customer", strawberry.lazy("schema.customers.types")]
DeliveryRef = Annotated["Delivery", strawberry.lazy("schema.playbooks.types")]


@strawberry.type(
    description="A contact asked how likely it would recommend us, and its answer, which is one of the customer's surveys too."
)
class SurveyInvitation(Node):
    address: str = column(personal=True)
    name: str | None = column(personal=True)
    asked_at: datetime = column()
    asked_by: str = column(description="schedule, or who did by hand.")
    expires_at: datetime = column(description="Answers count until then.")
    answered_at: datetime | None = column(description="Null: not yet.")
    score: int | None = column(description="0 to 10.")
    comment: str | None = column(personal=True)
    customer: CustomerRef | None = one("customer", key="id", parent="customer_id", unique=True)
    delivery: DeliveryRef | None = one(
        "delivery", key="id", parent="delivery_id", unique=True, description="What became of the mail."
    )


@strawberry.type
class SurveyQueries:
    @root(description="Invitations to the hub's own survey, newest first.")
    async def survey_invitations(
        self,
        info: ApiInfo,
        first: int = DEFAULT_FIRST,
        after: str | None = None,
        answered: bool | None = None,
        customer_id: strawberry.ID | None = None,
    ) -> Connection[SurveyInvitation]:
        where = []
        if answered is not None:
            where.append(Where("answered_at", "is_null", not answered))
        if customer_id is not None:
            where.append(Where("customer_id", "eq", key_of(customer_id, "customer", field="customerId")))
        order = Order("asked_at", descending=True)
        page: Connection[SurveyInvitation] = await load_page(
            info, "survey_invitation", order=order, first=first, after=after, where=where
        )
        return page
