"""What the suites of all connectors do: serve a connector's sandbox, sync it for real, and compare the store with the truth.

    vendor = Vendor("acme", serve, monkeypatch)      the sandbox over loopback HTTP; `vendor.world` may change at any time
    report = await vendor.sync(store)                a real sync; its sleeping moves a clock that nobody waits for
    await vendor.expect_truth(store, after=…)        live keys as the World has them, and rows as an undisturbed sync has them

Nothing here knows a vendor. A connector brings its manifest, its fixtures and `app`, `settings` and `truth` of its sandbox.
"""

import asyncio
import inspect
import logging
import traceback
import uuid
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select, text

from connectors.kit import registry, tempo
from connectors.kit.base import Connector, Page, Stream, Window
from connectors.kit.http import Client
from connectors.kit.sandbox import Faults, Limiter
from connectors.kit.simulated import World
from hub.identity import IdentityRules, SourceRules
from hub.model.actions import SyncState
from hub.model.records import RECORD_KINDS
from hub.store import Store
from hub.store.syncs import declare_sources
from hub.store.tables import RECORD_TABLES, metadata, quarantine
from hub.sync import Source, SyncReport, sync
from hub.sync.reconcile import ReconcileReport, reconcile
from tests.connectors.worlds import company

SMALL_PAGE = 3
SERVED = [name for name in registry.names() if "over_http" not in registry.manifest(name).exempt]
"""Connectors whose sandbox the suites can serve."""
UNTOLD = frozenset({"learned_at", "synced_at", "decided_at", "version", "digest"})
"""Columns that say when the hub learned of a row, and not what the row is."""
KINDS = {type_: kind for kind, type_ in RECORD_KINDS.items()}
Held = dict[str, dict[str, dict[str, Any]]]
"""What a store holds: {kind: {key: row}} of live rows."""


class FakeTime:
    """A clock that only sleeping moves, and `pass_`; `skew`: how far the hub's clock is ahead of the vendor's."""

    def __init__(self, now: datetime) -> None:
        self.start, self.passed, self.skew = now, 0.0, timedelta(0)
        self.slept: list[float] = []

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.passed += seconds
        await asyncio.sleep(0)

    def pass_(self, **by: float) -> None:
        self.passed += timedelta(**by).total_seconds()

    def vendor(self) -> datetime:
        return self.start + timedelta(seconds=self.passed)

    def clock(self) -> datetime:
        return self.vendor() + self.skew

    def monotonic(self) -> float:
        return self.passed

    def rule(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Every client and every sandbox's limit made from now on goes by this clock."""
        for made in (Client, Limiter):
            known = inspect.signature(made.__init__).parameters
            defaults: dict[str, Any] = made.__init__.__kwdefaults__ or {}
            for name in ("sleep", "clock", "monotonic"):
                if name in known:
                    monkeypatch.setitem(defaults, name, getattr(self, name))
        monkeypatch.setattr(tempo, "sleep", self.sleep)
        monkeypatch.setattr(tempo, "monotonic", self.monotonic)


class Vendor:
    """A connector's sandbox, served, and a source that reads it.

    before      called before each request with its path and how many there were since the stream began, this one included
    asked       "METHOD path?query body" of the requests, by stream, of the last sync
    """

    def __init__(
        self,
        name: str,
        serve: Callable[[Any], str],
        monkeypatch: pytest.MonkeyPatch,
        *,
        world: World | None = None,
        time: FakeTime | None = None,
    ) -> None:
        self.name, self.manifest = name, registry.manifest(name)
        self.world = world or company()
        self.time = time or FakeTime(self.world.until)
        self.time.rule(monkeypatch)
        self.faults = Faults()
        self.token = f"s3cret{uuid.uuid4().hex}"
        self.before: Callable[[str, int], None] = lambda _path, _number: None
        self.asked: dict[str, list[str]] = {}
        self.stream = ""
        self.crashes: list[str] = []
        make = registry.sandbox(name)
        options = {"page_size": SMALL_PAGE} if "page_size" in inspect.signature(make).parameters else {}
        self._app = make(lambda: self.world, token=self.token, faults=self.faults, **options)

        async def served(
            scope: Any, receive: Any, send: Any
        ) -> None:  # a function: of a method the server thinks otherwise
            await self._serve(scope, receive, send)

        self.url = serve(served)
        self.source = self.made()

    async def _serve(self, scope: Any, receive: Any, send: Any) -> None:
        asked = self.asked.setdefault(self.stream, [])
        number = len(asked)
        asked.append(f"{scope['method']} {scope['path']}?{scope['query_string'].decode()} ")
        self.before(scope["path"], number + 1)

        async def heard() -> Any:
            message = await receive()
            asked[number] += message.get("body", b"").decode(errors="replace")
            return message

        try:
            await self._app(scope, heard, send)
        except Exception:  # a bug of a sandbox would pass for one more fault of its vendor
            self.crashes.append(f"the sandbox of {self.name} at {asked[number]}:\n{traceback.format_exc(limit=-4)}")
            raise

    def made(self, *, token: str | None = None, change: Callable[[Stream], Stream] = lambda stream: stream) -> Source:
        """A source that reads the sandbox; `change` may put something else in a stream's place."""
        settings = registry.sandbox_settings(self.name, self.url, token=token or self.token)
        connector = _Watched(registry.build(self.name, settings), self, change)
        return Source(name=self.name, connector=connector, connector_name=self.name)

    async def sync(self, store: Store, source: Source | None = None) -> SyncReport:
        """One sync of all streams, as of now: the World has lived until the vendor's clock says."""
        self.world = replace(self.world, until=self.time.vendor())
        self.asked.clear()
        async with store.transaction() as connection:
            await declare_sources(connection, {self.name: self.name})
        report = await sync(store, source or self.source, self._rules, clock=self.time.clock)
        assert not self.crashes, self.crashes[0]
        return report

    async def reconcile(self, store: Store, *, dry_run: bool = False) -> ReconcileReport:
        """Hold the store against what the vendor lists, as is done now and then."""
        source = replace(self.source, extra_share=1.0)
        report = await reconcile(store, source, self._rules, clock=self.time.clock, dry_run=dry_run)
        assert not self.crashes, self.crashes[0]
        return report

    @property
    def _rules(self) -> IdentityRules:
        return IdentityRules(sources={self.name: SourceRules(creates_customers=self.manifest.creates_customers)})

    async def settle(self, store: Store, *, after: str) -> None:
        """Nothing goes wrong any more: a sync, once what is late has become visible, and pauses are over, must succeed."""
        self.before = lambda _path, _number: None
        for name, value in vars_of(Faults()).items():
            setattr(self.faults, name, value)
        self.time.pass_(seconds=max(300, 2 * self.manifest.lag_seconds))
        await self.calm_sync(store, after=after)

    async def calm_sync(self, store: Store, *, after: str) -> None:
        """One that succeeds, once the pauses are over that a used-up quota asks for."""
        report = await self.sync(store)
        for _ in range(3):
            if report.paused_until is None:
                break
            self.time.passed += max(0.0, (report.paused_until - self.time.clock()).total_seconds())
            report = await self.sync(store)
        assert report.state is SyncState.SUCCEEDED, (
            f"{self.name}, {after}: nothing goes wrong any more, and a sync still ends {report.state}: {report.error}"
        )

    async def expect_truth(self, store: Store, *, after: str, like: Held | None = None) -> None:
        """Live keys are those of the truth, and rows are `like` those of an undisturbed sync."""
        held = await holds(store)
        wrong = [*self.wrong_keys(held), *await _quarantined(store)]
        if like is not None and not wrong:
            wrong = list(differences(like, held))
        assert not wrong, f"{self.name}, {after}: the store is not what the vendor has:\n  " + "\n  ".join(wrong[:20])

    def wrong_keys(self, held: Held) -> Iterable[str]:
        """Per group of streams that make the same kinds of records: keys missing in the store, and such it has too many."""
        truth = registry.truth(self.name, self.world)
        for streams, kinds in _groups(self.source.connector.streams()):
            want = {key for stream in streams for key in truth[stream]}
            have = {key for kind in kinds for key in held[kind]}
            if have != want:
                missing, extra = sorted(want - have), sorted(have - want)
                yield f"stream {', '.join(streams)} ({', '.join(kinds)}): missing {missing[:6]}, too many {extra[:6]}"


class _Watched:
    """A connector that tells the vendor which stream is being pulled."""

    def __init__(self, inner: Connector, vendor: Vendor, change: Callable[[Stream], Stream]) -> None:
        self.manifest, self._inner, self._vendor, self._change = inner.manifest, inner, vendor, change

    def client(self) -> Client:
        return self._inner.client()

    def streams(self) -> tuple[Stream, ...]:
        return tuple(self._watched(self._change(stream)) for stream in self._inner.streams())

    def _watched(self, stream: Stream) -> Stream:
        async def pull(client: Client, window: Window) -> AsyncIterator[Page]:
            self._vendor.stream = stream.name
            self._vendor.asked[stream.name] = []
            async for page in stream.pull(client, window):
                yield page

        return replace(stream, pull=pull)


async def emptied(store: Store) -> Store:
    """The store as a sync finds it that is the first: quicker than another one, whose statements are all new to it."""
    async with store.transaction() as connection:
        there = set((await connection.execute(text("SELECT name FROM sqlite_master WHERE type = 'table'"))).scalars())
        for table in reversed(metadata.sorted_tables):
            if table.name in there:  # one may be on its way to its migration
                await connection.execute(table.delete())
    return store


async def holds(store: Store) -> Held:
    held: Held = {}
    async with store.reading() as connection:
        for kind, table in RECORD_TABLES.items():
            rows = (await connection.execute(select(table))).mappings().all()
            held[kind] = {
                row["key"]: {name: value for name, value in row.items() if name not in UNTOLD}
                for row in rows
                if not row["deleted"]
                and not (row["version"] == 0 and row["digest"] == 0)  # implied by another row only
            }
    return held


def differences(like: Held, held: Held) -> Iterable[str]:
    for kind, rows in like.items():
        for key in sorted(rows.keys() | held[kind].keys()):
            was, now = rows.get(key), held[kind].get(key)
            if was is None or now is None:
                yield f"{kind} {key}: {'missing' if now is None else 'too many'}, beside an undisturbed sync"
            elif was != now:
                names = [name for name in was if was[name] != now[name]]
                told = ", ".join(f"{name} {now[name]!r} instead of {was[name]!r}" for name in names)
                yield f"{kind} {key}: {told}, which an undisturbed sync has"


def vars_of(faults: Faults) -> Mapping[str, Any]:
    return {name: getattr(faults, name) for name in faults.__dataclass_fields__}


def secrets_in(records: Iterable[logging.LogRecord], secret: str) -> list[str]:
    """Log lines that show `secret`."""
    return [text for record in records if secret in (text := record.getMessage())]


async def _quarantined(store: Store) -> list[str]:
    async with store.reading() as connection:
        rows = (await connection.execute(select(quarantine))).mappings().all()
    return [f"stream {row['stream']}: {row['key']} is in quarantine: {row['reason']}" for row in rows]


def _groups(streams: Iterable[Stream]) -> list[tuple[list[str], set[str]]]:
    """Streams that share a kind of record, with the kinds they make: a store knows rows by kind, not by stream."""
    groups: list[tuple[list[str], set[str]]] = []
    for stream in streams:
        names, kinds = [stream.name], {KINDS[type_] for type_ in stream.makes}
        for other in [group for group in groups if group[1] & kinds]:
            groups.remove(other)
            names, kinds = [*other[0], *names], kinds | other[1]
        groups.append((names, kinds))
    return groups
