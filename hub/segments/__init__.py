"""Choosing customers: the names conditions may use, and conditions that people saved under a name.

`vocabulary`  every field, and custom fields
`settling`    conditions made ready to be asked: saved segments, days that count from today
`keeping`     saving, changing and deleting segments
"""

from hub.segments.keeping import (
    Editor,
    Uses,
    Wanted,
    change_segment,
    count_in,
    create_segment,
    get_segment,
    list_segments,
    problems_of,
    remove_segment,
)
from hub.segments.settling import expanded, settle
from hub.segments.vocabulary import VALUES, VOCABULARY
from hub.store.segments import SavedSegment

__all__ = [
    "VALUES",
    "VOCABULARY",
    "Editor",
    "SavedSegment",
    "Uses",
    "Wanted",
    "change_segment",
    "count_in",
    "create_segment",
    "expanded",
    "get_segment",
    "list_segments",
    "problems_of",
    "remove_segment",
    "settle",
]
