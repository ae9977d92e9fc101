"""Queries for sources."""

import strawberry

from hub.store.query import Order
from schema.loaders import ApiInfo, load_all
from schema.permissions import root
from schema.sources.types import Source


@strawberry.type
class SourceQueries:
    @root(description="Every source, by name.")
    async def sources(self, info: ApiInfo) -> list[Source]:
        found: list[Source] = await load_all(info, "source", order=Order("name"))
        return found
