"""The root fields of subscriptions, and what a query gives for their `after`.

A root field is resolved once when a subscription is opened, to say what it wants, and then for each event that is told, which
is the root value by then. It never reads anything itself.
"""

from typing import Annotated, Any, TypeVar, cast

import strawberry

from hub.events import find_place
from hub.store.query import Row
from schema.enums import Band, Severity
from schema.errors import BadInputError
from schema.loaders import ApiInfo
from schema.nodes import key_of
from schema.permissions import root
from schema.selection import wanted
from schema.subscriptions.choosing import Wish, texts
from schema.subscriptions.cursors import event_cursor, event_number
from schema.subscriptions.types import (
    AlertChanged,
    AlertEvent,
    BandChanged,
    BandEvent,
    PlaybookRunUpdated,
    RunEvent,
    SyncEvent,
    SyncProgress,
)

T = TypeVar("T")
MOST = 100

After = Annotated[
    str | None,
    strawberry.argument(
        description="A cursor: go on behind it, with all that happened since. Null: what happens from now on."
    ),
]
OfCustomer = Annotated[strawberry.ID | None, strawberry.argument(description="Only of this customer.")]


class Opening:
    """The root value while a subscription is opened: takes what it wants."""

    def __init__(self) -> None:
        self.wish: Wish | None = None


def _told(
    info: ApiInfo,
    type_: type[T],
    kind: str,
    after: str | None,
    *,
    customer_id: str | None = None,
    changes: list[Any] | None = None,
    **data: list[Any] | None,
) -> T:
    """The event that is told; while the subscription is opened, nothing."""
    value = info.root_value
    if isinstance(value, Opening):
        for name, given in {"change": changes, **data}.items():
            if given is not None and not 1 <= len(given) <= MOST:
                raise BadInputError(f"{name} must be 1 to {MOST} values, or null for all", field=name)
        value.wish = Wish(
            kind=kind,
            entity=f"{kind}_event",
            plan=wanted(info).plan,
            after=None if after is None else event_number(after),
            customer_id=None if customer_id is None else key_of(customer_id, "customer", field="customerId"),
            changes=texts(changes),
            data={name: texts(given) for name, given in data.items() if given is not None},
        )
    return cast("T", value if isinstance(value, Row) else None)


@strawberry.type(
    description="What happens, as it happens: over a WebSocket (graphql-transport-ws), or as server-sent events."
)
class Live:
    @root(description="Alerts and tasks, as they are opened, changed and closed.")
    def alert_changed(
        self,
        info: ApiInfo,
        customer_id: OfCustomer = None,
        severity: list[Severity] | None = None,
        change: list[AlertEvent] | None = None,
        after: After = None,
    ) -> AlertChanged:
        return _told(
            info, AlertChanged, "alert", after, customer_id=customer_id, changes=change, severity=cast("Any", severity)
        )

    @root(description="Bands of health, as scorings change them.")
    def band_changed(
        self,
        info: ApiInfo,
        customer_id: OfCustomer = None,
        band: Annotated[
            list[Band] | None, strawberry.argument(description="Only where it is one of these now.")
        ] = None,
        change: list[BandEvent] | None = None,
        after: After = None,
    ) -> BandChanged:
        return _told(info, BandChanged, "band", after, customer_id=customer_id, changes=change, band=cast("Any", band))

    @root(description="Syncs of sources, as they go.")
    def sync_progress(
        self,
        info: ApiInfo,
        source: Annotated[str | None, strawberry.argument(description="Only of this one.")] = None,
        change: list[SyncEvent] | None = None,
        after: After = None,
    ) -> SyncProgress:
        return _told(info, SyncProgress, "sync", after, changes=change, source=None if source is None else [source])

    @root(description="Playbook runs, as they go.")
    def playbook_run_updated(
        self,
        info: ApiInfo,
        playbook: Annotated[str | None, strawberry.argument(description="Only of this one.")] = None,
        customer_id: OfCustomer = None,
        change: list[RunEvent] | None = None,
        after: After = None,
    ) -> PlaybookRunUpdated:
        return _told(
            info,
            PlaybookRunUpdated,
            "run",
            after,
            customer_id=customer_id,
            changes=change,
            playbook=None if playbook is None else [playbook],
        )


@strawberry.type
class LiveQueries:
    @root(
        description="The place in the log of events now. Ask for it with, or before, what you show, and subscribe with "
        "`after`: then nothing that happens in between is missed."
    )
    async def event_cursor(self, info: ApiInfo) -> str:
        return event_cursor(await find_place(info.context.store))
