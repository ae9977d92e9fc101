"""Rows that are here are mapped once more without the vendor: from the raw log, and from the quarantine."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import func, select

from connectors.kit.base import Page, Raw, Stream
from connectors.kit.errors import ContractError
from connectors.kit.paging import NumberPages
from hub.access.privacy.asking import About
from hub.access.privacy.erasing import erase, plan_erasure
from hub.errors import NotFoundError, RefusedError
from hub.identity import IdentityRules
from hub.model.actions import SyncState
from hub.model.records import Record
from hub.store import Store, raw_rows
from hub.store.syncs import declare_sources
from hub.store.tables import quarantine, raw_row, ticket
from hub.sync import StreamReport, sync
from hub.sync.replay import replay, retry_quarantine
from tests.fakes.clock import START, Clock
from tests.fakes.connector import FakeConnector, rows
from tests.fakes.connector import ticket as mapped
from tests.fakes.desk import Desk

RULES = IdentityRules(sources={})


class Mended(Desk):
    """The desk after its mapping was mended: subjects in capitals, and "weird" means open."""

    def streams(self) -> tuple[Stream, ...]:
        def better(raw: Raw) -> Iterable[Record]:
            known = {**raw, "status": "open"} if raw["status"] == "weird" else raw
            for record in mapped(known):
                yield replace(record, subject=raw["subject"].upper())  # type: ignore[call-arg]  # a ticket has one

        return tuple(replace(stream, records=better) for stream in super().streams())


async def filled(store: Store, *, raw_days: int | None = 30) -> Desk:
    desk, clock = Desk(), Clock()
    async with store.transaction() as connection:
        await declare_sources(connection, {"desk": "fake"})
    desk.put(1, 2, subject="rain")
    desk.put(3, status="weird", subject="rain")
    for version in (2, 3):  # pulled again, and unchanged but for one
        await sync(store, desk.source(raw_days=raw_days), RULES, clock=clock)
        desk.put(2, version=version, subject=f"sun {version}")
        clock.move(days=1)
    del desk.rows["1"]
    clock.move(days=1)
    source = desk.source(raw_days=raw_days)
    await sync(store, source, RULES, clock=clock)
    return desk


async def seen(store: Store) -> dict[str, tuple[str | None, bool]]:
    async with store.reading() as connection:
        rows_ = await connection.execute(select(ticket.c.key, ticket.c.subject, ticket.c.deleted))
        return {row.key: (row.subject, row.deleted) for row in rows_}


async def test_the_raw_log_is_mapped_anew(store: Store) -> None:
    desk = await filled(store)
    async with store.reading() as connection:
        assert await raw_rows.count(connection, "desk") == 5, "the same row again is one entry"
        packed = (await connection.execute(select(func.length(raw_row.c.raw)))).scalars().all()
    assert all(size < 80 for size in packed)
    before = await seen(store)
    assert before == {"1": ("rain", False), "2": ("sun 3", False)}
    source = Mended(rows=desk.rows).source(raw_days=30)
    plan = await replay(store, source, RULES, clock=Clock(START + timedelta(days=5)), dry_run=True)
    assert (await seen(store), plan.moved) == (before, False)
    counts = plan.streams["tickets"]
    assert (counts.pulled, counts.new, counts.changed, counts.quarantined) == (5, 1, 2, 0)
    told: list[StreamReport] = []
    done = await replay(
        store, source, RULES, clock=Clock(START + timedelta(days=5)), progress=lambda _, report: told.append(report)
    )
    assert done.moved
    assert told[-1] == done.streams["tickets"] == replace(counts, state="done")
    assert await seen(store) == {"1": ("RAIN", False), "2": ("SUN 3", False), "3": ("RAIN", False)}
    assert (desk.fetched, desk.pulls) == ([], 3), "the vendor was not asked"
    recent = await replay(store, source, RULES, clock=Clock(START + timedelta(days=5)), since=START + timedelta(days=2))
    assert recent.streams["tickets"].pulled == 1
    with pytest.raises(NotFoundError, match="has no stream 'x'; it has: tickets"):
        await replay(store, source, RULES, clock=Clock(), streams=["x"])


async def test_a_replay_does_not_bring_back_what_is_gone(sqlite_store: Store) -> None:
    await filled(sqlite_store)
    gone = FakeConnector({"tickets": [Page(rows=[], gone=["1"])]}).source()
    await sync(sqlite_store, gone, RULES, clock=Clock())
    assert (await seen(sqlite_store))["1"] == ("rain", True)
    await replay(sqlite_store, Mended().source(raw_days=30), RULES, clock=Clock())
    assert await seen(sqlite_store) == {"1": ("rain", True), "2": ("SUN 3", False), "3": ("RAIN", False)}


async def test_a_source_without_raw_log_keeps_none_and_says_how_to(sqlite_store: Store) -> None:
    desk = await filled(sqlite_store, raw_days=None)
    async with sqlite_store.reading() as connection:
        assert await raw_rows.count(connection, "desk") == 0
    with pytest.raises(RefusedError, match=r"raw_log: \{days: 30\}"):
        await replay(sqlite_store, desk.source(), RULES, clock=Clock())


async def test_rows_in_quarantine_are_tried_again(store: Store) -> None:
    desk = await filled(store, raw_days=None)
    clock = Clock(START + timedelta(days=5))
    still = await retry_quarantine(store, desk.source(), RULES, clock=clock)
    assert (still.streams["tickets"].pulled, still.streams["tickets"].quarantined, still.moved) == (1, 1, False)
    source = Mended(rows=desk.rows).source()
    plan = await retry_quarantine(store, source, RULES, clock=clock, dry_run=True)
    assert (plan.streams["tickets"].new, plan.moved, "3" in await seen(store)) == (1, False, False)
    done = await retry_quarantine(store, source, RULES, clock=clock)
    assert (done.streams["tickets"].new, done.moved, (await seen(store))["3"]) == (1, True, ("RAIN", False))
    async with store.reading() as connection:
        assert (await connection.execute(select(func.count()).select_from(quarantine))).scalar_one() == 0


async def test_of_the_erased_no_raw_row_stays_or_comes(store: Store) -> None:
    desk, clock = Desk(), Clock()
    async with store.transaction() as connection:
        await declare_sources(connection, {"desk": "fake"})
    desk.put(1, subject="ask ann@acme.example")
    desk.put(2, subject="rain")
    source = desk.source(raw_days=30)
    await sync(store, source, RULES, clock=clock)
    about = About(person=("ann@acme.example",))
    plan = await plan_erasure(store, about)
    assert plan.mentions["raw_row"] == 1
    await erase(store, about, by="Ann", now=clock())
    desk.put(1, version=2, subject="ann@acme.example again")
    await sync(store, source, RULES, clock=clock)
    async with store.reading() as connection:
        kept = (await connection.execute(select(raw_row.c.key))).scalars().all()
    assert kept == ["2"]
    async with store.transaction() as connection:
        assert await raw_rows.prune(connection, "desk", before=START + timedelta(days=1), most=10) == 1


async def test_a_cap_of_the_vendors_is_in_the_runs_words(sqlite_store: Store) -> None:
    def capped() -> ContractError:
        pages = NumberPages("Acme search", size=100, cap=200)
        try:
            for _ in range(5):
                pages.next(100)
        except ContractError as error:
            return error
        raise AssertionError("the cap was passed in silence")

    async with sqlite_store.transaction() as connection:
        await declare_sources(connection, {"desk": "fake"})
    script: dict[str, Any] = {"tickets": [Page(rows=rows(1, 2)), capped()], "users": [Page(rows=rows(3))]}
    report = await sync(sqlite_store, FakeConnector(script).source(), RULES, clock=Clock())
    words = "tickets: Acme search: more than 200 rows, which is all the vendor lets us page through"
    assert (report.state, report.error) == (SyncState.INCOMPLETE, words)
    assert report.streams["tickets"].new == 2, "what came before it stays"
