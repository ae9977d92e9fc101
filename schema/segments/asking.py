"""What saving segments is asked: the part of `schema.context.Actions` that is about it."""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from hub.segments import Editor, SavedSegment, Wanted


class SegmentActions(Protocol):
    """`text`: the id or name of a segment the editor sees. See hub.segments.keeping."""

    async def segments(self, editor: Editor) -> Sequence[SavedSegment]: ...

    async def create_segment(self, editor: Editor, wanted: Wanted, *, now: datetime) -> SavedSegment: ...

    async def update_segment(self, editor: Editor, text: str, wanted: Wanted, *, now: datetime) -> SavedSegment: ...

    async def delete_segment(self, editor: Editor, text: str) -> SavedSegment: ...

    def segment_uses(self, name: str) -> Sequence[str]:
        """The playbooks that speak of a shared segment."""
        ...
