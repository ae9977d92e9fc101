"""A saved segment, as those who may use it see it."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import strawberry
from strawberry.scalars import JSON
from strawberry.types.info import Info

from hub.access import Viewer
from hub.model.actions import Role
from hub.segments import Editor, SavedSegment, count_in, problems_of
from schema.context import Context
from schema.fields import key
from schema.grouping import asks


@strawberry.type(
    description="A condition on customers with a name. Use it by `inSegment` in a filter, by `in_segment` in a playbook."
)
class Segment:
    id: strawberry.ID = key()
    name: str = key()
    description: str | None = key()
    filter: JSON = key(description="The condition as playbooks write it.")
    owner: str = key(description="Who made it.")
    shared: bool = key(description="Whether everybody sees it; otherwise its owner alone.")
    may_change: bool = key(description="Whether you may change it.")
    created_at: datetime = key()
    updated_at: datetime = key()
    updated_by: str = key()
    problems: list[str] = key(description="What keeps it from being used, such as facts that are no more.")
    used_by: list[str] = key(description="Playbooks that speak of it.")
    customer_count: int | None = key(
        description="Customers you see that are in it; counted only if asked for, of at most 50 segments at once. Null where "
        "there are problems."
    )


def editor_of(viewer: Viewer) -> Editor:
    return Editor(name=viewer.actor, steward=viewer.may(Role.MANAGER))


async def shown_segments(
    info: Info[Context, Any], segments: Sequence[SavedSegment], *, among: Sequence[SavedSegment]
) -> list[Any]:
    """Segments as rows of `Segment`. among: all that the viewer sees."""
    context, editor = info.context, editor_of(info.context.viewer)
    counts: dict[str, int | None] = {}
    if segments and asks(info, "customerCount"):
        counts = await count_in(context.store, editor, segments, book=context.viewer.book, today=context.now.date())
    return [
        {
            **{name: getattr(each, name) for name in _PLAIN},
            "may_change": editor.may_change(each),
            "problems": problems_of(each, among),
            "used_by": list(context.actions.segment_uses(each.name)) if each.shared else [],
            "customer_count": counts.get(each.id),
        }
        for each in segments
    ]


_PLAIN = ("id", "name", "description", "filter", "owner", "shared", "created_at", "updated_at", "updated_by")
