"""The run of a sync, from lock to report."""

import logging
import secrets
from collections.abc import Callable, Collection, Sequence
from dataclasses import asdict, replace
from datetime import datetime, timedelta

from connectors.kit.base import Page, Stream, Window
from connectors.kit.errors import ConnectorError, DeniedError, PausedError
from connectors.kit.http import Client
from hub.errors import BusyError
from hub.identity import IdentityRules, Resolution, resolve
from hub.model.actions import SyncState
from hub.model.records import Company
from hub.store import Connection, Store
from hub.store.events import note_sync
from hub.store.records import KIND_OF
from hub.store.streams import note_pulled, retire
from hub.store.syncs import (
    Place,
    find_bookmark,
    keep_lock,
    note_quotas,
    pause_source,
    put_bookmark,
    save_run,
    start_run,
)
from hub.sync.batches import batches
from hub.sync.landing import Landing
from hub.sync.lock import LOCK_FOR, PATIENCE, locked, new_holder
from hub.sync.report import Progress, Source, StreamReport, SyncReport, silent

log = logging.getLogger(__name__)

TELL_EVERY = timedelta(seconds=1)
"""Those who watch a sync are told no more often."""
QUOTA_EVERY = timedelta(minutes=1)
"""What is known of the vendor's limits is kept no more often while a sync runs, and at its end."""


async def sync(
    store: Store,
    source: Source,
    rules: IdentityRules,
    *,
    clock: Callable[[], datetime],
    progress: Progress = silent,
    only: Collection[str] | None = None,
) -> SyncReport:
    """Pull every stream of `source`, or `only` these; raise BusyError where another sync of it runs.

    Of some streams alone it is no success of the source: that it was synced as a whole is not noted.
    """
    return await _Sync(store, source, rules, clock, progress, only).run()


class _Sync:
    """One sync of one source, from lock to report."""

    def __init__(
        self,
        store: Store,
        source: Source,
        rules: IdentityRules,
        clock: Callable[[], datetime],
        progress: Progress,
        only: Collection[str] | None,
    ) -> None:
        self.store = store
        self.source = source
        self.rules = rules
        self.clock = clock
        self.progress = progress
        self.started_at = clock()
        self.run_id = f"sync_{self.started_at:%Y%m%d%H%M%S}_{secrets.token_hex(4)}"
        self.holder = new_holder()
        self.streams: dict[str, StreamReport] = {}
        self.resolution = Resolution()
        self.only = only
        self.landing = Landing(source.name, run_id=self.run_id, raw=source.raw_days is not None)
        self.told_at = self.quota_at = self.started_at
        self.client: Client | None = None

    async def run(self) -> SyncReport:
        async with locked(self.store, self.source.name, holder=self.holder, clock=self.clock, patience=PATIENCE):
            async with self.store.transaction() as connection:
                await start_run(connection, self.run_id, self.source.name, now=self.started_at)
                names = [stream.name for stream in self.source.connector.streams()]
                await retire(connection, self.source.name, names, now=self.started_at)
            try:
                paused_until = await self._pull_all()
                await self._resolve()
                async with self.store.transaction() as connection:
                    await pause_source(connection, self.source.name, until=paused_until)
            except BaseException as error:  # whatever ends it, even Ctrl-C: the run says so
                await self._save(SyncState.FAILED, f"stopped by {type(error).__name__}", self.clock())
                raise
            report = self._report(paused_until)
            await self._save(report.state, report.error, report.finished_at)
        return report

    async def _pull_all(self) -> datetime | None:
        """Pull stream after stream; an error ends its stream, and all of them where it is the whole source's."""
        streams = self.source.streams(self.only)
        self.streams = {stream.name: StreamReport(state="skipped") for stream in streams}
        async with self.source.connector.client() as client:
            self.client = client
            for stream in streams:
                try:
                    await self._pull(client, stream)
                except ConnectorError as error:
                    said = self.source.connector.manifest.refusal(stream.name, error)
                    self._note(stream, state=_state_of(error), error=said)
                    await self._note_unfinished(stream)
                    if isinstance(error, PausedError):
                        return error.until
                    if isinstance(error, DeniedError) and error.scope == "source":
                        return None
        return None

    async def _resolve(self) -> None:
        """Say who the companies are that have landed, before the records that come after them."""
        async with self.store.transaction() as connection:
            found = await resolve(connection, self.rules, source=self.source.name, now=self.started_at)
        self.resolution = self.resolution.then(found)

    async def _pull(self, client: Client, stream: Stream) -> None:
        async with self.store.reading() as connection:
            place = await find_bookmark(connection, self.source.name, stream.name)
        self._note(stream, state="running")
        window = Window(bookmark=place.value, started_at=self.started_at)
        async with batches(stream.pull(client, window)) as batched:
            async for pages in batched:
                place = await self._land(stream, pages, place)
        async with self.store.transaction() as connection:
            done = replace(place, complete=True)
            await put_bookmark(connection, self.source.name, stream.name, done, now=self.clock())
            lag = timedelta(seconds=self.source.connector.manifest.lag_seconds)
            await self._note_pulled(connection, stream, complete_to=self.started_at - lag)
        if Company in stream.makes and self.streams[stream.name].brought:
            await self._resolve()
        self._note(stream, state="done")

    async def _note_pulled(self, connection: Connection, stream: Stream, *, complete_to: datetime | None) -> None:
        makes = [KIND_OF[type_] for type_ in stream.makes]
        name, now = self.source.name, self.clock()
        await note_pulled(connection, name, stream.name, makes=makes, complete_to=complete_to, now=now)

    async def _note_unfinished(self, stream: Stream) -> None:
        """Of a stream that holds a part of what the vendor has, and never held all."""
        if self.streams[stream.name].pulled:
            async with self.store.transaction() as connection:
                await self._note_pulled(connection, stream, complete_to=None)

    async def _land(self, stream: Stream, pages: Sequence[Page], place: Place) -> Place:
        """Store a batch of pages: rows, quarantine, bookmark and counts, or nothing of it."""
        bookmark = next((page.bookmark for page in reversed(pages) if page.bookmark is not None), place.value)
        place = replace(place, value=bookmark)
        name, now = self.source.name, self.clock()
        async with self.store.transaction() as connection:
            landed = await self.landing.land(connection, stream, pages, historical=not place.complete, now=now)
            brought = landed.new + landed.changed + landed.gone > 0
            await put_bookmark(connection, name, stream.name, place, now=now, brought=brought)
            total = next((page.total for page in reversed(pages) if page.total is not None), None)
            after = self.streams[stream.name].plus(landed, total=total)
            self.streams[stream.name] = after
            await save_run(connection, self.run_id, streams=self._streams())
            if now >= self.told_at + TELL_EVERY:
                await note_sync(connection, self.run_id, change="moved", at=now)
                self.told_at = now
            if now >= self.quota_at + QUOTA_EVERY:
                await self._note_quotas(connection)
                self.quota_at = now
            if not await keep_lock(connection, name, holder=self.holder, until=now + LOCK_FOR):
                raise BusyError(f"source {name!r} was taken over by another sync while this one stood still")
        self.progress(stream.name, after)
        return place

    def _note(self, stream: Stream, *, state: str, error: str | None = None) -> None:
        self.streams[stream.name] = replace(self.streams[stream.name], state=state, error=error)
        self.progress(stream.name, self.streams[stream.name])
        if error:
            log.warning("sync of %s: stream %s %s: %s", self.source.name, stream.name, state, error)

    def _report(self, paused_until: datetime | None) -> SyncReport:
        bad = {name: stream for name, stream in self.streams.items() if stream.state != "done"}
        state = SyncState.SUCCEEDED
        if any(stream.state == "paused" for stream in bad.values()):
            state = SyncState.PAUSED
        elif len(bad) == len(self.streams):
            state = SyncState.FAILED
        elif bad:
            state = SyncState.INCOMPLETE
        words = "; ".join(f"{name}: {stream.error or stream.state}" for name, stream in bad.items())
        return SyncReport(
            run_id=self.run_id,
            source=self.source.name,
            state=state,
            started_at=self.started_at,
            finished_at=self.clock(),
            streams=self.streams,
            resolution=self.resolution,
            error=words or None,
            paused_until=paused_until,
        )

    async def _save(self, state: SyncState, error: str | None, finished_at: datetime) -> None:
        async with self.store.transaction() as connection:
            await save_run(
                connection,
                self.run_id,
                streams=self._streams(),
                state=state,
                error=error,
                finished_at=finished_at,
                whole=self.only is None,
            )
            await self._note_quotas(connection)

    async def _note_quotas(self, connection: Connection) -> None:
        """What is left to ask of the vendor; what was known before stays where this sync asked nothing."""
        if self.client is not None and (known := self.client.quotas):
            await note_quotas(connection, self.source.name, [asdict(each) for each in known])

    def _streams(self) -> dict[str, dict[str, object]]:
        return {name: asdict(stream) for name, stream in self.streams.items()}


def _state_of(error: ConnectorError) -> str:
    match error:
        case PausedError():
            return "paused"
        case DeniedError():
            return "denied"
    return "failed"
