"""How many alerts, runs, messages and tickets there are of each kind."""

from collections.abc import Sequence
from enum import Enum
from typing import Any

import strawberry

from hub.store.groups import group_records
from hub.store.query import Where
from schema.customers.record_filters import TicketFilter
from schema.enums import AlertState, DeliveryState, RunState, TicketStatus
from schema.grouping import RecordGroup, checked_groups, record_groups
from schema.loaders import ApiInfo
from schema.narrowing import narrowed
from schema.permissions import root
from schema.playbooks.alerts import AlertFilter


@strawberry.enum(description="What alerts can have in common; OWNER: the address of who is to act.")
class AlertGroupBy(Enum):
    STATE = "state"
    SEVERITY = "severity"
    OWNER = "owner_email"
    PLAYBOOK = "playbook"
    KIND = "kind"
    OUTCOME = "outcome"


@strawberry.enum(description="What firings can have in common.")
class PlaybookRunGroupBy(Enum):
    STATE = "state"
    PLAYBOOK = "playbook"
    CAUSE = "cause"


@strawberry.enum(description="What messages can have in common.")
class DeliveryGroupBy(Enum):
    STATE = "state"
    CHANNEL = "channel"
    AUDIENCE = "audience"


@strawberry.enum(description="What tickets can have in common.")
class TicketGroupBy(Enum):
    STATUS = "status"
    SEVERITY = "severity"
    SOURCE = "source"


@strawberry.type
class RecordGroupQueries:
    @root(description="Alerts by what they have in common, the most first.")
    async def alert_groups(
        self,
        info: ApiInfo,
        by: list[AlertGroupBy],
        state: list[AlertState] | None = None,
        owner_email: str | None = None,
        customer_id: strawberry.ID | None = None,
        first: int = 100,
        filter: AlertFilter | None = None,  # noqa: A002 - the API's word
    ) -> list[RecordGroup]:
        where = narrowed(customer_id=customer_id, state=state, owner_email=owner_email)
        return await _groups(info, "alert", by, first, where + (filter.tests(info.context) if filter else []))

    @root(description="Firings of playbooks by what they have in common, the most first.")
    async def playbook_run_groups(
        self,
        info: ApiInfo,
        by: list[PlaybookRunGroupBy],
        state: list[RunState] | None = None,
        playbook: str | None = None,
        first: int = 100,
        customer_id: strawberry.ID | None = None,
    ) -> list[RecordGroup]:
        where = narrowed(customer_id=customer_id, state=state, playbook=playbook)
        return await _groups(info, "playbook_run", by, first, where)

    @root(description="Messages by what they have in common, the most first.")
    async def delivery_groups(
        self,
        info: ApiInfo,
        by: list[DeliveryGroupBy],
        state: list[DeliveryState] | None = None,
        channel: str | None = None,
        first: int = 100,
    ) -> list[RecordGroup]:
        return await _groups(info, "delivery", by, first, narrowed(state=state, channel=channel))

    @root(description="Tickets by what they have in common, the most first.")
    async def ticket_groups(
        self,
        info: ApiInfo,
        by: list[TicketGroupBy],
        status: list[TicketStatus] | None = None,
        customer_id: strawberry.ID | None = None,
        first: int = 100,
        filter: TicketFilter | None = None,  # noqa: A002 - the API's word
    ) -> list[RecordGroup]:
        where = narrowed(customer_id=customer_id, status=status)
        return await _groups(info, "ticket", by, first, where + (filter.tests() if filter else []))


async def _groups(info: ApiInfo, entity: str, by: Any, first: int, where: Sequence[Where]) -> list[RecordGroup]:
    checked_groups(by, first)
    async with info.context.store.reading() as connection:
        found = await group_records(
            connection,
            entity,
            [each.value for each in by],
            where=where,
            book=info.context.viewer.book,
        )
    return record_groups(by, found, first)
