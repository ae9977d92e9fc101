"""What is made of a piece the database wrote, kept: an id that was shown before is only looked up."""

from collections.abc import Callable

from hub.access.sealing import mark

MOST = 100_000


class Remembered(dict[bytes, bytes]):
    """By pieces, what `make` makes of them. It forgets everything when it is full, and when another key seals ids."""

    def __init__(self, make: Callable[[bytes], bytes]) -> None:
        super().__init__()
        self._make = make
        self._seal = b""

    def fresh(self) -> "Remembered":
        if self._seal != (seal := mark(b"ids")):
            self.clear()
            self._seal = seal
        return self

    def __missing__(self, piece: bytes) -> bytes:
        made = self._make(piece)
        if len(self) >= MOST:
            self.clear()
        self[piece] = made
        return made
