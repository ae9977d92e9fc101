"""A database by its URL: rows of a statement in pages, through a cursor of the server, with whichever driver the URL names.

What a driver raises becomes one of the kit's errors: an account or a query that is refused is a person's to mend
(DeniedError), a server that is away is there again later (TransientError).
"""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any, Self, TypeVar
from uuid import UUID

from pydantic import SecretStr
from sqlalchemy import Connection, Engine, Select, create_engine
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, InterfaceError, NoSuchModuleError, OperationalError
from sqlalchemy.pool import NullPool

from connectors.kit.errors import ConnectorError, DeniedError, TransientError

Row = dict[str, Any]
Made = TypeVar("Made")
Pages = AsyncIterator[list[Row]]
PLAIN = (str, int, float, bool, type(None), datetime, date)


DIALECTS: Mapping[str, str] = {
    "bigquery": "sqlalchemy-bigquery", "clickhouse": "clickhouse-sqlalchemy", "databricks": "databricks-sqlalchemy",
    "duckdb": "duckdb-engine", "redshift": "sqlalchemy-redshift", "snowflake": "snowflake-sqlalchemy", "trino": "trino",
}  # fmt: skip
"""What brings SQLAlchemy's dialect of a database it has none for."""
DRIVERS: Mapping[str, str] = {"MySQLdb": "mysqlclient", "psycopg2": "psycopg2-binary"}
"""What brings a driver that is imported by another name than it is installed by."""
OWN = ("postgresql", "mysql", "mariadb", "mssql", "oracle", "sqlite")


def check_url(url: str) -> None:
    """ValueError, without what stands in it, for what is no URL of a database, or one without its dialect or driver here."""
    try:
        dialect = _parsed(url).get_dialect()
    except NoSuchModuleError:
        raise ValueError(_without_dialect(make_url(url).drivername)) from None
    except (ArgumentError, ValueError):
        raise ValueError(
            "must be SQLAlchemy's URL of a database, such as postgresql://user:password@host/name"
        ) from None
    if dialect.is_async:
        raise ValueError(f"names the driver {dialect.driver}, which has coroutines: name one without, or none")
    try:
        dialect.import_dbapi()
    except ImportError as error:
        raise ValueError(_without_driver(error, dialect.name)) from None


def _without_dialect(named: str) -> str:
    database, _, driver = named.partition("+")
    if needed := DIALECTS.get(database):
        return f"needs SQLAlchemy's dialect for {database}, which is not installed: pip install {needed}"
    if database in OWN:
        return f"SQLAlchemy knows no driver {driver!r} for {database}: name another one, or none"
    known = ", ".join([*OWN, *DIALECTS])
    return f"SQLAlchemy's dialect for {database!r} is not installed; known databases: {known}, and others by their own"


def _without_driver(error: ImportError, database: str) -> str:
    module = (error.name or str(error)).partition(".")[0]
    other = ", or name another one: mysql+pymysql://" if module == "MySQLdb" else ""
    return (
        f"needs {database}'s driver {module}, which is not installed: pip install {DRIVERS.get(module, module)}{other}"
    )


@dataclass(frozen=True, slots=True)
class Database:
    url: SecretStr = field(repr=False)

    @asynccontextmanager
    async def reading(self) -> AsyncIterator["Reader"]:
        """A connection of its own, for one statement after another."""
        url = _parsed(self.url.get_secret_value())
        with ThreadPoolExecutor(max_workers=1, thread_name_prefix="sqlsource") as thread:
            try:
                reader = await Reader.open(url, thread)
                try:
                    yield reader
                finally:
                    await reader.close()
            except ImportError as error:
                raise DeniedError(_without_driver(error, url.get_backend_name())) from None
            except (DBAPIError, OSError) as error:
                raise _sorted(error, url) from None


class Reader:
    """All of it happens in one thread, which has the connection from begin to end."""

    def __init__(self, engine: Engine, connection: Connection, thread: ThreadPoolExecutor) -> None:
        self._engine, self._connection, self._thread = engine, connection, thread

    @classmethod
    async def open(cls, url: URL, thread: ThreadPoolExecutor) -> Self:
        def opened() -> tuple[Engine, Connection]:
            engine = create_engine(url, poolclass=NullPool, hide_parameters=True)
            connection = engine.connect()
            if url.get_backend_name() == "postgresql":
                connection.execution_options(postgresql_readonly=True, isolation_level="REPEATABLE READ")
            return engine, connection

        engine, connection = await asyncio.get_running_loop().run_in_executor(thread, opened)
        return cls(engine, connection, thread)

    async def columns(self, statement: Select[Any]) -> list[str]:
        """What its columns are called. A statement that is wrong is found out here, before a cursor is opened for it."""
        return await self._there(lambda: list(self._connection.execute(statement.limit(0)).keys()))

    async def pages(self, statement: Select[Any], size: int) -> AsyncGenerator[list[Row]]:
        """Its rows, at most `size` at a time. Whoever stops before their end closes it, while the connection is there."""
        options = {"yield_per": size}
        result = await self._there(lambda: self._connection.execute(statement, execution_options=options))
        parts = result.mappings().partitions(size)
        try:
            while (page := await self._there(lambda: next(parts, None))) is not None:
                yield [_plain(row) for row in page]
        finally:
            await self._there(result.close)

    async def close(self) -> None:
        await self._there(self._connection.close)
        await self._there(self._engine.dispose)

    async def _there(self, work: Callable[[], Made]) -> Made:
        return await asyncio.get_running_loop().run_in_executor(self._thread, work)


def _parsed(url: str) -> URL:
    parsed = make_url(url)
    return parsed.set(drivername="postgresql+psycopg") if parsed.drivername in ("postgresql", "postgres") else parsed


def _plain(row: Mapping[Any, Any]) -> Row:
    """Values as the kit's cells and a quarantine can have them."""
    return {str(name): value if isinstance(value, PLAIN) else _told(value) for name, value in row.items()}


def _told(value: Any) -> Any:
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    if isinstance(value, timedelta):
        return value.total_seconds()
    if isinstance(value, bytes | bytearray | memoryview):
        return bytes(value).hex()
    if isinstance(value, UUID | time):
        return str(value)
    return list(value) if isinstance(value, list | tuple | set) else str(value)


def _sorted(error: Exception, url: URL) -> ConnectorError:
    """What to do about it; the driver's own words, without the password."""
    said = str(error.orig if isinstance(error, DBAPIError) else error).strip().splitlines()
    words = said[0] if said else type(error).__name__
    if url.password:
        words = words.replace(url.password, "***")
    place = f"database {url.host or url.database or ''}".strip()
    refused = any(
        word in words.lower() for word in ("password", "authentication", "permission", "denied", "does not exist")
    )
    missing = "no such" in words.lower() or "unable to open" in words.lower()
    away = isinstance(error, OSError | OperationalError | InterfaceError) or getattr(
        error, "connection_invalidated", False
    )
    if away and not refused and not missing:
        return TransientError(f"{place}: {words}")
    return DeniedError(f"{place}: {words}")
