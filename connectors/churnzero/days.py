"""Scores of days, a span of days at a time: there are many, and a pull that was interrupted goes on with its span.

    since   days up to then have been handed on (milliseconds); each pull begins some days before, as days are calculated anew

The first pull asks which day is the first, and how many rows there are: rows that no span has would be left out without a word.
"""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from typing import Any

from connectors.churnzero.pull import EntityPull, moment_of
from connectors.kit.base import BadRowError, Page, Window
from connectors.kit.errors import TransientError
from connectors.kit.http import Client
from connectors.kit.paging import time_windows
from connectors.kit.values import day, version


@dataclass(frozen=True, slots=True, kw_only=True)
class DayPull:
    """`Stream.pull` of an entity whose rows belong to days. `again`: how far before the bookmark a pull begins."""

    rows: EntityPull
    again: timedelta
    span: timedelta

    async def __call__(self, client: Client, window: Window) -> AsyncIterator[Page]:
        since = (window.bookmark or {}).get("since")
        until = version(window.started_at) - self.rows.lag_seconds * 1000
        total = 0
        if since is None:
            begin, total = await self._first(client, window.started_at)
        else:
            begin = moment_of(since) - self.again
        pulled, seen = 0, set[Any]()  # a listing that is read anew brings rows again
        for condition, end in self._spans(begin, window.started_at):
            async for rows in self.rows.listing(client, condition):
                yield Page(rows=rows)
                pulled += len(rows)
                if total:
                    seen.update(row.get("Id") for row in rows)
                if window.limit is not None and pulled >= window.limit:
                    return
            yield Page(rows=(), bookmark={"since": max(since or 0, min(until, version(end)))})
        if len(seen) < total:
            raise TransientError(
                f"ChurnZero {self.rows.entity}: {total - len(seen)} rows of {total} have no {self.rows.changed}, or went"
                " while the others were read"
            )

    async def _first(self, client: Client, now: datetime) -> tuple[datetime, int]:
        """The first day there is, and how many rows there are."""
        answer = await self.rows.page(client, {"$orderby": self.rows.changed})
        days = []
        for row in answer.rows:
            try:
                days.append(day(row.get(self.rows.changed), field=self.rows.changed))
            except BadRowError:  # the mapping refuses it, when a span brings it
                continue
        return datetime.combine(min(days), time(), UTC) if days else now, answer.total or 0

    def _spans(self, begin: datetime, now: datetime) -> Sequence[tuple[str, datetime]]:
        """Filters and their ends, the last one open: clocks and time zones differ."""
        name = self.rows.changed
        spans = list(
            time_windows(datetime.combine(begin.date(), time(), UTC), now + timedelta(seconds=1), step=self.span)
        )
        closed = [(f"{name} ge {low:%Y-%m-%d} and {name} lt {high:%Y-%m-%d}", high) for low, high in spans[:-1]]
        return [*closed, (f"{name} ge {spans[-1][0]:%Y-%m-%d}" if spans else f"{name} ge {begin:%Y-%m-%d}", now)]
