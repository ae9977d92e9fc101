"""Queries for playbooks, runs, deliveries and events that came in, newest first."""

from dataclasses import replace
from enum import StrEnum
from typing import Annotated, Any

import strawberry

from hub.store.query import Order, Where
from hub.store.stops import ALL
from schema.enums import DeliveryState, Role, RunState
from schema.fields import DEFAULT_FIRST, plain
from schema.grouping import asks
from schema.loaders import ApiInfo, load_page
from schema.nodes import key_of
from schema.paging import Connection
from schema.permissions import root
from schema.personal import PERSONAL
from schema.playbooks.events import HookEvent, HookEventState
from schema.playbooks.steering import stops_of
from schema.playbooks.types import Delivery, Playbook, PlaybookRun


def _where(*, customer_id: str | None, **given: Any) -> tuple[Where, ...]:
    """Tests for what was given: a list is any of its members."""
    found = [
        Where(column, "in" if isinstance(value, list) else "eq", plain(value))
        for column, value in given.items()
        if value is not None
    ]
    if customer_id is not None:
        found.append(Where("customer_id", "eq", key_of(customer_id, "customer", field="customerId")))
    return tuple(found)


@strawberry.enum(description="What a playbook run stands still for; RUN: one it started elsewhere.")
class RunAwaits(StrEnum):
    DATE = "date"
    CONDITION = "condition"
    APPROVAL = "approval"
    DELIVERY = "delivery"
    RUN = "run"


Address = Annotated[str | None, strawberry.argument(description="Where it goes.", directives=[PERSONAL])]


Awaits = Annotated[
    list[RunAwaits] | None,
    strawberry.argument(description="Only runs that wait, for any of these; APPROVAL: for a person's word."),
]


@strawberry.type
class PlaybookQueries:
    @root(description="Playbooks as configured now.")
    async def playbooks(self, info: ApiInfo, name: str | None = None) -> list[Playbook]:
        found: list[Any] = [item for item in info.context.playbooks() if name is None or item.name == name]
        if asks(info, "stopped"):
            stops = {each["playbook"]: each for each in await stops_of(info)}
            found = [replace(item, stopped=stops.get(ALL) or stops.get(item.name)) for item in found]
        return found

    @root(description="Firings of playbooks.")
    async def playbook_runs(
        self,
        info: ApiInfo,
        first: int = DEFAULT_FIRST,
        after: str | None = None,
        playbook: str | None = None,
        state: list[RunState] | None = None,
        customer_id: strawberry.ID | None = None,
        awaits: Awaits = None,
    ) -> Connection[PlaybookRun]:
        where = _where(customer_id=customer_id, playbook=playbook, state=state, awaits=awaits)
        order = Order("started_at", descending=True)
        page: Connection[PlaybookRun] = await load_page(
            info, "playbook_run", order=order, first=first, after=after, where=where
        )
        return page

    @root(description="The delivery ledger: every message that was, or was to be, sent.")
    async def deliveries(
        self,
        info: ApiInfo,
        first: int = DEFAULT_FIRST,
        after: str | None = None,
        state: list[DeliveryState] | None = None,
        channel: str | None = None,
        address: Address = None,
        customer_id: strawberry.ID | None = None,
        run_id: strawberry.ID | None = None,
    ) -> Connection[Delivery]:
        where = _where(customer_id=customer_id, state=state, channel=channel, address=address)
        if run_id is not None:
            where += (Where("run_id", "eq", key_of(run_id, "playbook_run", field="runId")),)
        order = Order("reserved_at", descending=True)
        page: Connection[Delivery] = await load_page(
            info, "delivery", order=order, first=first, after=after, where=where
        )
        return page

    @root(Role.ADMIN, description="Events that came in by webhook, and what playbooks did with them.")
    async def hook_events(
        self,
        info: ApiInfo,
        first: int = DEFAULT_FIRST,
        after: str | None = None,
        hook: str | None = None,
        state: list[HookEventState] | None = None,
        customer_id: strawberry.ID | None = None,
    ) -> Connection[HookEvent]:
        where = _where(customer_id=customer_id, hook=hook, state=state)
        order = Order("received_at", descending=True)
        page: Connection[HookEvent] = await load_page(
            info, "hook_event", order=order, first=first, after=after, where=where
        )
        return page
