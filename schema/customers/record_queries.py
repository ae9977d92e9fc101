"""Lists of what the sources say, over all customers one may see: contacts, tickets, answers, terms, invoices, deals."""

from typing import Annotated, Any

import strawberry

from hub.store.query import Order
from schema.customers.record_filters import (
    ContactFilter,
    InvoiceFilter,
    OpportunityFilter,
    SubscriptionFilter,
    SurveyFilter,
    TicketFilter,
)
from schema.customers.records import Contact, Invoice, Opportunity, Subscription, SurveyResponse, Ticket
from schema.enums import Direction
from schema.fields import DEFAULT_FIRST, FIRST_IS
from schema.loaders import ApiInfo, load_page
from schema.paging import Connection
from schema.permissions import root

First = Annotated[int, strawberry.argument(description=f"{FIRST_IS}.")]
After = Annotated[str | None, strawberry.argument(description="A cursor.")]
Way = Annotated[Direction, strawberry.argument(description="DESC: the newest first.")]


async def _records(
    info: ApiInfo, entity: str, by: str, *, first: int, after: str | None, given: Any, direction: Direction
) -> Any:
    return await load_page(
        info,
        entity,
        order=Order(by, descending=direction is Direction.DESC),
        first=first,
        after=after,
        where=given.tests() if given is not None else (),
    )


@strawberry.type
class RecordQueries:
    @root(description="People at customers, those last pulled with a change first.")
    async def contacts(
        self,
        info: ApiInfo,
        first: First = DEFAULT_FIRST,
        after: After = None,
        filter: ContactFilter | None = None,  # noqa: A002 - the API's word
        direction: Way = Direction.DESC,
    ) -> Connection[Contact]:
        page: Connection[Contact] = await _records(
            info, "contact", "synced_at", first=first, after=after, given=filter, direction=direction
        )
        return page

    @root(description="Tickets, by when they were created.")
    async def tickets(
        self,
        info: ApiInfo,
        first: First = DEFAULT_FIRST,
        after: After = None,
        filter: TicketFilter | None = None,  # noqa: A002 - the API's word
        direction: Way = Direction.DESC,
    ) -> Connection[Ticket]:
        page: Connection[Ticket] = await _records(
            info, "ticket", "created_at", first=first, after=after, given=filter, direction=direction
        )
        return page

    @root(description="Answers to surveys, by when they were given.")
    async def survey_responses(
        self,
        info: ApiInfo,
        first: First = DEFAULT_FIRST,
        after: After = None,
        filter: SurveyFilter | None = None,  # noqa: A002 - the API's word
        direction: Way = Direction.DESC,
    ) -> Connection[SurveyResponse]:
        page: Connection[SurveyResponse] = await _records(
            info, "survey_response", "responded_at", first=first, after=after, given=filter, direction=direction
        )
        return page

    @root(description="Terms of subscriptions, by the day they begin.")
    async def subscriptions(
        self,
        info: ApiInfo,
        first: First = DEFAULT_FIRST,
        after: After = None,
        filter: SubscriptionFilter | None = None,  # noqa: A002 - the API's word
        direction: Way = Direction.DESC,
    ) -> Connection[Subscription]:
        page: Connection[Subscription] = await _records(
            info, "subscription", "started_on", first=first, after=after, given=filter, direction=direction
        )
        return page

    @root(description="Invoices, by the day they were issued.")
    async def invoices(
        self,
        info: ApiInfo,
        first: First = DEFAULT_FIRST,
        after: After = None,
        filter: InvoiceFilter | None = None,  # noqa: A002 - the API's word
        direction: Way = Direction.DESC,
    ) -> Connection[Invoice]:
        page: Connection[Invoice] = await _records(
            info, "invoice", "issued_on", first=first, after=after, given=filter, direction=direction
        )
        return page

    @root(description="Deals of the CRM, by the day they are, or were, to be closed; those without one come last.")
    async def opportunities(
        self,
        info: ApiInfo,
        first: First = DEFAULT_FIRST,
        after: After = None,
        filter: OpportunityFilter | None = None,  # noqa: A002 - the API's word
        direction: Way = Direction.DESC,
    ) -> Connection[Opportunity]:
        page: Connection[Opportunity] = await _records(
            info, "opportunity", "close_on", first=first, after=after, given=filter, direction=direction
        )
        return page
