"""Which parts of a changed file are as they were: of an export that grows by the day nearly all rows have been handed on.

    told = Told(known=before, bits=bits_for(size))
    for row, place in told.news(rows): …          rows that are not in a block that is known; `place`: how many came until it
    told.until(place)                             marks of the blocks that are whole by then, for the next time

A block's end is decided by the content of its last row, so a row that comes, goes or changes touches its own block and no
other, wherever in the file it stands. A block with a row that cannot be read is never known: its fault is told every time.
"""

from collections.abc import Collection, Generator, Iterable, Mapping
from hashlib import blake2b
from math import ceil, log2
from zlib import crc32

from hub.model.records import Quarantined

Row = Mapping[str, str] | Quarantined
MOST_MARKS = 2_048
"""About so many at most: they are kept in the file's bookmark. Of one that needs more nothing is left out."""
FEWEST_BITS, MOST_BITS = 5, 10
"""A block is held in memory."""
BYTES_A_ROW = 100
_BETWEEN_CELLS, _AFTER_ROW = "\x1f", b"\x1e"


def bits_for(size: int) -> int | None:
    """A block of a file of so many bytes has 2**bits rows on average; None for one that is too large to be told apart."""
    bits = max(FEWEST_BITS, ceil(log2(max(size, 1) / BYTES_A_ROW / MOST_MARKS)))
    return bits if bits <= MOST_BITS else None


class Told:
    """known: marks of the blocks that were handed on before. read: how many rows of the file were looked at."""

    def __init__(self, *, known: Collection[str], bits: int) -> None:
        self._known = frozenset(known)
        self._ends, self._longest = (1 << bits) - 1, 4 << bits
        self._marks: list[tuple[int, str]] = []
        self.read = 0

    def news(self, rows: Iterable[Row], *, since: int = 0) -> Generator[tuple[Row, int], None, None]:
        """since: how many rows of the file came before these. Where that is within a block, its rest is one by itself."""
        self.read = since
        block, digest, faulty = list[Row](), blake2b(digest_size=8), False
        for row in rows:
            self.read += 1
            block.append(row)
            if isinstance(row, Quarantined):
                faulty, ends = True, False
            else:
                cells = tuple(row.values())[:-1]  # but for its line
                text = _BETWEEN_CELLS.join(cells).encode("utf-8", "surrogatepass")
                digest.update(text)
                digest.update(_AFTER_ROW)
                ends = not crc32(text) & self._ends
            if ends or len(block) >= self._longest:
                yield from self._block(block, None if faulty else digest.hexdigest())
                block, digest, faulty = [], blake2b(digest_size=8), False
        if block:
            yield from self._block(block, None if faulty else digest.hexdigest())

    def _block(self, block: list[Row], mark: str | None) -> Generator[tuple[Row, int], None, None]:
        end = self.read
        if mark is not None:
            self._marks.append((end, mark))
        if mark not in self._known:
            yield from zip(block, range(end - len(block) + 1, end + 1), strict=True)

    def until(self, place: int) -> list[str]:
        return [mark for end, mark in self._marks if end <= place]
