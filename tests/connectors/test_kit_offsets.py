"""Offsets over a listing that moves."""

from collections.abc import Callable

import pytest

from connectors.kit.errors import TransientError
from connectors.kit.offsets import Answer, steady


class Shelf:
    """A listing in pages of `size`; `before(n)` is called before the n-th question."""

    def __init__(self, rows: str, *, size: int = 3, counts: bool = True) -> None:
        self.rows, self.size, self.counts = list(rows), size, counts
        self.asked: list[int] = []
        self.before: Callable[[int], None] = lambda _number: None

    async def ask(self, offset: int) -> Answer:
        self.asked.append(offset)
        self.before(len(self.asked))
        rows = [{"id": each} for each in self.rows[offset : offset + self.size]]
        more = offset + self.size < len(self.rows) if self.counts else len(rows) == self.size
        return Answer(rows=rows, more=more, total=len(self.rows) if self.counts else None)

    async def read(self) -> str:
        pages = steady("the shelf", self.ask, key=lambda row: str(row["id"]))
        return "".join([row["id"] async for rows in pages for row in rows])


@pytest.mark.parametrize("counts", [True, False])
@pytest.mark.parametrize("rows", ["", "a", "abc", "abcd", "abcdefgh"])
async def test_all_rows_come_once(rows: str, counts: bool) -> None:
    assert await Shelf(rows, counts=counts).read() == rows


async def test_pages_overlap_by_one_row() -> None:
    shelf = Shelf("abcdefg")
    await shelf.read()
    assert shelf.asked == [0, 2, 4]


@pytest.mark.parametrize("what", ["removed", "moved", "added"])
async def test_a_listing_that_moves_is_read_anew(what: str) -> None:
    shelf = Shelf("abcdefg", counts=False)

    def change(number: int) -> None:
        if number == 2:
            shelf.rows = list({"removed": "bcdefg", "moved": "fabcdeg", "added": "xabcdefg"}[what])

    shelf.before = change
    assert set(await shelf.read()) >= set(shelf.rows)
    assert shelf.asked[:3] == [0, 2, 0]


async def test_fewer_rows_than_the_vendor_counts_are_no_end() -> None:
    shelf = Shelf("abc", size=5)

    async def short(offset: int) -> Answer:
        answer = await shelf.ask(offset)
        return Answer(rows=answer.rows, more=answer.more, total=4)

    with pytest.raises(TransientError, match="the shelf: rows moved while the pages were read, 5 times"):
        [rows async for rows in steady("the shelf", short, key=lambda row: str(row["id"]))]
    assert shelf.asked == [0] * 5


async def test_an_empty_page_in_the_middle_is_no_end() -> None:
    shelf = Shelf("abcdef")

    async def gappy(offset: int) -> Answer:
        answer = await shelf.ask(offset)
        return Answer(rows=(), more=True) if len(shelf.asked) == 2 else answer

    pages = steady("the shelf", gappy, key=lambda row: str(row["id"]))
    assert "".join([row["id"] async for rows in pages for row in rows]) == "abcabcdef"
