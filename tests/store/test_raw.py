"""Texts read past SQLAlchemy: right, read-only, and gone from the database when nobody waits for them any more."""

import asyncio
import time
from collections.abc import Sequence
from typing import Any

import asyncpg  # type: ignore[import-untyped]  # it ships no types
import pytest
from sqlalchemy import text

from hub.store import Store
from hub.store.raw import THREADS, Raw, RawError, RawSqlite
from hub.store.raw_postgresql import TOGETHER

FOREVER = {
    "sqlite": "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n",
    "postgresql": "SELECT count(*)::text FROM generate_series(1, 10000000000) AS n",
}
LONG = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 400000) SELECT count(*) FROM n"


def raw_of(store: Store) -> Raw:
    assert store.raw is not None
    return store.raw


async def test_a_text_and_no_row(store: Store) -> None:
    raw = raw_of(store)
    mark = "$1" if store.dialect == "postgresql" else "?"
    assert await raw.text(f"SELECT CAST({mark} AS TEXT)", ["ü"]) == "ü".encode()
    assert await raw.text("SELECT name FROM customer WHERE id = 'nobody'", []) is None


@pytest.mark.parametrize("store_url", ["postgresql"], indirect=True)
async def test_connections_the_server_ended_are_opened_anew(store: Store) -> None:
    raw: Any = raw_of(store)
    own = "SELECT pg_backend_pid()::text"
    pids = await asyncio.gather(*(raw.text(own, []) for _ in range(3)))
    async with store.transaction() as connection:
        for pid in set(pids):
            await connection.execute(text("SELECT pg_terminate_backend(:pid)"), {"pid": int(pid or 0)})
    async with asyncio.timeout(30):
        while any(not each.is_closed() for each in raw._at_hand):  # noqa: ASYNC110 - they tell nobody
            await asyncio.sleep(0.01)
    again = await asyncio.gather(*(raw.text(own, []) for _ in range(3)))
    assert not set(pids) & set(again)


async def test_several_texts_in_one_go_each_with_its_parameters(store: Store) -> None:
    one, two = ("$1", "$2") if store.dialect == "postgresql" else ("?", "?")
    statements: list[tuple[str, list[Any]]] = [
        (f"SELECT CAST({one} AS TEXT) || CAST({two} AS TEXT)", ["a", "b"]),
        ("SELECT name FROM customer WHERE id = 'nobody'", []),
        (f"""SELECT '$1?''$2' || "$1?" FROM (SELECT CAST({one} AS TEXT) AS "$1?") AS t""", ["c"]),
        (f"SELECT CAST({one} AS TEXT)", [None]),
    ]
    assert await raw_of(store).texts(statements) == [b"ab", None, b"$1?'$2c", None]
    many = [(f"SELECT CAST({one} AS TEXT)", [str(number)]) for number in range(2 * TOGETHER + 1)]
    assert await raw_of(store).texts(many) == [str(number).encode() for number in range(len(many))]
    assert await raw_of(store).texts([]) == []


async def test_one_that_fails_fails_them_all(store: Store) -> None:
    raw = raw_of(store)
    with pytest.raises(RawError):
        await raw.texts([("SELECT 'on'", []), ("SELECT nothing FROM nowhere", [])])
    assert await raw.texts([("SELECT 'on'", []), ("SELECT 'and on'", [])]) == [b"on", b"and on"]


async def test_several_of_which_one_is_long_come_back_in_their_order(sqlite_store: Store) -> None:
    raw = raw_of(sqlite_store)
    long = f"SELECT CAST((SELECT * FROM ({LONG})) AS TEXT)"
    assert await raw.texts([("SELECT '1'", []), (long, []), ("SELECT '3'", [])]) == [b"1", b"400000", b"3"]


async def test_it_cannot_write(store: Store) -> None:
    with pytest.raises(RawError):
        await raw_of(store).row("DELETE FROM customer RETURNING id", [])


async def test_after_an_error_it_goes_on(store: Store) -> None:
    raw = raw_of(store)
    with pytest.raises(RawError):
        await raw.text("SELECT nothing FROM nowhere", [])
    assert await raw.text("SELECT 'on'", []) == b"on"


async def test_many_at_once(store: Store) -> None:
    raw = raw_of(store)
    found = await asyncio.gather(*(raw.text(f"SELECT '{number}'", []) for number in range(40)))
    assert found == [str(number).encode() for number in range(40)]


async def test_what_is_committed_is_seen_by_the_next_read(store: Store) -> None:
    raw = raw_of(store)
    count = "SELECT CAST(count(*) AS TEXT) FROM signing_key"
    before = await raw.text(count, [])
    async with store.transaction() as connection:
        await connection.execute(
            text("INSERT INTO signing_key (name, key, made_at) VALUES ('x', 'y', '2026-11-01 00:00:00')")
        )
    assert before == b"0"
    assert await raw.text(count, []) == b"1"


async def test_whoever_is_cancelled_takes_the_statement_along(store: Store) -> None:
    raw = raw_of(store)
    reading = asyncio.create_task(raw.texts([("SELECT 'short'", []), (FOREVER[store.dialect], [])]))
    await asyncio.sleep(0.3)
    reading.cancel()
    with pytest.raises(asyncio.CancelledError):
        await reading
    assert await raw.text("SELECT 'free'", []) == b"free"
    if store.dialect == "postgresql":
        url = store.url.set(drivername="postgresql").render_as_string(hide_password=False)
        other = await asyncpg.connect(url)
        try:
            running = "SELECT count(*) FROM pg_stat_activity WHERE query LIKE '%generate_series%' AND state = 'active'"
            until = time.monotonic() + 20
            while await other.fetchval(f"{running} AND pid <> pg_backend_pid()"):  # it is told, and then ends
                assert time.monotonic() < until
                await asyncio.sleep(0.05)
        finally:
            await other.close()


async def test_those_that_had_not_begun_end_too(sqlite_store: Store) -> None:
    """More than there are threads: some of them wait for one, and an interruption of what does not run does nothing."""
    raw = raw_of(sqlite_store)
    reading = [asyncio.create_task(raw.text(FOREVER["sqlite"], [])) for _ in range(THREADS + 3)]
    await asyncio.sleep(0.3)
    for each in reversed(reading):
        each.cancel()
    ended = await asyncio.wait_for(asyncio.gather(*reading, return_exceptions=True), timeout=30)
    assert all(isinstance(each, asyncio.CancelledError) for each in ended)
    assert await raw.text("SELECT 'free'", []) == b"free"


async def test_a_long_statement_leaves_the_event_loop_and_comes_back_right(sqlite_store: Store) -> None:
    raw = raw_of(sqlite_store)
    ticks = 0

    async def tick() -> None:
        nonlocal ticks
        while True:
            ticks += 1
            await asyncio.sleep(0)

    ticking = asyncio.create_task(tick())
    row = await raw.row(LONG, [])
    ticking.cancel()
    assert row == (400_000,)
    assert ticks > 1, "others went on while it was read"


async def test_a_statement_is_given_up_in_the_event_loop_only_when_it_is_long_again_and_again(
    sqlite_store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    raw = raw_of(sqlite_store)
    assert isinstance(raw, RawSqlite)
    here = []
    run_here = raw._run_here

    def watched(sql: str, parameters: Sequence[Any]) -> Sequence[Any] | None:
        here.append(sql)
        return run_here(sql, parameters)

    monkeypatch.setattr(raw, "_run_here", watched)
    for _ in range(5):
        assert await raw.row(LONG, []) == (400_000,)
    assert len(here) == 3
    assert await raw.text("SELECT 'short'", []) == b"short"


async def test_what_is_not_brief_again_and_again_goes_to_a_thread(
    sqlite_store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    raw = raw_of(sqlite_store)
    assert isinstance(raw, RawSqlite)
    here = []
    run_here = raw._run_here

    def watched(sql: str, parameters: Sequence[Any]) -> Sequence[Any] | None:
        here.append(sql)
        return run_here(sql, parameters)

    monkeypatch.setattr(raw, "_run_here", watched)
    brief: list[tuple[str, list[Any]]] = [("SELECT 'a'", []), ("SELECT ?", ["b"])]
    monkeypatch.setattr("hub.store.raw.BRIEF", -1.0)  # nothing is as brief as that
    for _ in range(5):
        assert await raw.texts(brief) == [b"a", b"b"]
    assert len(here) == 3 * len(brief)
    here.clear()
    for _ in range(5):
        assert await raw.texts(brief[:1]) == [b"a"]
    assert here == ["SELECT 'a'"] * 3, "how long others take says nothing of it"


async def test_what_is_not_brief_waits_for_no_thread_that_is_busy_for_long(
    sqlite_store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    raw = raw_of(sqlite_store)
    monkeypatch.setattr("hub.store.raw.BRIEF", -1.0)
    brief: list[tuple[str, list[Any]]] = [("SELECT 'a'", []), ("SELECT 'b'", [])]
    for _ in range(4):
        assert await raw.texts(brief) == [b"a", b"b"]
    reading = [asyncio.create_task(raw.text(FOREVER["sqlite"], [])) for _ in range(THREADS)]
    await asyncio.sleep(0.3)
    try:
        assert await asyncio.wait_for(raw.texts(brief), timeout=30) == [b"a", b"b"]
    finally:
        for each in reading:
            each.cancel()
        await asyncio.gather(*reading, return_exceptions=True)


async def test_many_long_ones_need_no_more_connections_than_threads(sqlite_store: Store) -> None:
    raw = raw_of(sqlite_store)
    assert isinstance(raw, RawSqlite)
    found = await asyncio.gather(*(raw.row(LONG, []) for _ in range(2 * THREADS)))
    assert found == [(400_000,)] * (2 * THREADS)
    assert len(raw._opened) <= THREADS + 1
