"""Playbooks as they stood: every version that ever had a run, kept for ever, because runs finish on the one they began with."""

from datetime import datetime

import strawberry
from strawberry.scalars import JSON

from hub.store.query import Order
from schema.fields import DEFAULT_FIRST, column
from schema.loaders import ApiInfo, load_page
from schema.narrowing import narrowed
from schema.paging import Connection
from schema.permissions import root


@strawberry.type(description="A playbook as it stood when a run of it began.")
class PlaybookVersion:
    hash: str = column(description="Of what it said; two versions with the same hash are the same.")
    playbook: str = column(description="Its name.")
    version: int = column()
    definition: JSON = column(description="Its file, without the examples.")
    first_used_at: datetime = column()


@strawberry.type
class PlaybookVersionQueries:
    @root(description="Versions of playbooks that ever had a run, those first used last first.")
    async def playbook_versions(
        self, info: ApiInfo, first: int = DEFAULT_FIRST, after: str | None = None, playbook: str | None = None
    ) -> Connection[PlaybookVersion]:
        order = Order("first_used_at", descending=True)
        page: Connection[PlaybookVersion] = await load_page(
            info, "playbook_definition", order=order, first=first, after=after, where=narrowed(playbook=playbook)
        )
        return page
