"""Alerts and tasks as an inbox: chosen by state, severity, owner and due day, in order of priority."""

from datetime import date, timedelta
from typing import Annotated

import strawberry

from hub.store.query import Order, Where
from schema.context import Context
from schema.enums import AlertKind, AlertOrder, AlertState, Severity
from schema.fields import DEFAULT_FIRST
from schema.loaders import ApiInfo, load_page
from schema.narrowing import between, narrowed, there
from schema.nodes import key_of
from schema.paging import Connection
from schema.permissions import root
from schema.playbooks.types import Alert

_ORDERS = {
    AlertOrder.OPENED_AT: Order("opened_at", descending=True),
    AlertOrder.UPDATED_AT: Order("updated_at", descending=True),
    AlertOrder.DUE_ON: Order("due_on"),
    AlertOrder.PRIORITY: Order("priority", descending=True),
}
_NOT_CLOSED = [AlertState.OPEN.value, AlertState.IN_PROGRESS.value]


@strawberry.input(description="Chooses alerts and tasks; everything given must hold.")
class AlertFilter:
    kind: AlertKind | None = None
    severity: list[Severity] | None = strawberry.field(default=None, description="Any of them.")
    reason_key: list[str] | None = strawberry.field(default=None, description="What it speaks about; any of them.")
    owned: bool | None = strawberry.field(default=None, description="Whether it has an owner.")
    due_from: date | None = strawberry.field(default=None, description="First day.")
    due_to: date | None = strawberry.field(default=None, description="Last day.")
    overdue: bool | None = strawberry.field(
        default=None, description="true: not closed, and due before today; false: due today or later, or on no day."
    )
    snoozed: bool | None = strawberry.field(default=None, description="Whether it is snoozed now.")
    run_id: strawberry.ID | None = strawberry.field(default=None, description="Of one firing of a playbook.")

    def _run(self) -> str | None:
        return None if self.run_id is None else key_of(self.run_id, "playbook_run", field="filter.runId")

    def tests(self, context: Context) -> list[Where]:
        today = context.now.date()
        found = [
            *narrowed(kind=self.kind, severity=self.severity, reason_key=self.reason_key, run_id=self._run()),
            *there("owner_email", self.owned),
            *between("due_on", self.due_from, self.due_to),
        ]
        if self.overdue is True:
            found += [Where("due_on", "le", today - timedelta(days=1)), Where("state", "in", _NOT_CLOSED)]
        elif self.overdue is False:
            found.append(Where("due_on", "after_or_null", today - timedelta(days=1)))
        if self.snoozed is True:
            found.append(Where("snoozed_until", "ge", context.now))
        elif self.snoozed is False:
            found.append(Where("snoozed_until", "le_or_null", context.now))
        return found


By = Annotated[
    AlertOrder,
    strawberry.argument(
        description="PRIORITY: the most severe first, then by churn risk times a year's revenue; DUE_ON: those due first; "
        "otherwise the newest first."
    ),
]


@strawberry.type
class AlertQueries:
    @root(description="Calls for human action, alerts and tasks.")
    async def alerts(
        self,
        info: ApiInfo,
        first: int = DEFAULT_FIRST,
        after: str | None = None,
        state: list[AlertState] | None = None,
        owner_email: str | None = None,
        customer_id: strawberry.ID | None = None,
        filter: AlertFilter | None = None,  # noqa: A002 - the API's word
        order_by: By = AlertOrder.OPENED_AT,
    ) -> Connection[Alert]:
        where = narrowed(customer_id=customer_id, state=state, owner_email=owner_email)
        if filter is not None:
            where += filter.tests(info.context)
        page: Connection[Alert] = await load_page(
            info, "alert", order=_ORDERS[order_by], first=first, after=after, where=where
        )
        return page
