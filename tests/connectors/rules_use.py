"""What every connector has to do before its sandbox: rules as functions that raise AssertionError. `USE` is all of them.

A connector may be excused from one in its manifest (`exempt: {rule: why}`); see test_conformance.py.
"""

import base64
from collections.abc import AsyncIterator
from dataclasses import replace

from sqlalchemy import select

from connectors.kit import registry
from connectors.kit.base import Page, Stream, Window, map_rows
from connectors.kit.http import Client
from hub.model.actions import SyncState
from hub.store.syncs import find_bookmark
from hub.store.tables import RECORD_TABLES, quarantine, sync_run
from hub.sync.reconcile import in_words
from tests.connectors.rules_paper import Folder, same
from tests.connectors.rules_webhook import webhook
from tests.connectors.suite import KINDS, emptied
from tests.connectors.trial import Trial
from tests.connectors.worlds import pruned

LONGEST_KEY = 240  # of what the quarantine keeps
ASKED_AT_MOST = 30
"""Requests of a stream whose vendor is down: eight tries of each, of what it looks up first."""


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
        found = (await connection.execute(select(quarantine))).all()
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
            same(f"ids of {stream.name}", sorted(listed), sorted(truth[stream.name]))
            table = RECORD_TABLES[KINDS[stream.makes[0]]]
            async with trial.store.reading() as connection:
                rows = (await connection.execute(select(table.c.key, table.c.version))).all()
            held = {row.key: row.version for row in rows}
            other = {key: (version, held.get(key)) for key, version in listed.items() if version is not None}
            wrong = {key: pair for key, pair in other.items() if pair[0] != pair[1]}
            assert not wrong, f"versions in the ids of {stream.name}, and of its records: {wrong}"


async def no_secrets(trial: Trial) -> None:
    """After all that, no log line, error or kept report shows the credential, plain or as it travels."""
    token = trial.vendor.token
    async with trial.store.reading() as connection:
        kept = str((await connection.execute(select(sync_run))).mappings().all())
    shown = trial.log() + kept
    assert token not in shown, f"the credential is shown: {_around(shown, token)}"
    assert base64.b64encode(token.encode()).decode()[4:-4] not in shown


USE = (replay, bookmark, rate_limited, denied, forbidden, down, quarantined, fetch, ids, webhook, no_secrets)


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


def _around(text: str, what: str) -> str:
    at = text.index(what)
    return f"{text[max(0, at - 80) : at]}***"
