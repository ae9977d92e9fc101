"""Queries for sources."""

import strawberry

from schema.loaders import ApiInfo, load_all
from schema.permissions import root
from schema.sources.types import Source


@strawberry.type
class SourceQueries:
    @root(description="Every source, by name: the configured ones, synced yet or not, and those that once were.")
    async def sources(self, info: ApiInfo) -> list[Source]:
        configured = [source.name for source in info.context.sources()]
        found: list[Source] = await load_all(info, "source", named=configured)
        return found
