"""A stream held against the vendor's listing: what differs is found, mended, and never mended into an empty store."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select, update

from connectors.kit.base import Page
from connectors.kit.errors import TransientError
from hub.identity import IdentityRules
from hub.model.actions import SyncState
from hub.store import Store
from hub.store.streams import find_standings
from hub.store.syncs import declare_sources
from hub.store.tables import stream_day, ticket
from hub.sync import sync
from hub.sync.reconcile import ReconcileReport, reconcile
from tests.fakes.clock import START, Clock
from tests.fakes.connector import FakeConnector
from tests.fakes.desk import Desk

RULES = IdentityRules(sources={})
SOON = int(START.timestamp() * 1000)


async def synced(store: Store, desk: Desk) -> None:
    async with store.transaction() as connection:
        await declare_sources(connection, {"desk": "fake"})
    report = await sync(store, desk.source(), RULES, clock=Clock())
    assert report.state is SyncState.SUCCEEDED


async def compared(store: Store, desk: Desk, **how: Any) -> ReconcileReport:
    clock = Clock()
    clock.move(seconds=3_600)
    share = how.pop("share", 0.1)
    return await reconcile(store, desk.source(extra_share=share), RULES, clock=clock, **how)


async def living(store: Store) -> dict[str, int]:
    async with store.reading() as connection:
        rows = await connection.execute(select(ticket.c.key, ticket.c.version).where(ticket.c.deleted.is_(False)))
        return {row.key: row.version for row in rows}


async def spoil(store: Store, desk: Desk) -> None:
    """20 rows, of which the hub lost one, missed a change of another, and did not hear that a third is gone."""
    desk.put(*range(1, 21), version=5)
    await synced(store, desk)
    async with store.transaction() as connection:
        await connection.execute(ticket.delete().where(ticket.c.key == "1"))
        await connection.execute(update(ticket).where(ticket.c.key == "2").values(version=4, digest=4, subject="old"))
    del desk.rows["3"]
    desk.put(99, version=SOON + 60_000)  # since the last sync: the next one brings it


@pytest.mark.parametrize("can_fetch", [True, False])
async def test_what_differs_is_found_and_mended(store: Store, can_fetch: bool) -> None:
    desk = Desk(can_fetch=can_fetch)
    await spoil(store, desk)
    before = await living(store)
    plan = (await compared(store, desk, dry_run=True)).checks["tickets"]
    assert (plan.missing, plan.extra, plan.stale, plan.repaired, plan.deleted) == (1, 1, 1, 0, 0)
    assert (plan.theirs, plan.ours, plan.completeness) == (20, 19, 0.95)
    assert await living(store) == before
    async with store.reading() as connection:
        assert [each.completeness for each in await find_standings(connection)] == [None], "a dry run keeps nothing"
    report = await compared(store, desk)
    done = report.checks["tickets"]
    assert (done.missing, done.extra, done.stale, done.deleted, done.completeness) == (1, 1, 1, 1, 1.0)
    assert (done.repaired, done.error, report.moved) == (2 if can_fetch else 3, None, True)
    if can_fetch:
        assert desk.fetched == [["1", "2"], ["3"]], "the vendor itself says that the third is gone"
    expected = {str(number): 5 for number in range(1, 21) if number != 3}
    now = await living(store)
    assert {key: version for key, version in now.items() if key != "99"} == expected
    async with store.reading() as connection:
        [standing] = await find_standings(connection)
        days = (await connection.execute(select(stream_day.c.day, stream_day.c.completeness))).all()
    assert (standing.completeness, standing.missing, standing.complete_to) == (1.0, 1, START)
    assert standing.checked_at == START + timedelta(hours=1)
    assert [tuple(row) for row in days] == [(START.date(), 1.0)]
    again = (await compared(store, desk)).checks["tickets"]
    assert (again.missing, again.extra, again.stale, again.repaired) == (0, 0, 0, 0)


async def test_a_broken_listing_empties_no_store(store: Store, caplog: pytest.LogCaptureFixture) -> None:
    desk = Desk(can_fetch=False)
    desk.put(*range(1, 21))
    await synced(store, desk)
    desk.unlisted = {str(number) for number in range(1, 4)}
    check = (await compared(store, desk)).checks["tickets"]
    assert (check.extra, check.held, check.deleted) == (3, 3, 0)
    assert check.error is not None
    assert "3 rows here are not listed" in check.error
    assert "more than 2 of 20" in check.error
    assert [record.levelname for record in caplog.records if "a person decides" in record.message] == ["ERROR"]
    assert len(await living(store)) == 20
    desk.unlisted = set(desk.rows)
    check = (await compared(store, desk, share=1.0)).checks["tickets"]
    assert (check.held, check.error is not None and "lists nothing at all" in check.error) == (20, True)
    assert len(await living(store)) == 20
    async with store.reading() as connection:
        [standing] = await find_standings(connection)
    assert (standing.held, standing.check_error) == (20, check.error)
    desk.unlisted = {"1", "2", "3"}
    check = (await compared(store, desk, accept=True)).checks["tickets"]
    assert (check.deleted, check.held, check.error, len(await living(store))) == (3, 0, None, 17)


async def test_what_a_listing_forgot_and_the_vendor_still_has_stays(sqlite_store: Store) -> None:
    desk = Desk()
    desk.put(*range(1, 21))
    await synced(sqlite_store, desk)
    desk.unlisted = {"1"}  # it moved to another page while the listing was read
    check = (await compared(sqlite_store, desk)).checks["tickets"]
    assert (check.extra, check.deleted, len(await living(sqlite_store))) == (1, 0, 20)


async def test_a_whole_pull_is_a_listing_unless_it_cannot_be_read_whole(sqlite_store: Store) -> None:
    desk = Desk(can_fetch=False, lists_ids=False, whole=True)
    desk.put(*range(1, 21), version=5)
    await synced(sqlite_store, desk)
    del desk.rows["1"]
    desk.put(2, version=6, status="weird")  # would look as if it were gone, too
    check = (await compared(sqlite_store, desk)).checks["tickets"]
    assert (check.way, check.theirs, check.extra, check.deleted, check.held) == ("pull", 18, 2, 0, 2)
    assert check.error is not None
    assert "1 rows of the listing could not be read" in check.error
    desk.put(2, version=6)
    check = (await compared(sqlite_store, desk)).checks["tickets"]
    assert (check.extra, check.deleted, sorted(await living(sqlite_store))[:2]) == (1, 1, ["10", "11"])


async def test_streams_that_cannot_be_listed_say_so_and_errors_leave_what_was_known(sqlite_store: Store) -> None:
    desk = Desk(lists_ids=False)
    desk.put(1)
    await synced(sqlite_store, desk)
    assert (await compared(sqlite_store, desk)).checks["tickets"].error == "cannot be compared: the vendor lists no ids"
    desk = Desk(lists_ids=False, whole=True)
    desk.put(1)
    await compared(sqlite_store, desk)
    desk.fails = [TransientError("desk.example did not answer in time")]
    report = await compared(sqlite_store, desk)
    assert report.checks["tickets"].error == "desk.example did not answer in time"
    async with sqlite_store.reading() as connection:
        [standing] = await find_standings(connection)
    assert standing.completeness == 1.0


async def test_a_stream_that_is_no_more_is_asked_nothing(store: Store) -> None:
    desk = Desk()
    desk.put(1)
    await synced(store, desk)
    clock = Clock()
    clock.move(days=1)
    await sync(store, FakeConnector({"users": [Page(rows=[])]}).source(), RULES, clock=clock)
    async with store.reading() as connection:
        days = await connection.execute(
            select(stream_day.c.stream, stream_day.c.day, stream_day.c.makes).order_by(stream_day.c.id)
        )
        assert [tuple(row) for row in days] == [
            ("tickets", START.date(), ["ticket"]),
            ("tickets", START.date() + timedelta(days=1), []),
            ("users", START.date() + timedelta(days=1), ["ticket"]),
        ]
        standings = {each.stream: each.complete_to for each in await find_standings(connection)}
    assert standings == {"tickets": None, "users": clock()}
