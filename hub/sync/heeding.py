"""Use case: do what webhooks told of: land the rows that were sent, fetch the others by key, pull streams that cannot fetch.

What fails is tried again later and later, and given up loudly; the next sync and the next comparison still bring it. While a
quota is used up it waits and that counts as no try.
"""

import logging
import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import groupby
from typing import TypeVar

from connectors.kit.base import Page, Raw, Stream
from connectors.kit.errors import ConnectorError, PausedError
from connectors.kit.http import Client
from hub.errors import NotFoundError, RefusedError, TransientError
from hub.identity import IdentityRules, resolve
from hub.model.actions import SyncState
from hub.model.records import Company
from hub.store import Connection, Store
from hub.store.source_events import SourceEvent, find_due, finish, put_off
from hub.store.syncs import find_bookmark
from hub.sync.batches import batches
from hub.sync.landing import Landed, Landing
from hub.sync.lock import locked, new_holder
from hub.sync.report import Source
from hub.sync.run import sync
from hub.sync.tracking import note_tracked, sum_days, sums

log = logging.getLogger(__name__)
EVENTS_PER_GO = 2_000
KEYS_PER_FETCH = 500
TRIES = 8
FIRST_WAIT = timedelta(seconds=15)
LONGEST_WAIT = timedelta(hours=1)
Item = TypeVar("Item")


@dataclass(frozen=True, slots=True, kw_only=True)
class Heeded:
    """done, waiting, given_up: events; landed: what they brought, in rows; left: more are due already."""

    done: int = 0
    waiting: int = 0
    given_up: int = 0
    landed: Landed = Landed()  # noqa: RUF009 - frozen, and without parts
    left: bool = False

    def plus(self, later: "Heeded") -> "Heeded":
        """Both; left is the later's word."""
        return Heeded(
            done=self.done + later.done,
            waiting=self.waiting + later.waiting,
            given_up=self.given_up + later.given_up,
            landed=self.landed.plus(later.landed),
            left=later.left,
        )

    @property
    def moved(self) -> bool:
        return bool(self.landed.new or self.landed.changed or self.landed.gone)


async def heed(store: Store, source: Source, rules: IdentityRules, *, clock: Callable[[], datetime]) -> Heeded:
    """Do what is due of one source, at most `EVENTS_PER_GO` of it; raise BusyError where a sync of it runs."""
    go = _Go(store, source, rules, clock)
    await go.run()
    return Heeded(done=go.done, waiting=go.waiting, given_up=go.given_up, landed=go.landed, left=go.left)


class _Go:
    def __init__(self, store: Store, source: Source, rules: IdentityRules, clock: Callable[[], datetime]) -> None:
        self.store, self.source, self.rules, self.clock = store, source, rules, clock
        self.streams = {stream.name: stream for stream in source.connector.streams()}
        run_id = f"hook_{clock():%Y%m%d%H%M%S}_{secrets.token_hex(4)}"
        self.landing = Landing(source.name, run_id=run_id, raw=source.raw_days is not None)
        self.landed = Landed()
        self.done = self.waiting = self.given_up = 0
        self.left = False

    async def run(self) -> None:
        async with self.store.reading() as connection:
            events = await find_due(connection, self.source.name, now=self.clock(), most=EVENTS_PER_GO)
        self.left = len(events) == EVENTS_PER_GO
        by_stream = sorted(events, key=lambda each: each.stream)
        to_pull: dict[str, list[SourceEvent]] = {}
        aside = new_holder(aside=True)
        if any(self._here(each) for each in events):
            async with (
                locked(self.store, self.source.name, holder=aside, clock=self.clock),
                self.source.connector.client() as client,
            ):
                for name, some in groupby([each for each in by_stream if self._here(each)], lambda each: each.stream):
                    await self._do(client, name, list(some))
        await self._sum()
        for event in events:
            if not self._here(event):
                to_pull.setdefault(event.stream, []).append(event)
        if to_pull:
            await self._pull(to_pull)

    def _here(self, event: SourceEvent) -> bool:
        """Whether it needs no pull: the row was sent, or can be fetched; or its stream is no more, which is told."""
        stream = self.streams.get(event.stream)
        return stream is None or event.raw is not None or (event.key is not None and stream.fetch is not None)

    async def _do(self, client: Client, name: str, events: Sequence[SourceEvent]) -> None:
        stream = self.streams.get(name)
        if stream is None:
            known = ", ".join(self.streams)
            await self._fail(
                events, NotFoundError(f"there is no stream {name!r} any more; there are: {known}"), last=True
            )
            return
        async with self.store.reading() as connection:
            historical = not (await find_bookmark(connection, self.source.name, name)).complete
        pushed = [each for each in events if each.raw is not None]
        for some in _parts(pushed, EVENTS_PER_GO):
            await self._land_pushed(stream, some, historical=historical)
        by_key: dict[str, list[SourceEvent]] = {}
        for each in events:
            if each.raw is None and each.key is not None:
                by_key.setdefault(each.key, []).append(each)
        for keys in _parts(list(by_key), KEYS_PER_FETCH):
            told = [each for key in keys for each in by_key[key]]
            try:
                await self._fetch(client, stream, keys, told, historical=historical)
            except ConnectorError as error:
                await self._fail(told, error)
        if Company in stream.makes:
            async with self.store.transaction() as connection:
                await resolve(connection, self.rules, source=self.source.name, now=self.clock())

    async def _land_pushed(self, stream: Stream, events: Sequence[SourceEvent], *, historical: bool) -> None:
        """Rows that were sent. Where the store takes not all of them together, each finds out for itself."""
        try:
            if stream.tracked is not None:
                await self._track(stream, events)
            else:
                rows: list[Raw] = [each.raw for each in events if each.raw is not None]
                await self._land(stream, [Page(rows=rows)], events, historical=historical)
        except TransientError:
            raise
        except Exception as error:  # the loop of a worker: one row that nobody thought of must not hold up the others
            if len(events) > 1:
                for half in _parts(events, (len(events) + 1) // 2):
                    await self._land_pushed(stream, half, historical=historical)
                return
            log.exception("%s: a row of stream %s that was sent could not be stored", self.source.name, stream.name)
            await self._fail(events, RefusedError(f"it could not be stored ({type(error).__name__}): see the log"))

    async def _track(self, stream: Stream, events: Sequence[SourceEvent]) -> None:
        """Acts and what is said of users; with the state of the events that brought them."""
        raws: list[Raw] = [each.raw for each in events if each.raw is not None]
        now = self.clock()
        async with self.store.transaction() as connection:
            veil = self.landing.veil
            page = await note_tracked(connection, stream, raws, source=self.source.name, veil=veil, now=now)
            landed = await self.landing.land(connection, stream, [page], historical=False, now=now)
            await finish(connection, [each.id for each in events], now=now)
        self.done += len(events)
        self.landed = self.landed.plus(landed)

    async def _sum(self) -> None:
        """Days that have got more acts, a few hundred at a time."""
        for stream in self.streams.values():
            left = sums(stream)
            while left:
                async with self.store.transaction() as connection:
                    rows, left = await sum_days(connection, source=self.source.name)
                    landed = await self.landing.land(
                        connection, stream, [Page(rows=rows)], historical=False, now=self.clock()
                    )
                self.landed = self.landed.plus(landed)

    async def _fetch(
        self, client: Client, stream: Stream, keys: Sequence[str], events: Sequence[SourceEvent], *, historical: bool
    ) -> None:
        assert stream.fetch is not None, "chosen by it"
        async with batches(stream.fetch(client, keys)) as batched:
            async for pages in batched:
                await self._land(stream, pages, (), historical=historical)
        async with self.store.transaction() as connection:
            await self._finish(connection, events)

    async def _land(
        self, stream: Stream, pages: Sequence[Page], done: Sequence[SourceEvent], *, historical: bool
    ) -> None:
        """Rows and the state of the events that brought them, or nothing of it."""
        async with self.store.transaction() as connection:
            landed = await self.landing.land(connection, stream, pages, historical=historical, now=self.clock())
            await self._finish(connection, done)
        self.landed = self.landed.plus(landed)

    async def _finish(self, connection: Connection, events: Sequence[SourceEvent]) -> None:
        if events:
            await finish(connection, [each.id for each in events], now=self.clock())
            self.done += len(events)

    async def _pull(self, by_stream: dict[str, list[SourceEvent]]) -> None:
        """One sync of these streams answers every event that came before it began."""
        report = await sync(self.store, self.source, self.rules, clock=self.clock, only=by_stream.keys())
        for name, events in by_stream.items():
            stream = report.streams[name]
            self.landed = self.landed.plus(
                Landed(pulled=stream.pulled, new=stream.new, changed=stream.changed, gone=stream.gone)
            )
            if stream.state == "done":
                async with self.store.transaction() as connection:
                    await self._finish(connection, events)
            elif report.state is SyncState.PAUSED and report.paused_until is not None:
                await self._fail(events, PausedError(report.error or "paused", until=report.paused_until))
            else:
                await self._fail(events, ConnectorError(stream.error or f"the stream was {stream.state}"))

    async def _fail(self, events: Sequence[SourceEvent], error: Exception, *, last: bool = False) -> None:
        now, paused = self.clock(), isinstance(error, PausedError)
        due: dict[str, datetime | None] = {}
        for each in events:
            if isinstance(error, PausedError):
                due[each.id] = max(error.until, now)
            else:
                wait = min(LONGEST_WAIT, FIRST_WAIT * 2.0**each.tries)
                due[each.id] = None if last or each.tries + 1 >= TRIES else now + wait
        lost = [id_ for id_, when in due.items() if when is None]
        self.given_up += len(lost)
        self.waiting += len(due) - len(lost)
        if lost:
            log.error("%s: %d events of webhooks were given up: %s", self.source.name, len(lost), error)
        else:
            log.warning("%s: %d events of webhooks wait: %s", self.source.name, len(due), error)
        async with self.store.transaction() as connection:
            await put_off(connection, due, error=str(error), now=now, counted=not paused)


def _parts(items: Sequence[Item], size: int) -> list[Sequence[Item]]:
    return [items[start : start + size] for start in range(0, len(items), size)]
