"""Where the engine's tables are: derived from the store's URL, refused where they would survive nothing."""

from pathlib import Path

import pytest
from sqlalchemy import make_url

from hub.errors import ConfigError
from hub.store.engine_database import EngineDatabase


@pytest.mark.parametrize(("file", "beside"), [("cshub.db", "cshub-engine.db"), ("hub", "hub-engine.db")])
def test_on_sqlite_it_is_a_file_beside_ours_in_wal_mode(tmp_path: Path, file: str, beside: str) -> None:
    database = EngineDatabase.beside(make_url(f"sqlite+aiosqlite:///{tmp_path / file}"))
    with database.engine.connect() as connection:
        pragmas = {
            name: connection.exec_driver_sql(f"PRAGMA {name}").scalar_one()
            for name in ("journal_mode", "synchronous", "foreign_keys", "busy_timeout")
        }
    database.close()
    assert pragmas == {"journal_mode": "wal", "synchronous": 1, "foreign_keys": 1, "busy_timeout": 30_000}
    assert (tmp_path / beside).exists()
    assert not (tmp_path / file).exists()


@pytest.mark.parametrize("url", ["sqlite://", "sqlite+aiosqlite:///:memory:"])
def test_a_store_in_memory_holds_no_durable_work(url: str) -> None:
    with pytest.raises(ConfigError, match="in memory"):
        EngineDatabase.beside(make_url(url))


@pytest.mark.parametrize(
    ("query", "translated"),
    [
        ("", {}),
        ("?host=/run/postgresql&prepared_statement_cache_size=0", {"host": "/run/postgresql"}),
        ("?ssl=verify-full", {"sslmode": "verify-full"}),
        ("?ssl=true", {"sslmode": "require"}),
    ],
)
def test_on_postgresql_it_is_the_same_database_by_another_driver(query: str, translated: dict[str, str]) -> None:
    database = EngineDatabase.beside(make_url(f"postgresql+asyncpg://ann:secret@db:5433/cshub{query}"))
    url = database.engine.url
    assert (url.drivername, url.username, url.password, url.host, url.port, url.database) == (
        "postgresql+psycopg",
        "ann",
        "secret",
        "db",
        5433,
        "cshub",
    )
    assert dict(url.query) == translated
