"""Values of a finished text that are looked up by what the database wrote: sealed ids, names of an enum's members.

The statement writes them as they are stored, and marks where they stand in the names of fields, which cost nothing to write:

    {"id~S~contact":"crm:17","~S~name":"Jo"}       ~S~ being the mark `keyed`, before what is looked up and after it

so a text is taken apart at the marks, every second piece (`contact":"crm:17","`) is looked up as a whole, and all is put
together again.
"""

import orjson

from hub.store.query.compiled import ENUMS, Marks
from schema.compiled.remembered import Remembered
from schema.nodes import global_id


class UnfitError(Exception):
    """The text holds, or would hold, what the answer may not: the ordinary path says what."""


def _shown(piece: bytes) -> bytes:
    """What stands in the place of a piece."""
    code, _, rest = piece.decode().partition('":')
    if rest[-2:] != ',"':  # a record holds the mark
        raise UnfitError
    value = orjson.loads(rest[:-2])
    names = ENUMS.get(code)
    if names is not None:
        if value not in names:  # None is among those that may be null
            raise UnfitError
        shown = names[value]
    elif value is None:
        raise UnfitError
    else:
        shown = global_id(code, str(value))
    return b'":' + orjson.dumps(shown) + b',"'


_PIECES = Remembered(_shown)


def looked_up(text: bytes, marks: Marks) -> bytes:
    """The text with all of that in its place. UnfitError where something in it may not be."""
    if marks.keyed and len(pieces := text.split(marks.keyed)) > 1:
        pieces[1::2] = map(_PIECES.fresh().__getitem__, pieces[1::2])
        text = b"".join(pieces)
    return text
