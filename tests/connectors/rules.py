"""What every connector has to be, as rules: `PAPER` of what lies in its folder, `USE` of what it does against its sandbox.

A rule is a function that raises AssertionError. A connector may be excused from one in its manifest (`exempt: {rule: why}`);
an exemption from a rule that it keeps, or that there is none of, is an error of its own.
"""

import ast
import base64
import dataclasses
import importlib
import inspect
import json
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from datetime import date, datetime, timedelta
from enum import StrEnum
from itertools import zip_longest
from typing import Any

import pytest
from sqlalchemy import select

from connectors.kit import registry
from connectors.kit.base import BadRowError, Page, Stream, Window, map_rows
from connectors.kit.http import Client
from connectors.kit.manifest import Manifest
from connectors.kit.sandbox import Faults
from connectors.kit.settings import SourceSettings
from connectors.kit.signing import BadSignatureError
from connectors.kit.simulated import World
from hub.model.actions import SyncState
from hub.model.records import RECORD_KINDS, Company, Record
from hub.store import Store
from hub.store.syncs import find_bookmark
from hub.store.tables import RECORD_TABLES, quarantine, sync_run
from hub.sync.reconcile import in_words
from scoring.facts import CATALOGUE
from tests.connectors.suite import KINDS, Vendor, emptied
from tests.connectors.worlds import WHAT, company, pruned

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
    told_or_not = set(told.settings) ^ set(model.model_fields)
    assert not told_or_not, f"settings that only the manifest or only the code has: {sorted(told_or_not)}"
    streams = folder.streams()
    assert list(streams) == list(told.streams), (
        f"its example has streams {list(streams)}, the manifest {list(told.streams)}"
    )
    makes = {type_ for stream in streams.values() for type_ in stream.makes}
    assert makes <= set(RECORD_KINDS.values())
    assert Company in makes or not told.creates_customers, "it is to create customers and brings no companies"
    blank = [name for name, note in told.streams.items() if not (note.about.strip() and note.deletions.strip())]
    assert not blank, f"streams that say nothing of themselves or of their deletions: {blank}"
    assert told.rates, "its rate limits, as the vendor states them"


def feeds(folder: Folder) -> None:
    """It says which facts its records feed, by names there are."""
    named = {fact for note in folder.manifest.streams.values() for fact in note.feeds}
    assert named, "no stream says which facts it feeds"
    unknown = named - {fact.name for fact in CATALOGUE}
    assert not unknown, f"there are no facts {sorted(unknown)}; see scoring/facts.py"


def readme(folder: Folder) -> None:
    """It tells of every stream and every setting of its own."""
    text = (registry.folder(folder.name) / "README.md").read_text()
    own = [name for name in folder.manifest.settings if name not in SourceSettings.model_fields]
    missing = [what for what in (*folder.manifest.streams, *own) if f"`{what}`" not in text]
    assert not missing, f"its README says nothing of `{'`, `'.join(missing)}`"


def imports(folder: Folder) -> None:
    """The kit's client is its only way out, and it knows no other connector."""
    imported = set[str]()
    for path in registry.folder(folder.name).glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Import):
                imported |= {alias.name for alias in node.names}
            elif isinstance(node, ast.ImportFrom):
                imported.add(node.module or "")
    assert not imported & NOT_HERE, f"imports {sorted(imported & NOT_HERE)}"
    others = {name.split(".")[1] for name in imported if name.startswith("connectors.")} - {"kit", folder.name}
    assert not others, f"imports other connectors: {sorted(others)}"


def sandbox(folder: Folder) -> None:
    """Its sandbox can be served, read and judged without knowing it."""
    made = inspect.signature(registry.sandbox(folder.name)).parameters
    needed = [one.name for one in made.values() if one.default is inspect.Parameter.empty]
    assert needed == ["world", "token", "faults"], f"app() is given world, token and faults, and needs {needed}"
    settings = registry.sandbox_settings(folder.name, "http://127.0.0.1:1", token="t0ken-of-a-sandbox")
    built = registry.build(folder.name, settings)
    given = {stream.name for stream in built.streams()}
    assert given == set(folder.manifest.streams), f"by its settings() there are the streams {sorted(given)} only"


def over_http(folder: Folder) -> None:
    """It speaks HTTP, so that the suites can do to its sandbox what goes wrong; what does not has tests of its own."""
    routes = registry.sandbox(folder.name)(company, token="t0ken", faults=Faults()).routes
    assert [route.path for route in routes if route.path != "/_faults"], "its sandbox serves nothing"


def golden(folder: Folder) -> None:
    """Fixture rows become the records beside them; of each stream some do, and some are refused by id and field."""
    for name, stream in folder.streams().items():
        found = folder.golden(name)
        records, refused = map_rows(stream, found["rows"])
        made = [_plain({"kind": KINDS[type(record)], **asdict(record)}) for record in records]
        _same(f"records of {name}", made, found["records"])
        told = [{"key": bad.key, "reason": bad.reason, "field": bad.field} for bad in refused]
        _same(f"refused rows of {name}", told, found["refused"])
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
    manifest, feeds, readme, imports, sandbox, over_http, golden, unknown_words, secrets,
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
    assert not moved, f"new and changed rows of a second sync: {moved}"


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
    shown = report.error + repr(source) + trial.log()
    assert wrong not in shown, f"the credential is shown: {_around(shown, wrong)}"


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
    assert "503" in (report.error or ""), f"it does not say what the vendor answered: {report.error}"
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
        assert not missing, f"good rows of {stream} that did not land beside bad ones: {missing}"


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
    """The list of ids is that of the live rows; versions it tells are those of the records; nothing differs after a sync."""
    await trial.whole()
    checks = (await trial.vendor.reconcile(trial.store, dry_run=True)).checks
    found = {name: in_words(check) for name, check in checks.items() if check.missing or check.extra or check.stale}
    assert not found, f"what differs from what the vendor lists, after a whole sync: {found}"
    truth = registry.truth(trial.vendor.name, trial.vendor.world)
    async with trial.vendor.source.connector.client() as client:
        for stream in trial.streams:
            if stream.ids is None:
                continue
            window = Window(bookmark=None, started_at=trial.vendor.time.clock())
            listed = {each.key: each.version async for some in stream.ids(client, window) for each in some}
            _same(f"ids of {stream.name}", sorted(listed), sorted(truth[stream.name]))
            table = RECORD_TABLES[KINDS[stream.makes[0]]]
            async with trial.store.reading() as connection:
                rows = (await connection.execute(select(table.c.key, table.c.version))).all()
            held = {row.key: row.version for row in rows}
            other = {key: (version, held.get(key)) for key, version in listed.items() if version is not None}
            wrong = {key: pair for key, pair in other.items() if pair[0] != pair[1]}
            assert not wrong, f"versions in the ids of {stream.name}, and of its records: {wrong}"


async def webhook(trial: Trial) -> None:
    """What the vendor sends is believed when it is signed, refused when it is not, and says which rows to fetch."""
    vendor, module = trial.vendor, registry.webhook(trial.vendor.name)
    told = vendor.manifest.webhooks
    assert (module is None) == (told is None), (
        f"it has {'no' * (module is None)} webhook.py, and its manifest says {told!r}"
    )
    if module is None:
        return
    sender, now = importlib.import_module(f"connectors.{vendor.name}.sandbox"), vendor.time.clock()
    model = registry.settings_model(vendor.name)
    settings = {
        **registry.sandbox_settings(vendor.name, vendor.url, token=vendor.token),
        **_hook_secrets(model, "right"),
    }
    right = model.model_validate(settings)
    wrong = model.model_validate({**settings, **_hook_secrets(model, "wrong")})
    truth, streams = registry.truth(vendor.name, vendor.world), {stream.name: stream for stream in trial.streams}
    heard = set[str]()
    for what, number in _anything(vendor.world):
        try:
            body = sender.event(what, number)
        except LookupError:
            continue  # the vendor has no such row, or sends nothing of it
        how = {"method": "POST", "url": f"https://hub.example/hooks/{vendor.name}"}

        def signed(body: bytes, at: datetime, how: dict[str, str] = how) -> dict[str, str]:
            given = sender.signed(body, settings=right, now=at, **how)
            return {name.lower(): value for name, value in given.items()}

        headers = signed(body, now)
        module.verified(headers, body, settings=right, now=now, **how)
        refused: list[tuple[str, Any, bytes, Any, datetime]] = [
            ("under another secret", headers, body, wrong, now),
            ("without its headers", {}, body, right, now),
        ]
        if signed(body + b" ", now) != headers:
            refused.append(("with another body", headers, body + b" ", right, now))
        if signed(body, now + timedelta(hours=1)) != headers:
            refused.append(("an hour late", headers, body, right, now + timedelta(hours=1)))
        for why, given, sent, by, at in refused:
            try:
                module.verified(given, sent, settings=by, now=at, **how)
            except BadSignatureError as error:
                shown = str(error)
            else:
                raise AssertionError(f"a webhook {why} was believed")
            assert not [secret for secret in _hook_secrets(model, "right").values() if secret in shown], (
                "a secret is shown"
            )
        if hasattr(module, "rows"):
            pushed = module.rows(headers, body)
            assert pushed, f"nothing of {what} {number} is read"
            for row in pushed:
                assert map_rows(streams[row.stream], [row.raw])[1] == [], f"the row sent of {what} {number} is refused"
            ids = [(row.event_id, row.stream) for row in pushed]
        else:
            some = module.hints(headers, body)
            assert some, f"no hint of {what} {number}"
            for hint in some:
                assert hint.key is None or hint.key in truth[hint.stream], f"{what} {number} hints at {hint}"
            ids = [(hint.event_id, hint.stream) for hint in some]
        assert not heard & {event_id for event_id, _ in ids}, "two events have one id"
        heard |= {event_id for event_id, _ in ids}
    assert heard, "its sandbox can send no event"
    try:
        read = (module.rows if hasattr(module, "rows") else module.hints)(headers, b"<no JSON>")
    except BadRowError:
        return
    raise AssertionError(f"a body that is no JSON was read as {read}")


async def no_secrets(trial: Trial) -> None:
    """After all that, no log line, error or kept report shows the credential, plain or as it travels."""
    token = trial.vendor.token
    async with trial.store.reading() as connection:
        kept = str((await connection.execute(select(sync_run))).mappings().all())
    shown = trial.log() + kept
    assert token not in shown, f"the credential is shown: {_around(shown, token)}"
    assert base64.b64encode(token.encode()).decode()[4:-4] not in shown


USE = (replay, bookmark, rate_limited, denied, forbidden, down, quarantined, fetch, ids, webhook, no_secrets)


# what they share


def _hook_secrets(model: type[SourceSettings], which: str) -> dict[str, str]:
    """Values of the settings by which webhooks are verified."""
    return {
        name: f"whsec-{which}-{name}-0123456789" for name in model.model_fields if "webhook" in name or "hook_" in name
    }


def _anything(world: World) -> Iterator[tuple[str, int]]:
    """Two rows of each part of the World that are there, and live."""
    live = replace(world, people=[row for row in world.people if row.left_at is None])
    for part, what in WHAT.items():
        for row in [row for row in getattr(live, part) if not getattr(row, "ended_on", None)][:2]:
            yield what, row.number


async def _fetched(stream: Stream, client: Client, keys: list[str]) -> tuple[set[str], set[str]]:
    """Keys of live records, and keys told to be gone."""
    live, gone = set[str](), set[str]()
    assert stream.fetch is not None
    async for page in stream.fetch(client, keys):
        records, bad = map_rows(stream, page.rows)
        assert not bad, f"fetched rows of {stream.name} are refused: {bad[0].reason}"
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


def _same(what: str, have: list[Any], want: list[Any]) -> None:
    """The first that differs is shown."""
    for one, other in zip_longest(have, want):
        assert one == other, f"{what}: {one!r}, and expected was {other!r}"


def _around(text: str, what: str) -> str:
    at = text.index(what)
    return f"{text[max(0, at - 80) : at]}***"


def _plain(value: Any) -> Any:
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, dict):
        return {key: _plain(part) for key, part in value.items()}
    return [_plain(part) for part in value] if isinstance(value, (tuple, list)) else value
