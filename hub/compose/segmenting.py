"""Saved segments as the GraphQL mutations and the command line change them; the caller has checked who may."""

from collections.abc import Sequence
from datetime import datetime

from hub import segments
from hub.compose.hub import Hub
from hub.playbooks.settling import uses
from hub.segments import Editor, SavedSegment, Wanted
from hub.segments.settling import OF_ALL


class SegmentActions:
    _hub: Hub

    async def segments(self, editor: Editor) -> Sequence[SavedSegment]:
        return await segments.list_segments(self._hub.store, editor)

    async def create_segment(self, editor: Editor, wanted: Wanted, *, now: datetime) -> SavedSegment:
        return await segments.create_segment(self._hub.store, editor, wanted, now=now)

    async def update_segment(self, editor: Editor, text: str, wanted: Wanted, *, now: datetime) -> SavedSegment:
        return await segments.change_segment(
            self._hub.store, editor, text, wanted, uses=uses(self._hub.playbooks.definitions), now=now
        )

    async def delete_segment(self, editor: Editor, text: str) -> SavedSegment:
        return await segments.remove_segment(self._hub.store, editor, text, uses=uses(self._hub.playbooks.definitions))

    def segment_uses(self, name: str) -> Sequence[str]:
        used = uses(self._hub.playbooks.definitions)
        return sorted(playbook for playbook, names in used.items() if {name, OF_ALL + name} & names)
