"""Where the durable engine keeps its own tables: beside our file on SQLite, in a schema of its own on PostgreSQL.

The engine's library runs its statements on the (synchronous) connections opened here and makes its tables itself. On
SQLite that is a second file, `cshub-engine.db` beside `cshub.db`, so that the engine's many small writes don't wait for
ours, nor ours for them; with the library's own settings it would be eight times slower.
"""

from pathlib import Path
from typing import Any, Self

from sqlalchemy import Engine, create_engine, event, text
from sqlalchemy.engine import URL

from hub.errors import ConfigError, Fault

SCHEMA = "cshub_engine"
BUSY_TIMEOUT_MS = 30_000
# a client that hangs inside a transaction gives its locks back after this
IDLE_IN_TRANSACTION_MS = 60_000
POOL = 8


class EngineDatabase:
    """The engine's database, open; connects on first use."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine

    @classmethod
    def beside(cls, store: URL) -> Self:
        """The one that belongs to the store at `store`; ConfigError where that is in memory and survives nothing."""
        if store.get_backend_name() != "sqlite":
            return cls(_postgresql(store))
        if not store.database or store.database == ":memory:":
            raise ConfigError(
                [Fault("a store in memory cannot hold durable work", key="store.url", choices=("sqlite:///cshub.db",))]
            )
        file = Path(store.database)
        return cls(_sqlite(file.with_name(f"{file.stem}-engine{file.suffix or '.db'}")))

    def count_by_status(self) -> dict[str, int]:
        """How many rows the engine holds in each of its own states; none before its first start."""
        table = "workflow_status" if self.engine.dialect.name == "sqlite" else f"{SCHEMA}.workflow_status"
        with self.engine.connect() as connection:
            rows = connection.execute(text(f"SELECT status, count(*) AS rows FROM {table} GROUP BY status"))  # noqa: S608  our own constant
            return {row.status: row.rows for row in rows}

    def close(self) -> None:
        self.engine.dispose()


def driven(url: URL) -> URL:
    """A store's URL for the driver that needs no event loop."""
    if url.get_backend_name() == "sqlite":
        return url.set(drivername="sqlite")
    # the store's driver and this one agree on where a server is; the rest of the query is the other's own vocabulary
    query = {name: value for name, value in url.query.items() if name in ("host", "port")}
    if (ssl := url.query.get("ssl")) is not None:
        query["sslmode"] = "require" if ssl == "true" else ssl
    return url.set(drivername="postgresql+psycopg", query=query)


def _postgresql(url: URL) -> Engine:
    return create_engine(
        driven(url),
        pool_size=POOL,
        max_overflow=POOL,
        pool_pre_ping=True,
        connect_args={
            "application_name": "cshub-engine",
            "options": f"-c idle_in_transaction_session_timeout={IDLE_IN_TRANSACTION_MS}",
        },
    )


def _sqlite(file: Path) -> Engine:
    engine = create_engine(URL.create("sqlite", database=str(file)), pool_size=POOL, max_overflow=POOL)

    @event.listens_for(engine, "connect")
    def on_connect(connection: Any, _: object) -> None:
        connection.isolation_level = "IMMEDIATE"  # a reader that turns writer half-way would be refused, not wait
        for pragma in (
            f"busy_timeout = {BUSY_TIMEOUT_MS}",
            "journal_mode = WAL",
            "synchronous = NORMAL",
            "foreign_keys = ON",
        ):
            connection.execute(f"PRAGMA {pragma}").close()

    return engine
