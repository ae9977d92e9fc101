"""Everything of a person or a customer as one JSON document, in pieces, so that a large customer never stands in memory.

    async for piece in export(store, about, now=now): file.write(piece)

    {"format": "cshub.export/1", "exported_at": …, "subject": {…},
     "records": {"contact": [{…}, …], "ticket": […], …},
     "summary": [{"table": "contact", "about": "contacts", "rows": 2}, …]}

A row is as the store has it, in the columns' own names; one that is not the subject's own and only speaks of it says
"mentions_only": true. All of it is of one moment. Machine-readable and complete: what GDPR art. 15 and 20 ask for.
"""

from collections.abc import AsyncGenerator, AsyncIterator, Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson

from hub.access.privacy.asking import About, find_subject
from hub.store import Store
from hub.store.privacy.finding import OWN, find_batch, search
from hub.store.privacy.place import Place
from hub.store.privacy.places import PLACES
from hub.store.privacy.subject import Subject
from hub.store.store import Connection

FORMAT = "cshub.export/1"
BATCH = 1_000
INTERNAL = frozenset({OWN, "digest", "version"})
"""Columns that tell of our bookkeeping and nothing else."""


@dataclass(frozen=True, slots=True)
class Exported:
    """Rows of a table that are in an export; about: what they are, in words."""

    table: str
    about: str
    rows: int


Progress = Callable[[int, int, str, int], None]
"""Called with the tables done, their number, the one that is read and the rows written so far."""


def silent(_done: int, _of: int, _table: str, _rows: int) -> None:
    return None


async def export(
    store: Store, about: About, *, now: datetime, progress: Progress = silent, told: list[Exported] | None = None
) -> AsyncGenerator[bytes, None]:
    """The document in pieces. told: gets the summary, for who wants to show it."""
    summary = told if told is not None else []
    async with store.reading() as connection:
        subject = await find_subject(connection, about)
        yield _head(subject, now)
        rows, separator = 0, b""
        places = [place for place in PLACES if place.exported]
        for done, place in enumerate(places):
            progress(done, len(places), place.name, rows)
            count = 0
            async for batch in _batches(connection, place, subject):
                written = b",\n".join(map(_written, batch))
                yield (separator + orjson.dumps(place.name) + b": [\n" if not count else b",\n") + written
                count += len(batch)
            if count:
                yield b"]"
                separator, rows = b",\n", rows + count
                summary.append(Exported(place.name, place.about, count))
        progress(len(places), len(places), "", rows)
    yield b'},\n"summary": ' + orjson.dumps(summary) + b"}\n"


def _head(subject: Subject, now: datetime) -> bytes:
    said: dict[str, Any] = {"kind": subject.kind, "e_mail": subject.emails, "customers": subject.customers}
    if not subject.is_customer:
        said |= {"contacts": subject.contacts, "users": [":".join(user) for user in subject.users]}
    head = {"format": FORMAT, "exported_at": now, "subject": said}
    return orjson.dumps(head)[:-1] + b',\n"records": {'


async def _batches(connection: Connection, place: Place, subject: Subject) -> AsyncIterator[list[dict[str, Any]]]:
    looked = search(connection, place, subject)
    after: list[Any] | None = None
    while True:
        rows = await find_batch(connection, place, looked, after=after, most=BATCH)
        kept = [row for row in rows if row[OWN] or looked.speaks(place, row)]
        if kept:
            yield kept
        if len(rows) < BATCH:
            return
        after = [rows[-1][key.name] for key in place.table.primary_key]


def _written(row: dict[str, Any]) -> bytes:
    shown = {str(name): value for name, value in row.items() if name not in INTERNAL}
    return orjson.dumps(shown if row[OWN] else {**shown, "mentions_only": True})
