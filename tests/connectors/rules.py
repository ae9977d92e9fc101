"""What every connector has to be, as rules: `PAPER` of what lies in its folder, `USE` of what it does against its sandbox.

A rule is a function that raises AssertionError. A connector may be excused from one in its manifest (`exempt: {rule: why}`);
an exemption from a rule that it keeps, or that there is none of, is an error of its own.
"""

import ast
import base64
import dataclasses
import inspect
import json
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from datetime import date
from enum import StrEnum
from typing import Any

import pytest
from sqlalchemy import select

from connectors.kit import registry
from connectors.kit.base import Page, Stream, Window, map_rows
from connectors.kit.http import Client
from connectors.kit.manifest import Manifest
from connectors.kit.settings import SourceSettings
from hub.model.actions import SyncState
from hub.model.records import RECORD_KINDS, Company, Record
from hub.store import Store
from hub.store.syncs import find_bookmark
from hub.store.tables import RECORD_TABLES, quarantine, sync_run
from scoring.facts import CATALOGUE
from tests.connectors.suite import KINDS, Vendor, emptied
from tests.connectors.worlds import pruned

UNKNOWN = "zz-unheard-of"
NOT_HERE = {"httpx", "requests", "aiohttp", "urllib.request", "http.client", "socket", "urllib3"}
SECRET = ("token", "secret", "password", "api_key", "private_key", "refresh_token", "client_secret", "webhook_secret")
LONGEST_KEY = 240  # of what the quarantine keeps
ASKED_AT_MOST = 30
"""Requests of a stream whose vendor is down: eight tries of each, of what it looks up first."""


@dataclass(frozen=True)
class Folder:
    name: str

    @property
    def manifest(self) -> Manifest:
        return registry.manifest(self.name)

    def streams(self) -> dict[str, Stream]:
        built = registry.build(self.name, {**self.manifest.example, "base_url": "http://127.0.0.1:1/prefix"})
        return {stream.name: stream for stream in built.streams()}

    def golden(self, stream: str) -> dict[str, Any]:
        path = registry.folder(self.name) / "fixtures" / f"{stream}.json"
        assert path.is_file(), f"stream {stream} has no fixtures/{stream}.json"
        golden: dict[str, Any] = json.loads(path.read_text())
        assert {"rows", "records", "refused"} <= golden.keys(), f"{path.name} has no rows, records or refused"
        return golden


# on paper


def manifest(folder: Folder) -> None:
    """It tells of every setting and stream, and its example builds it."""
    told, model = folder.manifest, registry.settings_model(folder.name)
    assert told.name == folder.name
    assert issubclass(model, SourceSettings)
    assert model.model_config["extra"] == "forbid"
    assert set(told.settings) == set(model.model_fields), "settings told of in the manifest, and those there are"
    streams = folder.streams()
    assert list(streams) == list(told.streams), "streams of its example, in their order, and those told of"
    makes = {type_ for stream in streams.values() for type_ in stream.makes}
    assert makes <= set(RECORD_KINDS.values())
    assert Company in makes or not told.creates_customers, "it is to create customers and brings no companies"
    blank = [name for name, note in told.streams.items() if not (note.about.strip() and note.deletions.strip())]
    assert blank == [], "streams that say nothing of themselves or of their deletions"
    assert told.rates, "its rate limits, as the vendor states them"


def feeds(folder: Folder) -> None:
    """It says which facts its records feed, by names there are."""
    named = {fact for note in folder.manifest.streams.values() for fact in note.feeds}
    assert named, "no stream says which facts it feeds"
    assert named <= {fact.name for fact in CATALOGUE}, "facts there are none of"


def readme(folder: Folder) -> None:
    """It tells of every stream and every setting of its own."""
    text = (registry.folder(folder.name) / "README.md").read_text()
    own = [name for name in folder.manifest.settings if name not in SourceSettings.model_fields]
    missing = [what for what in (*folder.manifest.streams, *own) if f"`{what}`" not in text]
    assert missing == [], "streams and settings its README says nothing of"


def imports(folder: Folder) -> None:
    """The kit's client is its only way out, and it knows no other connector."""
    imported = set[str]()
    for path in registry.folder(folder.name).glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Import):
                imported |= {alias.name for alias in node.names}
            elif isinstance(node, ast.ImportFrom):
                imported.add(node.module or "")
    assert not imported & NOT_HERE
    assert {name.split(".")[1] for name in imported if name.startswith("connectors.")} <= {"kit", folder.name}


def sandbox(folder: Folder) -> None:
    """Its sandbox can be served, read and judged without knowing it."""
    made = inspect.signature(registry.sandbox(folder.name)).parameters
    needed = [one.name for one in made.values() if one.default is inspect.Parameter.empty]
    assert needed == ["world", "token", "faults"], "what app() needs"
    settings = registry.sandbox_settings(folder.name, "http://127.0.0.1:1", token="t0ken-of-a-sandbox")
    built = registry.build(folder.name, settings)
    assert {stream.name for stream in built.streams()} == set(folder.manifest.streams), "streams its settings() give"


def golden(folder: Folder) -> None:
    """Fixture rows become the records beside them; of each stream some do, and some are refused by id and field."""
    for name, stream in folder.streams().items():
        found = folder.golden(name)
        records, refused = map_rows(stream, found["rows"])
        made = [_plain({"kind": KINDS[type(record)], **asdict(record)}) for record in records]
        assert made == found["records"], f"records of {name}"
        told = [{"key": bad.key, "reason": bad.reason, "field": bad.field} for bad in refused]
        assert told == found["refused"], f"refused rows of {name}"
        assert {type(record) for record in records} <= set(stream.makes), f"kinds of records of {name}"
        assert records, f"{name} shows no row that becomes a record"
        assert any(bad.key and bad.field for bad in refused), f"{name} shows no refused row with its id and its field"


def unknown_words(folder: Folder) -> None:
    """A word of a row that nobody knows is refused, naming those there are, and never read as one of them."""
    for name, stream in folder.streams().items():
        for raw in folder.golden(name)["rows"]:
            right = {(type(each), each.key): each for each in _mapped(stream, raw)}
            for place, changed in _unheard_of(raw):
                for record in _mapped(stream, changed):
                    was = right.get((type(record), record.key))
                    wrong = [
                        field for field in _closed(record) if was and getattr(was, field) != getattr(record, field)
                    ]
                    assert not wrong, (
                        f"{name}: {place} {UNKNOWN!r} made {wrong[0]} {getattr(record, wrong[0])!r} without a word;"
                        " use values.choice"
                    )


def secrets(folder: Folder) -> None:
    """No secret of its settings shows where they are printed."""
    model = registry.settings_model(folder.name)
    parsed = model.model_validate(dict(folder.manifest.example))
    for field in model.model_fields:
        value = getattr(parsed, field)
        if hasattr(value, "get_secret_value"):
            assert value.get_secret_value() not in repr(parsed), f"repr shows {field}"
        assert field not in SECRET or not isinstance(value, str), f"{field} must be a SecretStr"


PAPER: tuple[Callable[[Folder], None], ...] = (
    manifest, feeds, readme, imports, sandbox, golden, unknown_words, secrets,
)  # fmt: skip


# in use


@dataclass
class Trial:
    """A connector before its sandbox, with a store; `log` is everything that was logged so far."""

    vendor: Vendor
    store: Store
    log: Callable[[], str]
    monkeypatch: pytest.MonkeyPatch

    @property
    def streams(self) -> tuple[Stream, ...]:
        return self.vendor.source.connector.streams()

    async def whole(self) -> None:
        """The store is as the vendor is."""
        self.calm()
        self.vendor.time.pass_(hours=2)
        await self.vendor.calm_sync(await emptied(self.store), after="undisturbed")

    def calm(self) -> None:
        self.vendor.before = lambda _path, _number: None

    def first_of_each(self, **faults: Any) -> set[str]:
        """Strike the first request of each stream; which ones were struck."""
        struck = set[str]()

        def before(_path: str, number: int) -> None:
            if number == 1:
                struck.add(self.vendor.stream)
                for name, value in faults.items():
                    setattr(self.vendor.faults, name, value)

        self.vendor.before = before
        return struck


async def replay(trial: Trial) -> None:
    """Pulled again, nothing is new and nothing has changed."""
    await trial.whole()
    await trial.vendor.expect_truth(trial.store, after="a first sync")
    report = await trial.vendor.sync(trial.store)
    moved = {name: (each.new, each.changed) for name, each in report.streams.items() if each.new or each.changed}
    assert moved == {}, "new and changed rows of a second sync"


async def bookmark(trial: Trial) -> None:
    """A second sync asks for less than the first, by the bookmark of each stream that has one."""
    await trial.whole()
    asked = trial.vendor.asked.copy()
    report = await trial.vendor.sync(trial.store)
    for stream in trial.streams:
        async with trial.store.reading() as connection:
            place = await find_bookmark(connection, trial.vendor.name, stream.name)
        if trial.vendor.manifest.streams[stream.name].bookmark == "none":
            assert place.value is None, f"{stream.name} has a bookmark, and its manifest says it has none"
            continue
        assert place.value is not None, f"{stream.name} leaves no bookmark"
        again = trial.vendor.asked.get(stream.name, [])
        same = again == asked.get(stream.name, [])
        assert not same or not report.streams[stream.name].pulled, (
            f"{stream.name} asks for everything again: {again[:2]}"
        )


async def rate_limited(trial: Trial) -> None:
    """A 429 in the vendor's style is waited out for as long as it says."""
    await emptied(trial.store)
    struck, slept = trial.first_of_each(rate_limited=1, retry_after=17), trial.vendor.time.passed
    report = await trial.vendor.sync(trial.store)
    waited = trial.vendor.time.passed - slept
    trial.calm()
    assert report.state is SyncState.SUCCEEDED, report.error
    assert waited >= 17 * len(struck), f"{len(struck)} times it was to wait 17 s, and waited {waited:.1f} s in all"


async def denied(trial: Trial) -> None:
    """A wrong credential ends the sync after one call, with words; nothing shows it."""
    wrong = "wr0ng-" + trial.vendor.token[::-1]
    source = trial.vendor.made(token=wrong)
    report = await trial.vendor.sync(await emptied(trial.store), source)
    asked = [one for some in trial.vendor.asked.values() for one in some]
    client = source.connector.client()
    calls = 1 if client.renews is False else 2
    assert report.state is SyncState.FAILED
    assert "denied" in {each.state for each in report.streams.values()}, report.error
    assert len(asked) <= calls, f"{len(asked)} requests with a credential that is refused: {asked[:4]}"
    assert report.error, "it does not say why"
    assert wrong not in report.error + repr(source) + trial.log()


async def forbidden(trial: Trial) -> None:
    """A 403 ends its stream after one call, and says which permission is missing."""
    await emptied(trial.store)
    struck = trial.first_of_each(forbidden=1)
    report = await trial.vendor.sync(trial.store)
    trial.calm()
    for name in struck:
        found, note = report.streams[name], trial.vendor.manifest.streams[name]
        assert found.state == "denied", f"{name} was refused, and is {found.state}: {found.error}"
        if note.permission:
            assert note.permission in (found.error or ""), f"{name} does not name the permission: {found.error}"


async def down(trial: Trial) -> None:
    """While the vendor answers with 5xx a stream ends after some tries and says so; later it is made good."""
    trial.vendor.before = lambda _path, _number: setattr(trial.vendor.faults, "server_errors", 1)
    report = await trial.vendor.sync(await emptied(trial.store))
    for name, found in report.streams.items():
        asked = trial.vendor.asked.get(name, [])
        assert found.state in ("failed", "skipped"), f"{name} is {found.state} while its vendor is down"
        assert len(asked) <= ASKED_AT_MOST, f"{name} asked {len(asked)} times"
        assert found.error or found.state == "skipped", f"{name} does not say why it failed"
    assert "503" in (report.error or ""), report.error
    await trial.vendor.settle(trial.store, after="5xx for a while")
    await trial.vendor.expect_truth(trial.store, after="5xx for a while")


async def quarantined(trial: Trial) -> None:
    """Of a page with bad rows the good ones land; the bad ones are in quarantine by stream, id and field."""
    folder = Folder(trial.vendor.name)
    built = {stream.name: stream for stream in folder.streams().values()}
    want: dict[str, set[tuple[str, str | None]]] = {}

    def instead(stream: Stream) -> Stream:
        rows = folder.golden(stream.name)["rows"]
        want[stream.name] = {(bad["key"][:LONGEST_KEY], bad["field"]) for bad in folder.golden(stream.name)["refused"]}

        async def pull(_client: Client, _window: Window) -> AsyncIterator[Page]:
            yield Page(rows=rows)

        return replace(built[stream.name], pull=pull)

    report = await trial.vendor.sync(await emptied(trial.store), trial.vendor.made(change=instead))
    assert report.state is SyncState.SUCCEEDED, report.error
    async with trial.store.reading() as connection:
        found = (await connection.execute(select(quarantine.c["stream", "key", "field"]))).all()
        keys = {
            kind: set((await connection.execute(select(table.c.key))).scalars())
            for kind, table in RECORD_TABLES.items()
        }
    for stream in want:
        assert {(row.key, row.field) for row in found if row.stream == stream} == want[stream], (
            f"quarantine of {stream}"
        )
        landed = folder.golden(stream)["records"]
        missing = [each["key"] for each in landed if each["key"] not in keys[each["kind"]]]
        assert missing == [], f"good rows of {stream} that did not land beside bad ones"


async def fetch(trial: Trial) -> None:
    """Rows can be had by key, as many as are asked for; a key that is gone is told, or comes as deleted."""
    await trial.whole()
    vendor, before = trial.vendor, trial.vendor.world
    truth = registry.truth(vendor.name, before)
    pruned_at = vendor.time.vendor()
    vendor.time.pass_(seconds=max(300, 2 * vendor.manifest.lag_seconds))
    vendor.world = replace(pruned(before, at=pruned_at), until=vendor.time.vendor())
    left = registry.truth(vendor.name, vendor.world)
    async with vendor.source.connector.client() as client:
        for stream in trial.streams:
            if stream.fetch is None:
                continue
            name, keys, here = stream.name, sorted(truth[stream.name]), set(left[stream.name])
            live, gone = await _fetched(stream, client, keys)
            assert live == here, (
                f"fetch of {name}: keys that should not differ from the live ones: {sorted(live ^ here)}"
            )
            assert set(keys) - live <= gone, f"fetch of {name} says nothing of {sorted(set(keys) - live - gone)[:4]}"
    vendor.world = before


async def ids(trial: Trial) -> None:
    """The list of ids is that of the live rows; versions it tells are those of the records."""
    await trial.whole()
    truth = registry.truth(trial.vendor.name, trial.vendor.world)
    async with trial.vendor.source.connector.client() as client:
        for stream in trial.streams:
            if stream.ids is None:
                continue
            window = Window(bookmark=None, started_at=trial.vendor.time.clock())
            listed = {each.key: each.version async for some in stream.ids(client, window) for each in some}
            assert set(listed) == set(truth[stream.name]), f"ids of {stream.name}"
            table = RECORD_TABLES[KINDS[stream.makes[0]]]
            async with trial.store.reading() as connection:
                rows = (await connection.execute(select(table.c.key, table.c.version))).all()
            held = {row.key: row.version for row in rows}
            other = {key: (version, held.get(key)) for key, version in listed.items() if version is not None}
            wrong = {key: pair for key, pair in other.items() if pair[0] != pair[1]}
            assert wrong == {}, f"versions in the ids of {stream.name}, and of its records"


async def no_secrets(trial: Trial) -> None:
    """After all that, no log line, error or kept report shows the credential, plain or as it travels."""
    token = trial.vendor.token
    async with trial.store.reading() as connection:
        kept = str((await connection.execute(select(sync_run))).mappings().all())
    shown = trial.log() + kept
    assert token not in shown
    assert base64.b64encode(token.encode()).decode()[4:-4] not in shown


USE = (replay, bookmark, rate_limited, denied, forbidden, down, quarantined, fetch, ids, no_secrets)


# what they share


async def _fetched(stream: Stream, client: Client, keys: list[str]) -> tuple[set[str], set[str]]:
    """Keys of live records, and keys told to be gone."""
    live, gone = set[str](), set[str]()
    assert stream.fetch is not None
    async for page in stream.fetch(client, keys):
        records, bad = map_rows(stream, page.rows)
        assert bad == [], f"fetched rows of {stream.name} are refused"
        live |= {record.key for record in records if not record.deleted}
        gone |= {record.key for record in records if record.deleted} | set(page.gone)
    return live, gone


def _mapped(stream: Stream, raw: Mapping[str, Any]) -> list[Record]:
    return map_rows(stream, [raw])[0]


def _closed(record: Record) -> Iterator[str]:
    """Fields whose values are a closed list."""
    for field in dataclasses.fields(record):
        if isinstance(getattr(record, field.name), StrEnum):
            yield field.name


def _unheard_of(raw: Any) -> Iterator[tuple[str, dict[str, Any]]]:
    """`raw` with one of its words in turn replaced by one nobody knows, and where that stands."""
    for path in _words(raw):
        changed = json.loads(json.dumps(raw))
        at = changed
        for step in path[:-1]:
            at = at[step]
        at[path[-1]] = UNKNOWN
        yield ".".join(str(step) for step in path), changed


def _words(raw: Any, path: tuple[Any, ...] = ()) -> Iterable[tuple[Any, ...]]:
    parts = raw.items() if isinstance(raw, dict) else enumerate(raw) if isinstance(raw, list) else ()
    for step, value in parts:
        if isinstance(value, str):
            yield (*path, step)
        else:
            yield from _words(value, (*path, step))


def _plain(value: Any) -> Any:
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, dict):
        return {key: _plain(part) for key, part in value.items()}
    return [_plain(part) for part in value] if isinstance(value, (tuple, list)) else value
