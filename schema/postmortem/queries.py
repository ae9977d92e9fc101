"""Queries for post-mortems."""

from datetime import date
from typing import Annotated, Any

import strawberry

from schema.loaders import ApiInfo
from schema.permissions import root
from schema.postmortem.types import Postmortems

Since = Annotated[date | None, strawberry.argument(description="Only who left on this day or later.")]


@strawberry.type
class PostmortemQueries:
    @root(whole=True, description="What was to be seen of customers before they left, and whether anyone acted.")
    async def postmortems(self, info: ApiInfo, since: Since = None) -> Postmortems:
        found: Any = await info.context.actions.post_mortems(since=since, customer_ids=None, now=info.context.now)
        return found  # type: ignore[no-any-return]  # a report, read by its attributes
