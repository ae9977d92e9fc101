"""Places in the log of events, as clients hold them: opaque, and refused where they are damaged or of something else."""

import binascii
from base64 import urlsafe_b64decode, urlsafe_b64encode
from hashlib import blake2b

from schema.errors import BadInputError

_KIND = b"event:"
_LONGEST = 100
_CHECK_BYTES = 4


def event_cursor(number: int) -> str:
    """The place of everybody who was told of all events up to this one."""
    body = _KIND + str(number).encode()
    return urlsafe_b64encode(_check(body) + body).decode().rstrip("=")


def event_number(cursor: str) -> int:
    """The number in a cursor; BadInputError where it is none of the log."""
    try:
        raw = urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)) if len(cursor) <= _LONGEST else b""
    except (binascii.Error, ValueError):
        raw = b""
    check, body = raw[:_CHECK_BYTES], raw[_CHECK_BYTES:]
    number = body.removeprefix(_KIND)
    if check != _check(body) or not body.startswith(_KIND) or not number.isdigit():
        raise BadInputError("after is not a cursor of events: give one that an event or eventCursor came with")
    return int(number)


def _check(body: bytes) -> bytes:
    """Not a secret: it tells a damaged cursor from a whole one, and no cursor gives access to anything."""
    return blake2b(body, digest_size=_CHECK_BYTES).digest()
