"""Places in the log of events, as clients hold them: sealed, and refused where they are damaged or of something else.

Sealed (hub.access.sealing), because the number of an event tells how much happens to all customers, and next to a later one
how much happened to others.
"""

from hub.access.sealing import closed, opened
from schema.errors import BadInputError

_BYTES = 8
"""Always as long: a text that grows would tell of the number."""


def event_cursor(number: int) -> str:
    """The place of everybody who was told of all events up to this one."""
    return closed("event", number.to_bytes(_BYTES))


def event_number(cursor: str) -> int:
    """The number in a cursor; BadInputError where it is none of the log."""
    raw = opened("event", cursor)
    if raw is None or len(raw) != _BYTES:
        raise BadInputError("after is not a cursor of events: give one that an event or eventCursor came with")
    return int.from_bytes(raw)
