"""Stores in which the engine was started before, so that a test doesn't wait for its tables and queues to be made."""

import asyncio
import shutil
from pathlib import Path

import pytest
from sqlalchemy import make_url

from hub.durable.engine import DbosDurable
from hub.store import Store


async def _start_once(url: str) -> None:
    async with Store.open(url) as store:
        durable = DbosDurable(store)
        await durable.start()
        await durable.stop()


@pytest.fixture(scope="session")
def sqlite_engine_template(sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("engine-template") / "cshub.db"
    shutil.copy(sqlite_template, path)
    asyncio.run(_start_once(f"sqlite:///{path}"))
    return path.with_name("cshub-engine.db")


@pytest.fixture(scope="session")
def postgresql_template(postgresql_template: str, postgresql_server: str) -> str:
    url = make_url(postgresql_server).set(database=postgresql_template)
    asyncio.run(_start_once(url.render_as_string(hide_password=False)))
    return postgresql_template


@pytest.fixture
def store_url(store_url: str, request: pytest.FixtureRequest) -> str:
    if store_url.startswith("sqlite"):
        shutil.copy(
            request.getfixturevalue("sqlite_engine_template"), Path(store_url.removeprefix("sqlite:///")).parent
        )
    return store_url
