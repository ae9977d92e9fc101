"""The log of SQLite is carried over beside the work."""

import asyncio
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import text

from hub.store import Store, checkpoints
from hub.store.checkpoints import Checkpoints

BYTES = 1_000_000


@pytest.fixture(autouse=True)
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checkpoints, "BYTES", BYTES)
    monkeypatch.setattr("hub.store.sqlite_connections.KEPT_BYTES", BYTES // 2)


async def write(store: Store, count: int = 1) -> None:
    async with store.transaction() as connection:
        await connection.execute(text("CREATE TABLE IF NOT EXISTS noted (x TEXT)"))
        for _ in range(count):
            await connection.execute(text("INSERT INTO noted VALUES (:x)"), {"x": "x" * 4_000})


async def fill(store: Store) -> None:
    await write(store, count=2 * BYTES // 4_000)


def length(store: Store) -> int:
    return Path(f"{store.url.database}-wal").stat().st_size


def without_log(store: Store, folder: Path) -> int:
    """How many the database itself holds."""
    copy = folder / "copy.db"
    copy.write_bytes(Path(str(store.url.database)).read_bytes())
    with closing(sqlite3.connect(copy)) as found:
        return int(found.execute("SELECT count(*) FROM noted").fetchone()[0])


async def carried_over(store: Store) -> None:
    assert store._checkpoints is not None
    assert store._checkpoints._under_way is not None, "a log that long is carried over"
    await store._checkpoints._under_way


async def test_a_long_log_is_carried_over_and_begins_anew(sqlite_store: Store, tmp_path: Path) -> None:
    await fill(sqlite_store)
    await carried_over(sqlite_store)
    assert length(sqlite_store) >= BYTES
    await write(sqlite_store)  # carries over what is left
    await write(sqlite_store)  # begins it anew
    assert length(sqlite_store) == BYTES // 2
    assert without_log(sqlite_store, tmp_path) == 2 * BYTES // 4_000 + 1, "all but the last"


async def test_while_somebody_reads_what_was_before_it_is_not_tried_at_every_commit(
    sqlite_store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    tried, carry_over = [], Checkpoints._carry_over

    def counted(self: Checkpoints) -> None:
        tried.append(1)
        carry_over(self)

    monkeypatch.setattr(Checkpoints, "_carry_over", counted)
    await write(sqlite_store)
    async with sqlite_store.reading() as reader:
        assert (await reader.execute(text("SELECT count(*) FROM noted"))).scalar_one() == 1
        await fill(sqlite_store)
        await carried_over(sqlite_store)
        for _ in range(4):
            await write(sqlite_store)
        assert len(tried) == 1
        assert (await reader.execute(text("SELECT count(*) FROM noted"))).scalar_one() == 1
    await fill(sqlite_store)  # longer by more than an eighth
    await carried_over(sqlite_store)
    assert len(tried) == 2


async def test_where_it_cannot_be_carried_over_commits_go_on(
    sqlite_store: Store, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    assert sqlite_store._checkpoints is not None
    monkeypatch.setattr(sqlite_store._checkpoints, "_path", "/nowhere/at/all.db")
    await fill(sqlite_store)
    await carried_over(sqlite_store)
    assert "was not carried over" in caplog.text
    await asyncio.gather(*(write(sqlite_store) for _ in range(3)))
    async with sqlite_store.reading() as connection:
        assert (await connection.execute(text("SELECT count(*) FROM noted"))).scalar_one() == 2 * BYTES // 4_000 + 3
