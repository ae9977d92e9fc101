"""Queries for saved segments."""

import strawberry

from schema.loaders import ApiInfo
from schema.permissions import root
from schema.segments.types import Segment, editor_of, shown_segments


@strawberry.type
class SegmentQueries:
    @root(description="Saved segments: the shared ones and your own, by name.")
    async def segments(self, info: ApiInfo) -> list[Segment]:
        found = await info.context.actions.segments(editor_of(info.context.viewer))
        return await shown_segments(info, found, among=found)

    @root(description="One saved segment by its id or name, your own before a shared one; null where there is none.")
    async def segment(self, info: ApiInfo, id: strawberry.ID | None = None, name: str | None = None) -> Segment | None:  # noqa: A002 - the API's word
        found = await info.context.actions.segments(editor_of(info.context.viewer))
        chosen = [each for each in found if (id is None or each.id == id) and (name is None or each.name == name)]
        shown: list[Segment] = await shown_segments(info, chosen[:1] if id or name else [], among=found)
        return shown[0] if shown else None
