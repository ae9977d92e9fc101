"""How a connection to SQLite is made ready: its settings, its functions, how its transactions begin, and how it is stopped."""

import asyncio
from typing import Any

from sqlalchemy import event
from sqlalchemy.ext.asyncio import AsyncEngine

from hub.store.checkpoints import KEPT_BYTES, NET_PAGES
from hub.store.one_hop import Hops, in_one_hop
from hub.store.texts import teach

BUSY_TIMEOUT_MS = 30_000


def prepare_sqlite(engine: AsyncEngine, *, begin: str, read_only: bool) -> Hops:
    hops = in_one_hop(engine, begin=begin)

    @event.listens_for(engine.sync_engine, "connect")
    def on_connect(connection: Any, _: object) -> None:
        connection.isolation_level = None  # we say BEGIN ourselves; the driver's own way starts too late
        cursor = connection.cursor()
        for pragma in (
            f"busy_timeout = {BUSY_TIMEOUT_MS}",
            "journal_mode = WAL",
            "synchronous = NORMAL",
            "foreign_keys = ON",
            "temp_store = MEMORY",
            "cache_size = -65536",
            f"wal_autocheckpoint = {NET_PAGES}",
            f"journal_size_limit = {KEPT_BYTES}",
            "mmap_size = 268435456",
            f"query_only = {int(read_only)}",
        ):
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()
        teach(connection)

    @event.listens_for(engine.sync_engine, "handle_error")
    def on_error(context: Any) -> None:
        """A statement nobody waits for any more is ended: it runs in a thread, which cancelling alone would not reach."""
        if isinstance(context.original_exception, asyncio.CancelledError) and context.connection is not None:
            interrupt(context.connection.connection.driver_connection)

    return hops


def interrupt(driver_connection: Any) -> None:
    """End the statement that an SQLite connection (aiosqlite's) is working on, if any; it raises OperationalError there."""
    driver_connection._conn.interrupt()  # aiosqlite's own is a coroutine, and nothing may be awaited here
