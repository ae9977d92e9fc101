"""Use case: map rows that are here once more, after a mapping was mended, without asking the vendor.

    replay            rows of the raw log, in the order in which they came; the newest version of each has the last word
    retry_quarantine  rows that could not become records; those that now can leave the quarantine

A dry run writes each batch and undoes it, so its counts are what a real one would have.
"""

import secrets
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime

from connectors.kit.base import Page, Raw, Stream, map_rows
from hub.errors import RefusedError
from hub.identity import IdentityRules, Resolution, resolve
from hub.store import Connection, Store, raw_rows
from hub.store.fitting import fit
from hub.store.gone import find_buried
from hub.store.quarantine import delete_entries, find_entries
from hub.store.syncs import find_bookmark
from hub.sync.landing import Landed, Landing
from hub.sync.lock import PATIENCE, locked, new_holder
from hub.sync.report import Progress, Source, StreamReport, silent

ROWS = 2_000


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplayReport:
    """streams: what the rows of each became; `quarantined` are those that (still) cannot become records."""

    source: str
    dry_run: bool
    streams: dict[str, StreamReport]
    resolution: Resolution = field(default_factory=Resolution)

    @property
    def moved(self) -> bool:
        return not self.dry_run and any(each.new or each.changed for each in self.streams.values())


async def replay(
    store: Store,
    source: Source,
    rules: IdentityRules,
    *,
    clock: Callable[[], datetime],
    streams: Collection[str] | None = None,
    since: datetime | None = None,
    dry_run: bool = False,
    progress: Progress = silent,
) -> ReplayReport:
    """Map the raw log anew; RefusedError where the source keeps none, BusyError where a sync of it runs."""
    async with store.reading() as connection:
        if source.raw_days is None and not await raw_rows.count(connection, source.name):
            raise RefusedError(
                f"{source.name} keeps no rows as they came: set raw_log: {{days: 30}} for it in sources.yaml; from then on "
                "what it pulls can be replayed"
            )
    work = _Replay(store, source, clock, dry_run=dry_run, progress=progress)

    async def one(stream: Stream) -> None:
        after: raw_rows.Place | None = None
        while True:
            async with store.reading() as connection:
                rows = await raw_rows.find(connection, source.name, stream.name, since=since, after=after, most=ROWS)
            if not rows:
                return
            after = rows[-1].at, rows[-1].id
            await work.land(stream, [row.raw for row in rows])

    return await work.run(rules, source.streams(streams), one)


async def retry_quarantine(
    store: Store,
    source: Source,
    rules: IdentityRules,
    *,
    clock: Callable[[], datetime],
    streams: Collection[str] | None = None,
    dry_run: bool = False,
    progress: Progress = silent,
) -> ReplayReport:
    """Map what waits in quarantine anew; what still cannot be a record stays as it is, with the reason it has."""
    work = _Replay(store, source, clock, dry_run=dry_run, progress=progress)

    async def one(stream: Stream) -> None:
        after = ""
        while True:
            async with store.reading() as connection:
                rows = await find_entries(connection, source.name, stream.name, after=after, most=ROWS)
            if not rows:
                return
            after = rows[-1].id
            good = [(row.id, row.raw) for row in rows if row.raw and _is_good(stream, row.raw)]
            await work.land(stream, [raw for _, raw in good], free=[id_ for id_, _ in good], bad=len(rows) - len(good))

    return await work.run(rules, source.streams(streams), one)


def _is_good(stream: Stream, raw: Raw) -> bool:
    """Whether the row is one the stream's mapping reads: of some only what was made of them was kept."""
    records, bad = map_rows(stream, [raw])
    return not bad and not fit(records)[1]


class _UndoneError(Exception):
    """Ends the transaction of a dry run."""


class _Replay:
    def __init__(
        self, store: Store, source: Source, clock: Callable[[], datetime], *, dry_run: bool, progress: Progress
    ) -> None:
        self.store, self.source, self.clock, self.dry_run, self.progress = store, source, clock, dry_run, progress
        run_id = f"replay_{clock():%Y%m%d%H%M%S}_{secrets.token_hex(4)}"
        self.landing = Landing(source.name, run_id=run_id)  # the raw log is not written from itself
        self.streams: dict[str, StreamReport] = {}
        self.historical = False

    async def run(
        self, rules: IdentityRules, streams: Sequence[Stream], one: Callable[[Stream], Awaitable[None]]
    ) -> ReplayReport:
        resolution = Resolution()
        name = self.source.name
        async with locked(self.store, name, holder=new_holder(aside=True), clock=self.clock, patience=PATIENCE):
            for stream in streams:
                self.streams[stream.name] = StreamReport()
                async with self.store.reading() as connection:
                    self.historical = not (await find_bookmark(connection, name, stream.name)).complete
                await one(stream)
                self.streams[stream.name] = replace(self.streams[stream.name], state="done")
                self.progress(stream.name, self.streams[stream.name])
            if not self.dry_run:
                async with self.store.transaction() as connection:
                    resolution = await resolve(connection, rules, source=name, now=self.clock())
        return ReplayReport(source=name, dry_run=self.dry_run, streams=self.streams, resolution=resolution)

    async def land(self, stream: Stream, raws: Sequence[Raw], *, free: Sequence[str] = (), bad: int = 0) -> None:
        """Map and store rows, and delete these entries of the quarantine. bad: rows that were not even tried."""
        landed = Landed(pulled=bad, quarantined=bad)
        async with self._writing() as connection:
            rows = await self._without_buried(connection, stream, raws)
            made = await self.landing.land(
                connection, stream, [Page(rows=rows)], historical=self.historical, now=self.clock()
            )
            landed = replace(
                landed.plus(made), pulled=bad + len(raws), unchanged=made.unchanged + len(raws) - len(rows)
            )
            await delete_entries(connection, free)
        self.streams[stream.name] = self.streams[stream.name].plus(landed, total=None)
        self.progress(stream.name, self.streams[stream.name])

    async def _without_buried(self, connection: Connection, stream: Stream, raws: Sequence[Raw]) -> list[Raw]:
        """Rows that came before the vendor said they are gone do not bring them back."""
        keys = {record.key for record in map_rows(stream, raws)[0] if type(record) is stream.makes[0]}
        buried = await find_buried(connection, stream.makes[0], keys, source=self.source.name)
        if not buried:
            return list(raws)

        def lives(raw: Raw) -> bool:
            return not any(buried.get(each.key, -1) >= each.version for each in map_rows(stream, [raw])[0])

        return [raw for raw in raws if lives(raw)]

    @asynccontextmanager
    async def _writing(self) -> AsyncIterator[Connection]:
        """A transaction; of a dry run one that is undone."""
        try:
            async with self.store.transaction() as connection:
                yield connection
                if self.dry_run:
                    raise _UndoneError
        except _UndoneError:
            pass
