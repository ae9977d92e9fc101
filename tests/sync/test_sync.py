"""A sync lands page and bookmark together, tells what it did, and after any death goes on without loss or double."""

import asyncio
from collections.abc import AsyncIterator, Iterable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select, update

from connectors.kit.base import Page, Stream, Window, map_rows
from connectors.kit.budget import Quota
from connectors.kit.errors import ContractError, DeniedError, PausedError, TransientError
from hub.errors import BusyError
from hub.identity import IdentityRules, SourceRules
from hub.model.actions import SyncState
from hub.model.records import Quarantined, Record
from hub.store import Store
from hub.store.syncs import Place, declare_sources, find_bookmark, find_sources, lock_source
from hub.store.tables import bookmark, quarantine, sync_run, ticket
from hub.sync import StreamReport, SyncReport, sync
from hub.sync.lock import LOCK_FOR
from tests.fakes.clock import START, Clock
from tests.fakes.connector import FakeConnector, rows

RULES = IdentityRules(sources={"crm": SourceRules(creates_customers=True)})


async def run(store: Store, connector: FakeConnector, *, name: str = "desk", clock: Clock | None = None) -> SyncReport:
    async with store.transaction() as connection:
        await declare_sources(connection, {name: "fake"})
    return await sync(store, connector.source(name), RULES, clock=clock or Clock())


async def stored(store: Store) -> list[str]:
    async with store.reading() as connection:
        return list((await connection.execute(select(ticket.c.key).order_by(ticket.c.key))).scalars())


async def place(store: Store, stream: str = "tickets") -> Place:
    async with store.reading() as connection:
        return await find_bookmark(connection, "desk", stream)


async def test_rows_bookmark_and_counts(store: Store) -> None:
    connector = FakeConnector(
        {"tickets": [Page(rows=rows(1, 2), bookmark={"at": 2}), Page(rows=rows(3), bookmark={"at": 3})]}
    )
    report = await run(store, connector)
    stream = report.streams["tickets"]
    assert (report.state, stream.pulled, stream.new, stream.state) == (SyncState.SUCCEEDED, 3, 3, "done")
    assert await stored(store) == ["1", "2", "3"]
    assert await place(store) == Place({"at": 3}, complete=True)
    again = FakeConnector({"tickets": [Page(rows=[*rows(3), *rows(2, version=2)], bookmark={"at": 3})]})
    stream = (await run(store, again)).streams["tickets"]
    assert (stream.new, stream.changed, stream.unchanged) == (0, 1, 1)
    assert again.asked[0][1].bookmark == {"at": 3}
    async with store.reading() as connection:
        [state] = await find_sources(connection)
    assert (state.run_state, state.locked_by, state.last_succeeded_at) == ("succeeded", None, START)


async def test_a_bookmark_knows_when_its_stream_last_brought_anything_new(store: Store) -> None:
    async def brought() -> datetime | None:
        async with store.reading() as connection:
            found: datetime | None = (await connection.execute(select(bookmark.c.brought_at))).scalar_one()
            return found

    await run(store, FakeConnector({"tickets": [Page(rows=rows(1), bookmark={"at": 1})]}))
    assert await brought() == START
    async with store.transaction() as connection:
        await connection.execute(update(bookmark).values(brought_at=START - timedelta(days=1)))
    await run(store, FakeConnector({"tickets": [Page(rows=rows(1), bookmark={"at": 1})]}))
    assert await brought() == START - timedelta(days=1), "the same row again is nothing new"
    await run(store, FakeConnector({"tickets": [Page(rows=rows(1, version=2), bookmark={"at": 2})]}))
    assert await brought() == START


async def test_what_is_left_of_a_quota_is_kept_with_the_source(store: Store) -> None:
    async def kept() -> Any:
        async with store.reading() as connection:
            [state] = await find_sources(connection)
        return state.quotas

    pages: dict[str, Any] = {"tickets": [Page(rows=rows(1), bookmark={"at": 1})]}
    await run(store, FakeConnector(pages))
    assert await kept() is None, "nobody knows of one"
    told = Quota(name="exports", limit=10, remaining=9, resets_at=START + timedelta(minutes=1), as_of=START)
    row = {
        "name": "exports",
        "limit": 10,
        "remaining": 9,
        "resets_at": "2026-11-01T12:01:00+00:00",
        "as_of": "2026-11-01T12:00:00+00:00",
    }
    await run(store, FakeConnector(pages, quotas=[told]))
    assert await kept() == [row]
    await run(store, FakeConnector(pages))
    assert await kept() == [row], "a sync that asked nothing knows no better"
    paused = {"tickets": [PausedError("used up", until=START)]}
    await run(store, FakeConnector(paused, quotas=[replace(told, remaining=0)]))
    assert (await kept())[0]["remaining"] == 0, "above all where it was used up"


async def test_what_is_left_is_kept_while_a_sync_runs_at_most_every_minute(store: Store) -> None:
    clock, told = Clock(), Quota(name="default", limit=100, remaining=90, resets_at=None, as_of=START)
    connector = FakeConnector({name: [Page(rows=rows(number))] for number, name in enumerate(("a", "b", "c"))})
    connector.quotas = [told]

    async def kept() -> Any:
        async with store.reading() as connection:
            [state] = await find_sources(connection)
        return state.quotas and state.quotas[0]["remaining"]

    seen = list[Any]()
    pull = connector._pull

    async def watched(name: str, window: Window) -> AsyncIterator[Page]:
        seen.append((name, await kept()))  # what the streams before have left
        clock.move(seconds=50)
        async for page in pull(name, window):
            yield page

    connector._pull = watched  # type: ignore[method-assign]  # to look in between
    await run(store, connector, clock=clock)
    assert seen == [("a", None), ("b", None), ("c", 90)], "after 50 and after 100 seconds"


async def test_a_bad_row_is_kept_with_its_reason_and_the_rest_lands(store: Store) -> None:
    fault = Quarantined(key="line 7", reason="is no JSON", raw={"line": "{"})
    connector = FakeConnector(
        {"tickets": [Page(rows=[*rows(1), *rows(2, status="weird")], bookmark={"at": 2}, faults=[fault])]}
    )
    report = await run(store, connector)
    assert report.streams["tickets"].quarantined == 2
    assert report.streams["tickets"].pulled == 3
    assert await stored(store) == ["1"]
    async with store.reading() as connection:
        held = {row.key: row for row in await connection.execute(select(quarantine))}
    assert (held["2"].field, held["2"].reason, held["2"].raw["status"]) == (
        "status",
        "status 'weird' is unknown",
        "weird",
    )
    assert held["line 7"].reason == "is no JSON"
    await run(store, FakeConnector({"tickets": [Page(rows=rows(2, version=2))]}))
    async with store.reading() as connection:
        assert list((await connection.execute(select(quarantine.c.key))).scalars()) == ["line 7"]


@pytest.mark.parametrize(
    ("error", "state", "stream_state"),
    [
        (TransientError("the vendor is down"), SyncState.INCOMPLETE, "failed"),
        (ContractError("the same page token twice"), SyncState.INCOMPLETE, "failed"),
        (DeniedError("needs the scope tickets.read", scope="stream"), SyncState.INCOMPLETE, "denied"),
        (PausedError("the daily quota is used up", until=START), SyncState.PAUSED, "paused"),
    ],
)
async def test_what_landed_before_an_error_stays_and_the_rest_is_said(
    store: Store, error: Exception, state: SyncState, stream_state: str
) -> None:
    pages = [Page(rows=rows(1), bookmark={"at": 1}), error]
    report = await run(store, FakeConnector({"tickets": pages, "more": [Page(rows=rows(9))]}))
    assert report.state is state
    assert report.streams["tickets"].state == stream_state
    assert str(error) in (report.error or "")
    assert await place(store) == Place({"at": 1}, complete=False)
    landed = ["1"] if state is SyncState.PAUSED else ["1", "9"]
    assert await stored(store) == landed


async def test_a_source_that_is_refused_stops_at_once(store: Store) -> None:
    connector = FakeConnector({"tickets": [DeniedError("the token is wrong")], "more": [Page(rows=rows(9))]})
    report = await run(store, connector)
    assert report.state is SyncState.FAILED
    assert [name for name, _ in connector.asked] == ["tickets"]
    assert await stored(store) == []


async def test_a_bug_in_a_connector_is_not_swallowed_and_gives_the_lock_back(store: Store) -> None:
    connector = FakeConnector({"tickets": [Page(rows=rows(1), bookmark={"at": 1}), ZeroDivisionError("bug")]})
    with pytest.raises(ZeroDivisionError):
        await run(store, connector)
    async with store.reading() as connection:
        [state] = await find_sources(connection)
    assert (state.run_state, state.run_error, state.locked_by) == ("failed", "stopped by ZeroDivisionError", None)
    assert (await run(store, FakeConnector({"tickets": [Page(rows=rows(2))]}))).state is SyncState.SUCCEEDED


async def test_history_counts_as_learned_when_it_happened_until_the_first_pull_is_complete(store: Store) -> None:
    clock = Clock()
    clock.move(days=5)
    await run(
        store, FakeConnector({"tickets": [Page(rows=rows(1), bookmark={"at": 1}), TransientError("x")]}), clock=clock
    )
    clock.move(days=1)
    await run(store, FakeConnector({"tickets": [Page(rows=rows(2), bookmark={"at": 2})]}), clock=clock)
    clock.move(days=1)
    await run(store, FakeConnector({"tickets": [Page(rows=rows(3), bookmark={"at": 3})]}), clock=clock)
    async with store.reading() as connection:
        learned = {
            row.key: row.learned_at for row in await connection.execute(select(ticket.c.key, ticket.c.learned_at))
        }
    assert learned == {"1": START, "2": START, "3": clock.now}


async def test_one_sync_of_a_source_at_a_time(store: Store) -> None:
    async with store.transaction() as connection:
        await declare_sources(connection, {"desk": "fake"})
        await lock_source(connection, "desk", holder="elsewhere:1:x", now=START, until=START + LOCK_FOR)
    connector = FakeConnector({"tickets": [Page(rows=rows(1))]})
    with pytest.raises(BusyError, match="elsewhere:1"):
        await run(store, connector)
    assert connector.asked == []
    clock = Clock(START + LOCK_FOR * 2)
    assert (await run(store, connector, clock=clock)).state is SyncState.SUCCEEDED


async def test_a_run_that_was_killed_is_marked_interrupted(store: Store) -> None:
    async with store.transaction() as connection:
        row = dict.fromkeys(("pulled", "new", "changed", "unchanged", "quarantined"), 0)
        await connection.execute(
            sync_run.insert(),
            [{"id": "s0", "source": "desk", "state": "running", "started_at": START, "streams": {}, **row}],
        )
    await run(store, FakeConnector({"tickets": [Page(rows=rows(1))]}))
    async with store.reading() as connection:
        states = (await connection.execute(select(sync_run.c.state).order_by(sync_run.c.state))).scalars().all()
    assert states == ["interrupted", "succeeded"]


async def test_pages_are_pulled_ahead_but_not_without_end(sqlite_store: Store) -> None:
    given: list[int] = []

    class Slow(FakeConnector):
        async def _pull(self, name: str, window: Any) -> Any:
            for number in range(200):
                given.append(number)
                yield Page(rows=rows(*range(number * 500, number * 500 + 500)), bookmark={"at": number})

    seen: list[int] = []
    async with sqlite_store.transaction() as connection:
        await declare_sources(connection, {"desk": "fake"})

    def progress(_: str, report: StreamReport) -> None:
        seen.append(len(given) - report.pulled // 500)

    await sync(sqlite_store, Slow({"tickets": []}).source(), RULES, clock=Clock(), progress=progress)
    assert len(await stored(sqlite_store)) == 100_000
    assert max(seen) <= 8


async def test_a_cancelled_sync_says_so_and_releases(store: Store) -> None:
    hanging = asyncio.Event()

    class Hanging(FakeConnector):
        async def _pull(self, name: str, window: Any) -> Any:
            yield Page(rows=rows(1), bookmark={"at": 1})
            hanging.set()
            await asyncio.Event().wait()

    task = asyncio.create_task(run(store, Hanging({"tickets": []})))
    await hanging.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    async with store.reading() as connection:
        [state] = await find_sources(connection)
    assert (state.run_state, state.locked_by) == ("failed", None)


def test_bad_rows_without_an_id_stay_two() -> None:
    def refuse(raw: Any) -> Iterable[Record]:
        raise ValueError("no")

    stream = Stream(name="t", makes=(), pull=lambda *_: None, records=refuse)  # type: ignore[arg-type, return-value]  # never pulled
    _, bad = map_rows(stream, [{"a": 1}, {"a": 2}, {"a": 1}])
    assert len({each.key for each in bad}) == 2
    assert all(each.key.startswith("no id ") for each in bad)


def test_a_row_of_another_shape_is_the_rows_fault() -> None:
    def broken(raw: Any) -> Iterable[Record]:
        raise KeyError("organization_id")

    stream = Stream(name="t", makes=(), pull=lambda *_: None, records=broken)  # type: ignore[arg-type, return-value]  # never pulled
    records, bad = map_rows(stream, [{"id": 5}])
    assert (records, bad[0].key, bad[0].field) == ([], "5", "organization_id")


async def test_what_the_vendor_says_is_gone_is_kept_and_marked(store: Store) -> None:
    async def living() -> list[str]:
        async with store.reading() as connection:
            return list(
                (
                    await connection.execute(
                        select(ticket.c.key).where(ticket.c.deleted.is_(False)).order_by(ticket.c.key)
                    )
                ).scalars()
            )

    await run(store, FakeConnector({"tickets": [Page(rows=rows(1, 2, 3, 4), bookmark={"at": 1})]}))
    script = [
        Page(rows=[], gone=["1", "2", "3", "never seen"]),
        Page(rows=rows(3), bookmark={"at": 2}),  # it was gone, and is back with the version it had
        Page(rows=rows(4, version=2), gone=["4"], bookmark={"at": 3}),
    ]
    report = await run(store, FakeConnector({"tickets": script}))
    assert (report.streams["tickets"].gone, report.moved) == (3, True)
    assert (await stored(store), await living()) == (["1", "2", "3", "4"], ["3"])
    again = await run(store, FakeConnector({"tickets": [Page(rows=[], gone=["1", "2"])]}))
    assert (again.streams["tickets"].gone, again.moved) == (0, False), "they were gone already"
    back = await run(store, FakeConnector({"tickets": [Page(rows=rows(1))]}))
    assert (back.streams["tickets"].changed, await living()) == (1, ["1", "3"])
