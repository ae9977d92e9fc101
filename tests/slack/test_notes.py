"""What Slack's channels write down of their messages."""

from datetime import UTC, datetime

import pytest
from sqlalchemy import text

from hub.slack.sending import Notes
from hub.store import Connection, Store

NOW = datetime(2026, 11, 1, 9, 30, tzinfo=UTC)


async def noted(store: Store) -> list[str]:
    async with store.reading() as connection:
        return list((await connection.execute(text("SELECT id FROM told ORDER BY id"))).scalars())


async def test_all_is_written_together_and_one_that_fails_is_in_nobodys_way_later(sqlite_store: Store) -> None:
    notes = Notes(sqlite_store, clock=lambda: NOW)
    async with sqlite_store.transaction() as connection:
        await connection.execute(text("CREATE TABLE told (id TEXT)"))

    async def write(connection: Connection, id_: str) -> None:
        await connection.execute(text("INSERT INTO told VALUES (:id)"), {"id": id_})

    async def fail(connection: Connection) -> None:
        raise RuntimeError("the disk is full")

    notes.add(lambda connection: write(connection, "c1"), shows=None)
    notes.add(fail, shows=None)
    with pytest.raises(RuntimeError, match="the disk is full"):
        await notes.write()
    assert await noted(sqlite_store) == []
    notes.add(lambda connection: write(connection, "c2"), lambda connection: write(connection, "c3"), shows=None)
    await notes.write()
    await notes.write()
    assert await noted(sqlite_store) == ["c2", "c3"]
