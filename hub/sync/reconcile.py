"""Use case: hold a source's streams against what the vendor lists, and mend what differs.

    list ids (`Stream.ids`, or a whole pull) -> compare in SQL -> fetch what is missing or stale -> mark what is gone -> compare

What is missing or stale is fetched by key, or by a whole pull where single rows cannot be asked for. What lives here alone is
asked for by key where that goes, so that the vendor itself says it is gone; otherwise it is marked deleted. Never more of it
than the source's share at once, and nothing at all after a listing that could not be read whole: a broken listing must not
empty a store. Then it is told, loudly, and left to a person, who asks for it with `accept`.
"""

import logging
import secrets
from collections.abc import AsyncIterator, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from connectors.kit.base import Page, Stream, Window, map_rows
from connectors.kit.errors import ConnectorError, PausedError
from connectors.kit.http import Client
from hub.identity import IdentityRules, Resolution, resolve
from hub.store import Connection, Store
from hub.store.gone import bury
from hub.store.listings import Compared, Listing
from hub.store.records import KIND_OF
from hub.store.streams import Check, find_complete_to, note_checked
from hub.store.syncs import pause_source
from hub.sync.batches import batches
from hub.sync.landing import Landed, Landing
from hub.sync.lock import PATIENCE, locked, new_holder
from hub.sync.report import Source

log = logging.getLogger(__name__)
KEYS_PER_BATCH = 1_000
UNLISTED = "cannot be compared: the vendor lists no ids"
RECEIVES = "only receives: there is nobody to compare it with"
BY_NATURE = (UNLISTED, RECEIVES)
"""What is so always, and nobody's to mend."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReconcileReport:
    """checks: {stream: what was found and done}; a stream that cannot be compared says so in its `error`."""

    source: str
    dry_run: bool
    started_at: datetime
    finished_at: datetime
    checks: Mapping[str, Check]
    paused_until: datetime | None = None
    resolution: Resolution = field(default_factory=Resolution)

    @property
    def moved(self) -> bool:
        return any(check.repaired or check.deleted for check in self.checks.values())


Told = Callable[[str, Check], None]
"""Called with each stream's name and its check once it is compared."""


def untold(_stream: str, _check: Check) -> None:
    return None


async def reconcile(
    store: Store,
    source: Source,
    rules: IdentityRules,
    *,
    clock: Callable[[], datetime],
    streams: Collection[str] | None = None,
    dry_run: bool = False,
    accept: bool = False,
    told: Told = untold,
) -> ReconcileReport:
    """Compare the source's streams, or these alone, and mend them; raise BusyError where a sync of it runs.

    dry_run  compare, write nothing
    accept   mark deleted what the vendor does not list, however much it is
    """
    chosen = source.streams(streams)
    started_at = clock()
    checks: dict[str, Check] = {}
    paused_until = None
    resolution = Resolution()
    async with locked(store, source.name, holder=new_holder(aside=True), clock=clock, patience=PATIENCE):
        async with source.connector.client() as client:
            for stream in chosen:
                made = _Comparison(store, source, stream, client, clock=clock, dry_run=dry_run, accept=accept)
                try:
                    check = await made.run()
                except ConnectorError as error:
                    check = Check(error=str(error))
                    paused_until = error.until if isinstance(error, PausedError) else None
                checks[stream.name] = check
                told(stream.name, check)
                await _note(store, source, stream, check, dry_run=dry_run, clock=clock)
                if paused_until is not None:
                    break
        if not dry_run:
            async with store.transaction() as connection:
                resolution = await resolve(connection, rules, source=source.name, now=started_at)
                if paused_until is not None:
                    await pause_source(connection, source.name, until=paused_until)
    return ReconcileReport(
        source=source.name,
        dry_run=dry_run,
        started_at=started_at,
        finished_at=clock(),
        checks=checks,
        paused_until=paused_until,
        resolution=resolution,
    )


async def _note(
    store: Store, source: Source, stream: Stream, check: Check, *, dry_run: bool, clock: Callable[[], datetime]
) -> None:
    differs = check.missing or check.extra or check.stale
    wrong = differs or (check.error and check.error not in BY_NATURE)
    say = log.error if check.held else log.warning if wrong else log.info
    say("%s, stream %s, beside what the vendor lists: %s", source.name, stream.name, in_words(check))
    if not dry_run and check.way is not None:
        async with store.transaction() as connection:
            makes = [KIND_OF[type_] for type_ in stream.makes]
            await note_checked(connection, source.name, stream.name, check, makes=makes, now=clock())


def in_words(check: Check) -> str:
    """One line."""
    if check.theirs is None:
        return check.error or "not compared"
    extra = "extra unknown" if check.extra is None else f"{check.extra:,} extra"
    found = f"{check.theirs:,} theirs, {check.ours:,} ours: {check.missing:,} missing, {extra}, {check.stale:,} stale"
    did = f"; {check.repaired:,} repaired, {check.deleted:,} marked deleted"
    return found + did + (f"; {check.error}" if check.error else "")


class _Comparison:
    """Of one stream."""

    def __init__(
        self,
        store: Store,
        source: Source,
        stream: Stream,
        client: Client,
        *,
        clock: Callable[[], datetime],
        dry_run: bool,
        accept: bool,
    ) -> None:
        self.store, self.source, self.stream, self.client, self.clock = store, source, stream, client, clock
        self.dry_run, self.accept = dry_run, accept
        self.type = stream.makes[0]
        self.window = Window(bookmark=None, started_at=clock())
        run_id = f"check_{self.window.started_at:%Y%m%d%H%M%S}_{secrets.token_hex(4)}"
        self.landing = Landing(source.name, run_id=run_id, raw=source.raw_days is not None)
        self.landed = Landed()
        self.left_out = self.unread = 0

    async def run(self) -> Check:
        stream = self.stream
        if stream.ids is None and not stream.whole:
            return Check(error=RECEIVES if self.source.connector.manifest.receives_only else UNLISTED)
        async with self.store.alone() as connection:
            since = await find_complete_to(connection, self.source.name, stream.name)
            listing = await Listing.lay(connection, self.type, source=self.source.name, began=self.window.started_at)
            async for rows in self._listed():
                await listing.add(connection, rows)
            found = await listing.compare(connection, since=since)
            sure = self._extra_is_sure()
            check = Check(
                way="pull" if stream.ids is None else "ids",
                theirs=found.theirs,
                ours=found.ours,
                missing=found.missing,
                extra=found.extra if sure else None,
                stale=found.stale,
                completeness=_share(found),
            )
            if self.dry_run:
                return self._held(check, found, sure=sure)
            if found.missing or found.stale:
                await self._fetch_wanting(connection, listing, since)
            check = self._held(replace(check, repaired=self.landed.new + self.landed.changed), found, sure=sure)
            known = self.left_out + self.landed.erased + self.landed.gone
            deleted = self.landed.gone
            if sure and found.extra and not check.held:
                deleted += await self._delete_extra(connection, listing)
            left = await listing.compare(connection, since=since)
        return replace(check, deleted=deleted, completeness=_share(left, known=known))

    async def _listed(self) -> AsyncIterator[list[tuple[str, int | None]]]:
        if self.stream.ids is not None:
            async for ids in self.stream.ids(self.client, self.window):
                yield [(each.key, each.version) for each in ids]
            return
        async with batches(self.stream.pull(self.client, self.window)) as batched:
            async for pages in batched:
                rows: list[tuple[str, int | None]] = []
                for page in pages:
                    records, bad = map_rows(self.stream, page.rows)
                    self.unread += len(bad) + len(page.faults)
                    rows += [
                        (each.key, each.version) for each in records if type(each) is self.type and not each.deleted
                    ]
                yield rows

    def _extra_is_sure(self) -> bool:
        """Whether what the stream does not list must be one of its rows: no other stream makes such records."""
        return not any(
            self.type in other.makes for other in self.source.connector.streams() if other.name != self.stream.name
        )

    def _held(self, check: Check, found: Compared, *, sure: bool) -> Check:
        """With what is to be said of extra rows that may not be marked deleted."""
        if not sure or not found.extra or self.accept:
            return check
        if self.unread and self.stream.fetch is None:
            why = f"{self.unread:,} rows of the listing could not be read"
        elif found.extra > (most := max(1, int(self.source.extra_share * found.ours))) or not found.theirs:
            why = f"that is more than {most:,} of {found.ours:,} at once" if found.theirs else "it lists nothing at all"
        else:
            return check
        words = f"{found.extra:,} rows here are not listed by the vendor, and were left as they are: {why}; a person decides"
        return replace(check, held=found.extra, error=words)

    async def _fetch_wanting(self, connection: Connection, listing: Listing, since: datetime | None) -> None:
        if self.stream.fetch is None:
            async with batches(self.stream.pull(self.client, self.window)) as batched:
                async for pages in batched:
                    await self._land(pages)
            return
        after = ""
        while keys := await listing.find_wanting(connection, since=since, after=after, most=KEYS_PER_BATCH):
            await self._fetch(keys)
            after = keys[-1]

    async def _delete_extra(self, connection: Connection, listing: Listing) -> int:
        """By the vendor's own word on each, where it can be asked."""
        deleted, after = 0, ""
        while keys := await listing.find_extra(connection, after=after, most=KEYS_PER_BATCH):
            if self.stream.fetch is not None:
                before = self.landed.gone
                await self._fetch(keys)
                deleted += self.landed.gone - before
            else:
                async with self.store.transaction() as writing:
                    deleted += await bury(writing, self.type, keys, source=self.source.name, now=self.clock())
            after = keys[-1]
        return deleted

    async def _fetch(self, keys: Sequence[str]) -> None:
        assert self.stream.fetch is not None, "asked before"
        async with batches(self.stream.fetch(self.client, keys)) as batched:
            async for pages in batched:
                await self._land(pages)
                for raw in (raw for page in pages for raw in page.rows):
                    self.left_out += map_rows(self.stream, [raw]) == ([], [])

    async def _land(self, pages: Sequence[Page]) -> None:
        async with self.store.transaction() as connection:
            landed = await self.landing.land(connection, self.stream, pages, historical=False, now=self.clock())
        self.landed = self.landed.plus(landed)


def _share(found: Compared, *, known: int = 0) -> float:
    """Of the vendor's rows that we hold. known: rows we lack and know why, such as those of the erased."""
    if not found.theirs:
        return 1.0
    return 1.0 - min(found.theirs, max(0, found.missing - known)) / found.theirs
