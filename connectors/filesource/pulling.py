"""Pulling files: those that are new or have changed since they were read, the oldest first, and from the row a pull came to.

The bookmark: {"done": {name: tag} of the files that have been read as a whole, "at": {"name", "tag", "rows"} of the one that a
pull stopped in}. A file that is gone is forgotten. With `latest` only the newest file counts.
"""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from connectors.kit.base import Page, Window
from connectors.kit.cells import READ_AT, Plan
from connectors.kit.errors import DeniedError
from connectors.kit.files import File, Place, Reading, Row
from connectors.kit.http import Client
from connectors.kit.values import version
from hub.model.records import Quarantined

PAGE = 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class FilesPull:
    place: Place
    reading: Reading
    plan: Plan
    latest: bool

    async def pull(self, client: Client, window: Window) -> AsyncIterator[Page]:
        before: Mapping[str, Any] = window.bookmark or {}
        there = await asyncio.to_thread(self.place.files)
        known = {file.name: file.tag for file in there}
        done = {name: tag for name, tag in before.get("done", {}).items() if known.get(name) == tag}
        at = before.get("at") or {}
        left = window.limit
        for file in there[-1:] if self.latest else there:
            if done.get(file.name) == file.tag:
                continue
            skip = at["rows"] if (at.get("name"), at.get("tag")) == (file.name, file.tag) else 0
            async for rows in self._rows(file, skip, left):
                skip += len(rows)
                place = {"name": file.name, "tag": file.tag, "rows": skip}
                yield self._page(rows, file, window, {"done": dict(done), "at": place})
                left = None if left is None else left - len(rows)
                if left is not None and left <= 0:
                    return
            done[file.name] = file.tag
            yield Page(rows=(), bookmark={"done": dict(done), "at": None})

    async def _rows(self, file: File, skip: int, left: int | None) -> AsyncIterator[list[Row]]:
        size = PAGE if left is None else min(PAGE, left)
        async for rows in self.place.pages(file, self.reading, size=size, skip=skip):
            if skip == 0:
                self._check(rows, file)
            yield rows

    def _check(self, rows: Sequence[Row], file: File) -> None:
        """That the file is one of those the settings speak of. Rows of JSON Lines may each leave out what is optional."""
        columns = {name for row in rows if isinstance(row, Mapping) for name in row}
        if columns and self.reading.of(file) == "jsonl":
            optional = (*self.plan.columns.values(), self.plan.company_key, self.plan.updated_at)
            columns |= {name for name in optional if name is not None}
        if columns and (missing := self.plan.missing(sorted(columns))):
            own = ", ".join(sorted(name for name in columns if not name.startswith("#")))
            raise DeniedError(f"{file.name} has no column {'; none '.join(missing)}. It has: {own}", scope="stream")

    def _page(self, rows: Sequence[Row], file: File, window: Window, bookmark: Mapping[str, Any]) -> Page:
        changed = str(version(file.changed or window.started_at))
        needed = {column: None for column in (*self.plan.key, self.plan.company_key, self.plan.updated_at) if column}
        return Page(
            rows=[{**needed, **row, READ_AT: changed} for row in rows if isinstance(row, Mapping)],
            faults=[row for row in rows if isinstance(row, Quarantined)],
            bookmark=bookmark,
        )
