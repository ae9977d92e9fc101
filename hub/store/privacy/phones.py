"""Telephone numbers of people: no record has one, and rows of contacts as they came do."""

import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from operator import itemgetter
from typing import Any

from sqlalchemy import select

from hub.store.among import among
from hub.store.store import Connection
from hub.store.tables import quarantine, raw_row

FEWEST_DIGITS, MOST_DIGITS = 7, 15
_NAMES = re.compile(r"phone|mobile|cell|whatsapp|\bfax|_fax|\btel\b|_tel\b", re.IGNORECASE)


async def find_phones(connection: Connection, contacts: Iterable[tuple[str, str]]) -> Sequence[str]:
    """Digits of the numbers that rows of these contacts, (source, key), have: those in fields that are named for numbers."""
    found: set[str] = set()
    for source, some in groupby(sorted(contacts), key=itemgetter(0)):
        keys = [key for _, key in some]
        for table in (raw_row, quarantine):
            mine = select(table.c.raw).where(table.c.source == source, among(connection, table.c.key, keys))
            for raw in (await connection.execute(mine)).scalars():
                found |= set(_numbers(raw, named=False))
    return sorted(found)


def _numbers(value: Any, *, named: bool) -> Iterator[str]:
    match value:
        case str() | int() if named and not isinstance(value, bool):
            digits = re.sub(r"\D", "", str(value)).removeprefix("00")
            if FEWEST_DIGITS <= len(digits) <= MOST_DIGITS:
                yield digits
        case dict():
            for name, inner in value.items():
                yield from _numbers(inner, named=named or bool(_NAMES.search(name)))
        case list():
            for inner in value:
                yield from _numbers(inner, named=named)
