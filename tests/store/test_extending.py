"""Records are added to the audit log's chain past SQLAlchemy: the same chain, whoever else adds to it."""

import asyncio
import sqlite3
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import asyncpg  # type: ignore[import-untyped]  # it ships no types
import pytest
from sqlalchemy import text

from hub.store import Store, audit
from hub.store.audit import Record
from hub.store.extending import CHECKPOINT_EVERY, Chain, ExtendingPostgresql, ExtendingSqlite

NOW = datetime(2026, 11, 1, 12, 30, 15, 123456, tzinfo=UTC)

on_postgresql = pytest.mark.parametrize("store_url", ["postgresql"], indirect=True)


def record(number: int) -> Record:
    return Record(
        entry_id=f"aud_{number}",
        kind="read",
        at=NOW,
        actor="ann@cs.example",
        action="personalRead",
        subject="Contact.email",
        detail={"number": number, "text": 'it\'s "ü"', "half": 0.5, "none": None},
    )


async def numbers(store: Store) -> list[int]:
    """Of the records, in the order of the chain, which must be whole."""
    async with store.reading() as connection:
        assert [each.broken async for each in audit.verify(connection) if each.broken] == []
        rows = await connection.execute(text("SELECT entry_id FROM audit_record ORDER BY number"))
        return [int(row.entry_id.removeprefix("aud_")) for row in rows]


async def add(store: Store, number: int) -> None:
    async with store.transaction() as connection:
        await audit.append(connection, [record(number)])


async def test_it_is_the_same_chain(store: Store) -> None:
    await audit.append_alone(store, [record(1), record(2)])
    await add(store, 3)
    await audit.append_alone(store, [record(4)])
    await audit.append_alone(store, [])
    assert await numbers(store) == [1, 2, 3, 4]
    async with store.reading() as connection:
        last, *_, first = await audit.find_latest(connection)
    assert (last.id, last.at, last.detail) == ("aud_4", NOW, record(4).detail)
    assert first.token_id is None


async def test_processes_and_transactions_at_once_make_one_chain(store: Store) -> None:
    async with Store.open(store.url) as other:
        ways = [
            audit.append_alone(store, [record(1), record(2)]),
            audit.append_alone(other, [record(3)]),
            add(store, 4),
            add(other, 5),
            audit.append_alone(other, [record(6)]),
            audit.append_alone(store, [record(7)]),
        ]
        await asyncio.gather(*ways)
    assert sorted(await numbers(store)) == [1, 2, 3, 4, 5, 6, 7]


async def test_whoever_holds_the_store_is_waited_for(store: Store) -> None:
    async with store.transaction() as connection:
        await audit.append(connection, [record(1)])
        adding = asyncio.create_task(audit.append_alone(store, [record(2)]))
        await asyncio.sleep(0.05)
        assert not adding.done()
    await adding
    assert await numbers(store) == [1, 2]


async def test_what_cannot_be_made_leaves_nothing_and_holds_up_nobody(store: Store) -> None:
    extending = store.extending
    assert extending is not None
    await audit.append_alone(store, [record(1)])
    chain, _ = audit._chain(store.sql_dialect)
    with pytest.raises(ZeroDivisionError):
        await extending.extend(chain, lambda head: [[1 // 0]])
    await add(store, 2)
    await audit.append_alone(store, [record(3)])
    assert await numbers(store) == [1, 2, 3]


async def test_a_connection_that_was_lost_is_made_anew(store: Store) -> None:
    await audit.append_alone(store, [record(1)])
    if store.dialect == "postgresql":
        others = "datname = current_database() AND pid <> pg_backend_pid()"
        async with store.transaction() as connection:
            await connection.execute(text(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE {others}"))
    else:
        assert store.extending is not None
        await store.extending.close()
    await audit.append_alone(store, [record(2)])
    assert await numbers(store) == [1, 2]


@on_postgresql
async def test_a_chain_goes_on_from_what_was_added_unless_another_came_between(store: Store) -> None:
    extending = store.extending
    assert isinstance(extending, ExtendingPostgresql)
    begun = []
    begin = extending._begun

    async def watched(chain: Chain) -> Any:
        begun.append(chain)
        return await begin(chain)

    extending._begun = watched  # type: ignore[method-assign]  # to count how often the newest row is read
    await audit.append_alone(store, [record(1)])
    for number in (2, 3):
        await audit.append_alone(store, [record(number)])
    assert len(begun) == 1
    await add(store, 4)  # the newest is not ours any more
    await audit.append_alone(store, [record(5)])
    assert len(begun) == 2
    async with store.transaction() as connection:  # it waits, and then another's row has its number
        await audit.append(connection, [record(6)])
        adding = asyncio.create_task(audit.append_alone(store, [record(7), record(8)]))
        await asyncio.sleep(0.1)
        assert not adding.done()
    await adding
    assert len(begun) == 3
    async with store.transaction() as connection:  # the end of the log is gone: what comes next follows what is left
        await connection.execute(text("ALTER TABLE audit_record DISABLE TRIGGER USER"))
        await connection.execute(text("DELETE FROM audit_record WHERE number > 7"))
        await connection.execute(text("ALTER TABLE audit_record ENABLE TRIGGER USER"))
    await audit.append_alone(store, [record(9)])
    assert await numbers(store) == [1, 2, 3, 4, 5, 6, 7, 9]


async def test_what_is_too_long_is_refused_and_not_cut(store: Store) -> None:
    await audit.append_alone(store, [record(1)])
    if store.dialect == "postgresql":  # SQLite has no lengths
        with pytest.raises(asyncpg.PostgresError, match="too long"):
            await audit.append_alone(store, [replace(record(2), actor="a" * 10_000)])
    await audit.append_alone(store, [record(3)])
    assert (await numbers(store))[-1] == 3


@on_postgresql
async def test_a_connection_that_is_lost_while_it_adds_adds_once(store: Store) -> None:
    extending = store.extending
    assert isinstance(extending, ExtendingPostgresql)
    await audit.append_alone(store, [record(1)])
    for number, before in ((2, True), (3, False)):
        real = extending._connection

        class Lost:
            async def execute(self, *given: Any, real: Any = real, before: bool = before) -> None:
                if not before:
                    await real.execute(*given)
                raise asyncpg.ConnectionDoesNotExistError("lost")

            def terminate(self, real: Any = real) -> None:
                real.terminate()

        extending._connection = Lost()
        await audit.append_alone(store, [record(number)])
    await audit.append_alone(store, [record(4)])
    assert await numbers(store) == [1, 2, 3, 4]


async def test_the_wal_is_left_to_others_to_checkpoint(sqlite_store: Store) -> None:
    extending = ExtendingSqlite(str(sqlite_store.url.database))
    chain, _ = audit._chain(sqlite_store.sql_dialect)
    done = [await extending.extend(chain, lambda head: []) for _ in range(CHECKPOINT_EVERY + 2)]
    await extending.close()
    assert done == [True] * CHECKPOINT_EVERY + [False, True]


async def test_what_another_holds_is_not_waited_for_in_the_event_loop(sqlite_store: Store) -> None:
    extending = sqlite_store.extending
    assert extending is not None
    chain, _ = audit._chain(sqlite_store.sql_dialect)
    holding = sqlite3.connect(str(sqlite_store.url.database), isolation_level=None)
    holding.execute("BEGIN IMMEDIATE")
    assert await extending.extend(chain, lambda head: []) is False
    holding.execute("ROLLBACK")
    holding.close()
    assert await extending.extend(chain, lambda head: []) is True
