"""Values of a finished text that are looked up by what the database wrote: ids of the API, names of an enum's members.

The statement writes them as they are stored, and marks where they stand in the names of fields, which cost nothing to write:

    {"id~S~customer":"c000001","~S~name":"Acme"}       ~S~ being KEYED, before what is looked up and after it

so a text is taken apart at the marks, every second piece (`customer":"c000001","`) is looked up as a whole, and all is put
together again. Times and numbers are finished here, too, where the database's own way is the slower one.
"""

import orjson

from hub.access.sealing import mark
from hub.store.query.compiled import ENUMS, KEYED, LONG, TIMED
from schema.nodes import global_id

_MOST = 200_000
_WHOLE = f".000000{TIMED}"
_ENDLESS = (f"{LONG}Inf", f"{LONG}-Inf")


class UnfitError(Exception):
    """The text holds, or would hold, what the answer may not: the ordinary path says what."""


class _Pieces(dict[str, str]):
    """What stands in the place of each piece. It forgets everything when it is full, and when ids are sealed by another key."""

    def __init__(self) -> None:
        super().__init__()
        self._seal = b""

    def fresh(self) -> "_Pieces":
        seal = mark(b"ids")
        if seal != self._seal:
            self.clear()
            self._seal = seal
        return self

    def __missing__(self, piece: str) -> str:
        code, _, rest = piece.partition('":')
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
        if len(self) >= _MOST:
            self.clear()
        made = self[piece] = f'":{orjson.dumps(shown).decode()},"'
        return made


_PIECES = _Pieces()


def looked_up(text: str) -> str:
    """The text with all of that in its place. UnfitError where something in it may not be."""
    pieces = text.split(KEYED)
    if len(pieces) > 1:
        pieces[1::2] = map(_PIECES.fresh().__getitem__, pieces[1::2])
        text = "".join(pieces)
    if TIMED in text:
        text = text.replace(_WHOLE, "+00:00").replace(TIMED, "+00:00")
    if LONG in text:
        if any(each in text for each in _ENDLESS):
            raise UnfitError
        text = text.replace(f'"{LONG}', "").replace(f'{LONG}"', "")
    return text
