"""Migrations: bring a store's schema up to this version of the code."""

from importlib.resources import files

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection as SyncConnection

from hub.store.store import Store


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(files("hub.store").joinpath("migrations")))
    config.set_main_option("path_separator", "os")
    return config


async def upgrade(store: Store) -> tuple[str | None, str]:
    """Apply the migrations that are missing; return the revision before and after. Nothing to do is no error."""
    head = newest()

    def run(connection: SyncConnection) -> str | None:
        before = MigrationContext.configure(connection).get_current_revision()
        if before != head:
            config = _config()
            config.attributes["connection"] = connection
            command.upgrade(config, "head")
        return before

    async with store.transaction() as connection:
        return await connection.run_sync(run), head


async def current(store: Store) -> str | None:
    """The revision the store is at; None where it is empty."""
    async with store.reading() as connection:
        return await connection.run_sync(lambda sync: MigrationContext.configure(sync).get_current_revision())


def newest() -> str:
    """The newest revision this code knows."""
    head = ScriptDirectory.from_config(_config()).get_current_head()
    assert head is not None, "the package ships its migrations"
    return head
