"""Queries for sources, their syncs, and what could not be taken in."""

from datetime import datetime
from typing import Annotated, Any

import strawberry
from strawberry.scalars import JSON

from hub.store.query import Order
from schema.enums import Role, SyncState
from schema.fields import DEFAULT_FIRST, column
from schema.loaders import ApiInfo, load_all, load_one, load_page
from schema.narrowing import narrowed
from schema.paging import Connection
from schema.permissions import root
from schema.sources.types import Source, SyncRun

OfSource = Annotated[str | None, strawberry.argument(description="Name of a source.")]


@strawberry.type(
    description="A row of a source that could not become a record, why, and the row as the vendor sent it."
)
class QuarantineEntry:
    id: strawberry.ID = column(personal=True)
    source: str = column()
    stream: str = column()
    key: str = column(description="Its id at the vendor.", personal=True)
    field: str | None = column(description="The field that is at fault.")
    reason: str = column(personal=True)
    raw: JSON = column(description="As it was pulled last.", personal=True)
    seen: int = column(description="How often it was pulled.")
    first_seen_at: datetime = column()
    last_seen_at: datetime = column()


@strawberry.type
class SourceQueries:
    @root(description="Every source, by name: the configured ones, synced yet or not, and those that once were.")
    async def sources(self, info: ApiInfo) -> list[Source]:
        configured = [source.name for source in info.context.sources()]
        found: list[Source] = await load_all(info, "source", named=configured)
        return found

    @root(description="One source by its name, synced yet or not; null where there is none.")
    async def source(self, info: ApiInfo, name: str) -> Source | None:
        configured = any(source.name == name for source in info.context.sources())
        found: Source | None = await load_one(info, "source", name)
        if found is None and configured:
            rows: list[Any] = await load_all(info, "source", named=[name])
            found = next(row for row in rows if row["name"] == name)
        return found

    @root(description="Syncs of all sources, those begun last first.")
    async def sync_runs(
        self,
        info: ApiInfo,
        first: int = DEFAULT_FIRST,
        after: str | None = None,
        source: OfSource = None,
        state: list[SyncState] | None = None,
    ) -> Connection[SyncRun]:
        order = Order("started_at", descending=True)
        where = narrowed(source=source, state=state)
        page: Connection[SyncRun] = await load_page(
            info, "sync_run", order=order, first=first, after=after, where=where
        )
        return page

    @root(
        Role.MANAGER,
        whole=True,
        description="Rows that could not become records, with what the vendor sent, in order of source, stream and key.",
    )
    async def quarantine(
        self,
        info: ApiInfo,
        first: int = DEFAULT_FIRST,
        after: str | None = None,
        source: OfSource = None,
        stream: str | None = None,
    ) -> Connection[QuarantineEntry]:
        where = narrowed(source=source, stream=stream)
        page: Connection[QuarantineEntry] = await load_page(
            info, "quarantine", order=Order("id"), first=first, after=after, where=where
        )
        return page
