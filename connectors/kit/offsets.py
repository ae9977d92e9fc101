"""Reading a listing by offsets while its rows come, go and move, without losing one unseen.

A row that is removed or moved ahead of the place being read shifts all that follow: the next offset skips one. So every page
but the first begins with the last row of the page before, one row further ahead than it would have to. Is it another row, the
listing has moved, and is read anew. So it is where a page is empty in the middle, where a row comes twice, and where fewer rows
came than the vendor counts. Rows are handed on as they come: one that comes again does no harm, and only the end of a listing
says that all of it was seen.

    async for rows in steady("Acme accounts", ask, key=lambda row: row["id"]): …       ask(offset) -> Answer
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass, field

from connectors.kit.base import Raw
from connectors.kit.errors import TransientError

TRIES = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """One page: its rows, whether the vendor has more behind them, and how many it counts in all, where it says."""

    rows: Sequence[Raw]
    more: bool
    total: int | None = None


Ask = Callable[[int], Awaitable[Answer]]
"""The page that begins at an offset, 0 for the first; two rows long at least, or there would be no end."""


async def steady(what: str, ask: Ask, *, key: Callable[[Raw], str], tries: int = TRIES) -> AsyncIterator[Sequence[Raw]]:
    """Pages of new rows. Raises TransientError where the listing moved each of `tries` times. `what` is told in errors."""
    for _ in range(tries):
        listing = _Listing(key)
        while True:
            fresh = listing.take(await ask(listing.start))
            if fresh is None:
                break
            yield fresh
            if listing.ended:
                return
    raise TransientError(f"{what}: rows moved while the pages were read, {tries} times; it is read again later")


@dataclass(slots=True)
class _Listing:
    """Where the reading of a listing stands: `start` is the offset to ask for next."""

    key: Callable[[Raw], str]
    start: int = 0
    ended: bool = False
    _last: str | None = None
    _seen: set[str] = field(default_factory=set)

    def take(self, answer: Answer) -> Sequence[Raw] | None:
        """The page's new rows; None where the listing is not what it was."""
        keys = [self.key(row) or repr(row) for row in answer.rows]
        again = 0 if self._last is None else 1
        if again and keys[:1] != [self._last]:
            return None
        fresh = keys[again:]
        if len(set(fresh)) < len(fresh) or self._seen & set(fresh) or (answer.more and not fresh):
            return None
        self._seen.update(fresh)
        self.ended = not answer.more
        if self.ended and answer.total is not None and answer.total != len(self._seen):
            return None
        if keys:
            self._last, self.start = keys[-1], self.start + len(keys) - 1
        return answer.rows[again:]
