"""Queries for customers, and for anything by its id."""

import strawberry

from schema.customers.order import CustomerOrder, order_of
from schema.customers.types import Customer
from schema.fields import DEFAULT_FIRST, FIRST_IS
from schema.filters import CustomerFilter, chosen
from schema.loaders import ApiInfo, load_one, load_page
from schema.nodes import Node, key_of, parse_id
from schema.paging import Connection
from schema.permissions import root


@strawberry.type
class CustomerQueries:
    @root(description=f"Customers, chosen and ordered; `first` is {FIRST_IS}.")
    async def customers(
        self,
        info: ApiInfo,
        first: int = DEFAULT_FIRST,
        after: str | None = None,
        filter: CustomerFilter | None = None,  # type: ignore[valid-type]  # noqa: A002 - made of the catalogue; the API's word
        order_by: CustomerOrder | None = None,
    ) -> Connection[Customer]:
        page: Connection[Customer] = await load_page(
            info, "customer", order=order_of(order_by), first=first, after=after, condition=await chosen(info, filter)
        )
        return page

    @root(description="One customer; null where there is none with this id.")
    async def customer(self, info: ApiInfo, id: strawberry.ID) -> Customer | None:  # noqa: A002 - the API's word
        found: Customer | None = await load_one(info, "customer", key_of(id, "customer", field="id"))
        return found

    @root(description="Anything by its id.")
    async def node(self, info: ApiInfo, id: strawberry.ID) -> Node | None:  # noqa: A002 - the API's word
        entity, key = parse_id(id)
        found: Node | None = await load_one(info, entity, key)
        return found
