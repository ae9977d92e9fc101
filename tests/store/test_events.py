import asyncio
from collections.abc import Sequence
from contextlib import AsyncExitStack
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import insert

from hub.model.actions import AlertOutcome, RunState, SyncState
from hub.store import Store, alerts, runs, scorecards, syncs
from hub.store.events import (
    Heard,
    Span,
    find_events,
    find_span,
    has_unnumbered,
    note_events,
    number_events,
    prune_events,
)
from hub.store.hearing import listening
from hub.store.tables import customer

NOW = datetime(2026, 11, 22, 9, tzinfo=UTC)
TODAY = NOW.date()


def an_event(subject: str, *, at: datetime = NOW, customer_id: str | None = None) -> dict[str, Any]:
    return {"at": at, "kind": "alert", "change": "opened", "customer_id": customer_id, "subject": subject, "data": {}}


@pytest.fixture
async def postgresql_store(store: Store) -> Store:
    if store.dialect != "postgresql":
        pytest.skip("SQLite has one writer at a time")
    return store


async def note(store: Store, *subjects: str, at: datetime = NOW) -> None:
    async with store.transaction() as connection:
        await note_events(connection, [an_event(subject, at=at) for subject in subjects])


async def number(store: Store) -> int:
    async with store.transaction() as connection:
        return await number_events(connection)


async def heard(store: Store, *, after: int = 0) -> list[Heard]:
    await number(store)
    async with store.reading() as connection:
        return await find_events(connection, after=after)


async def subjects(store: Store, *, after: int = 0) -> list[tuple[int, str]]:
    return [(each.number, each.subject) for each in await heard(store, after=after)]


async def told(store: Store) -> list[tuple[str, str, str]]:
    return [(each.kind, each.change, each.subject) for each in await heard(store)]


async def customers(store: Store, *ids: str) -> None:
    async with store.transaction() as connection:
        rows = [
            {"id": id_, "name": id_.title(), "created_at": NOW, "updated_at": NOW, "csm_email": f"{id_}@us.example"}
            for id_ in ids
        ]
        await connection.execute(insert(customer), rows)


async def test_events_are_read_in_order_from_a_place_on(store: Store) -> None:
    await note(store, "a", "b")
    await note(store, "c")

    assert await subjects(store) == [(1, "a"), (2, "b"), (3, "c")]
    assert await subjects(store, after=2) == [(3, "c")]
    async with store.reading() as connection:
        assert await find_span(connection) == Span(1, 3)
        assert [each.subject for each in await find_events(connection, after=0, until=2)] == ["a", "b"]
        assert [each.subject for each in await find_events(connection, after=0, most=1)] == ["a"]


async def test_what_is_undone_was_never_told(store: Store) -> None:
    async def fail() -> None:
        async with store.transaction() as connection:
            await note_events(connection, [an_event("a")])
            raise RuntimeError("undone")

    with pytest.raises(RuntimeError, match="undone"):
        await fail()
    await note(store, "b")

    assert await subjects(store) == [(1, "b")]


async def test_who_writes_first_and_commits_last_is_read_last_and_not_lost(postgresql_store: Store) -> None:
    store = postgresql_store
    async with AsyncExitStack() as slow:
        first = await slow.enter_async_context(store.transaction())
        await note_events(first, [an_event("written first")])
        async with store.transaction() as second:  # while the first is open
            await note_events(second, [an_event("written second")])
        assert await subjects(store) == [(1, "written second")]
        assert await number(store) == 0  # what is not committed has no number yet

    assert await subjects(store, after=1) == [(2, "written first")]


async def test_a_reader_in_the_middle_of_many_writers_misses_nothing(postgresql_store: Store) -> None:
    store = postgresql_store
    place, seen = 0, []

    async def write(writer: int) -> None:
        for turn in range(5):
            async with store.transaction() as connection:
                await note_events(connection, [an_event(f"{writer}.{turn}")])
                await asyncio.sleep(
                    0.001 * ((writer * 7 + turn * 3) % 5)
                )  # they commit in another order than they write

    async def read() -> None:
        nonlocal place
        found = await heard(store, after=place)
        seen.extend(found)
        place = found[-1].number if found else place

    async with asyncio.TaskGroup() as group:
        writers = [group.create_task(write(writer)) for writer in range(4)]
        while not all(writer.done() for writer in writers):
            await read()
    await read()

    assert sorted(each.subject for each in seen) == sorted(
        f"{writer}.{turn}" for writer in range(4) for turn in range(5)
    )
    assert [each.number for each in seen] == list(range(1, 21))


async def test_several_processes_number_at_once_and_none_gets_two(postgresql_store: Store) -> None:
    store = postgresql_store
    await note(store, *(str(i) for i in range(20)))

    assert sorted(await asyncio.gather(*(number(store) for _ in range(4)))) == [0, 0, 0, 20]
    assert [number_ for number_, _ in await subjects(store)] == list(range(1, 21))
    async with store.reading() as connection:
        assert not await has_unnumbered(connection)


async def test_old_events_are_forgotten_and_numbers_go_on(store: Store) -> None:
    await note(store, "old", at=NOW - timedelta(days=8))
    await note(store, "new")
    await note(store, "old, and committed late", at=NOW - timedelta(days=8))
    await number(store)

    async with store.transaction() as connection:
        assert await prune_events(connection, before=NOW - timedelta(days=7)) == 1
        assert await find_span(connection) == Span(2, 3)
    assert await subjects(store) == [(2, "new"), (3, "old, and committed late")]

    async with store.transaction() as connection:
        assert await prune_events(connection, before=NOW + timedelta(days=1)) == 2
        assert await find_span(connection) == Span(4, 3)
    await note(store, "newest")
    assert await subjects(store) == [(4, "newest")]


def an_alert(id_: str, *, run_id: str | None = None) -> dict[str, Any]:
    row = {"id": id_, "customer_id": "acme", "kind": "alert", "title": "t", "severity": "high", "state": "open"}
    return row | {"dedup_key": f"key.{id_}", "opened_at": NOW, "updated_at": NOW, "run_id": run_id}


def a_run(id_: str, *, state: str = "running") -> dict[str, Any]:
    row = {
        "id": id_,
        "playbook": "save",
        "playbook_version": 1,
        "definition": {},
        "customer_id": "acme",
        "episode": id_,
    }
    row |= {"cause": "hand", "state": state, "step": 0, "fence": 0, "facts": {}, "started_at": NOW, "updated_at": NOW}
    return row


async def test_alerts_tell_what_becomes_of_them(store: Store) -> None:
    await customers(store, "acme")
    async with store.transaction() as connection:
        await alerts.open_alerts(connection, [an_alert("one"), an_alert("two")])
        await alerts.open_alerts(connection, [an_alert("one")])  # is there already
        await alerts.change_alert(connection, "one", {"note": "called", "updated_at": NOW})
        await alerts.change_alert(connection, "one", {"state": "closed", "updated_at": NOW})
        for _ in range(2):
            await alerts.close(connection, ["key.two"], outcome=AlertOutcome.SUCCESS, note=None, now=NOW)

    assert await told(store) == [
        ("alert", "opened", "one"),
        ("alert", "opened", "two"),
        ("alert", "changed", "one"),
        ("alert", "closed", "one"),
        ("alert", "closed", "two"),
    ]
    [first, *_] = await heard(store)
    assert (first.customer_id, first.csm_email, dict(first.data)) == (
        "acme",
        "acme@us.example",
        {"severity": "high", "kind": "alert"},
    )


async def test_alerts_of_runs_tell_of_those_that_are_open(store: Store) -> None:
    await customers(store, "acme")
    async with store.transaction() as connection:
        await runs.insert(connection, [a_run("r")])
        await alerts.open_alerts(connection, [an_alert("one", run_id="r"), an_alert("two", run_id="r")])
        await alerts.change_alert(connection, "two", {"state": "closed", "updated_at": NOW})
        await alerts.note_of_runs(connection, ["r"], note="left open", now=NOW)
        closing = {"run": "r", "came": "success", "said": None, "at": NOW}
        await alerts.close_of_runs(connection, [closing])
        await alerts.close_of_runs(connection, [closing])

    assert [each for each in await told(store) if each[0] == "alert"][3:] == [
        ("alert", "changed", "one"),
        ("alert", "closed", "one"),
    ]


async def test_runs_tell_when_they_begin_wait_and_end(store: Store) -> None:
    await customers(store, "acme")
    async with store.transaction() as connection:
        await runs.insert(connection, [a_run("r"), a_run("out", state="held_out")])
        await runs.insert(connection, [a_run("r")])  # is there already
        move = {"id": "r", "step": 1, "updated_at": NOW}
        await runs.move(connection, [{**move, "state": "running"}])
        await runs.move(connection, [{**move, "state": "waiting", "awaits": "date"}])
        await runs.move(connection, [{**move, "state": "waiting", "awaits": "approval"}])
        await runs.cancel_all(connection, playbook="save", error="stopped", now=NOW)

    assert sorted((await told(store))[:2]) == [
        ("run", "ended", "out"),
        ("run", "started", "r"),
    ]
    assert (await told(store))[2:] == [("run", "waits", "r"), ("run", "awaits_approval", "r"), ("run", "ended", "r")]
    assert dict((await heard(store))[-1].data) == {"playbook": "save", "state": RunState.CANCELLED.value}


def a_card(id_: str, band: str | None, *, latest: bool = True, day: date = TODAY) -> dict[str, Any]:
    card = dict.fromkeys(("override_id", "reason", "previous_band", "churn_risk", "churn_annualised", "churn_band"))
    card |= {"customer_id": id_, "as_of": day, "health": None, "band": band, "computed_health": None}
    card |= {"computed_band": band, "coverage": 1.0, "facts": {}, "readings": [], "definition": "main"}
    return card | {"definition_hash": "h", "computed_at": NOW, "latest": latest}


async def score(store: Store, *cards: dict[str, Any], day: date = TODAY) -> None:
    async with store.transaction() as connection:
        await scorecards.put(connection, cards, [], as_of=day, replace=True)


async def test_a_scoring_tells_whose_band_changed(store: Store) -> None:
    await customers(store, "acme", "bolt", "calm", "dusk")
    before = NOW.date() - timedelta(days=1)
    first = (("acme", "healthy"), ("bolt", "warning"), ("calm", "stable"), ("dusk", None))
    await score(store, *(a_card(id_, band, day=before) for id_, band in first), day=before)
    second = (("acme", "critical"), ("bolt", "stable"), ("calm", "stable"), ("dusk", "healthy"))
    await score(store, *(a_card(id_, band) for id_, band in second))
    await score(store, *(a_card(id_, band) for id_, band in second))  # the same day again
    await score(store, a_card("acme", None))
    await score(store, a_card("bolt", "critical", latest=False, day=before), day=before)  # of a past day

    found = [(each.change, each.subject, dict(each.data)) for each in await heard(store)]
    day = NOW.date()
    assert found == [
        ("down", f"acme:{day}", {"before": "healthy", "band": "critical"}),
        ("up", f"bolt:{day}", {"before": "warning", "band": "stable"}),
        ("known", f"dusk:{day}", {"before": None, "band": "healthy"}),
        ("unknown", f"acme:{day}", {"before": "critical", "band": None}),
    ]


async def test_syncs_tell_when_they_begin_and_end(store: Store) -> None:
    async with store.transaction() as connection:
        await syncs.start_run(connection, "killed", "crm", now=NOW)
        await syncs.start_run(connection, "whole", "crm", now=NOW)
        await syncs.save_run(connection, "whole", streams={})
        await syncs.save_run(connection, "whole", streams={}, state=SyncState.SUCCEEDED, finished_at=NOW)

    assert await told(store) == [
        ("sync", "started", "killed"),
        ("sync", "ended", "killed"),
        ("sync", "started", "whole"),
        ("sync", "ended", "whole"),
    ]
    assert [dict(each.data) for each in await heard(store)][::3] == [
        {"source": "crm", "state": "running"},
        {"source": "crm", "state": "succeeded"},
    ]


async def test_an_ear_wakes_for_what_others_commit(store: Store, store_url: str) -> None:
    async with Store.open(store_url) as other, listening(store) as ear:
        await ear.wait(timeout=5)  # it begins with a look

        async def hear() -> Sequence[str]:
            while not (found := await subjects(store)):
                await ear.wait(timeout=30)
            return [subject for _, subject in found]

        hearing = asyncio.create_task(hear())
        await note(other, "from another process")
        assert await asyncio.wait_for(hearing, 20) == ["from another process"]


async def test_an_ear_that_lost_its_connection_finds_a_new_one(postgresql_store: Store) -> None:
    store = postgresql_store
    async with listening(store) as ear:
        await ear.wait(timeout=5)
        async with store.alone() as connection:
            await connection.exec_driver_sql(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                "WHERE datname = current_database() AND query LIKE 'LISTEN%'"
            )

        async def hear() -> None:
            while not await subjects(store):
                await ear.wait(timeout=1)

        await note(store, "after the loss")
        await asyncio.wait_for(hear(), 20)
