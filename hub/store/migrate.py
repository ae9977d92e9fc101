"""Migrations: bring a store's schema up to this version of the code, and refuse one that is not."""

from importlib.resources import files

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection as SyncConnection

from hub.errors import ConfigError, Fault
from hub.store.bi.making import drop_views, make_views
from hub.store.ping import reach
from hub.store.store import Store


def config(connection: SyncConnection | None = None) -> Config:
    """Alembic's, over `connection` where it is to run something."""
    made = Config()
    made.set_main_option("script_location", str(files("hub.store").joinpath("migrations")))
    made.set_main_option("path_separator", "os")
    made.attributes["connection"] = connection
    return made


async def upgrade(store: Store) -> tuple[str | None, str]:
    """Apply the migrations that are missing; return the revision before and after. Nothing to do is no error."""
    head = newest()
    _refuse_newer(store, await current(store))

    def run(connection: SyncConnection) -> str | None:
        before = MigrationContext.configure(connection).get_current_revision()
        grants = drop_views(connection)
        if before != head:
            command.upgrade(config(connection), "head")
            _index_bytewise(connection)
        make_views(connection, grants)
        return before

    async with store.migrating() as connection:
        return await connection.run_sync(run), head


BYTEWISE = {"customer": ("name", "domain", "csm_email")}
"""Texts that lists are ordered by: {table: columns}."""
OF_CUSTOMER = {"ticket": "created_at DESC", "contact": "created_at DESC NULLS LAST"}
"""What many of a customer's are read in the order of, before their ids: {table: order}. Fewer of a kind are quick to sort."""


def _index_bytewise(connection: SyncConnection) -> None:
    """Indexes in the order of code points, which lists are in (hub.store.texts).

    SQLite's indexes are so by themselves. PostgreSQL's are in the order of the database's own locale, and of no use to a list
    in another; that an index names an order of its own is what no migration that is made for both can say.
    """
    if connection.dialect.name != "postgresql":
        return
    for table, columns in BYTEWISE.items():
        for column in columns:
            name = f"ix_{table}_{column}_bytewise"
            connection.exec_driver_sql(
                f'CREATE INDEX IF NOT EXISTS {name} ON {table} ({column} COLLATE "C", id COLLATE "C")'
            )
    for table, order in OF_CUSTOMER.items():
        connection.exec_driver_sql(
            f"CREATE INDEX IF NOT EXISTS ix_{table}_of_customer_bytewise "
            f'ON {table} (customer_id, {order}, id COLLATE "C" DESC)'
        )


async def current(store: Store) -> str | None:
    """The revision the store is at; None where it is empty. TransientError where it cannot be reached."""
    await reach(store)
    async with store.reading() as connection:
        return await connection.run_sync(lambda sync: MigrationContext.configure(sync).get_current_revision())


def newest() -> str:
    """The newest revision this code knows."""
    head = ScriptDirectory.from_config(config()).get_current_head()
    assert head is not None, "the package ships its migrations"
    return head


async def require_newest(store: Store) -> None:
    """ConfigError, naming the command to run, where the store is of another version than this code."""
    have, want = await current(store), newest()
    _refuse_newer(store, have)
    if have != want:
        message = f"is at version {have or 'none'}, and this is {want}: run `cshub db upgrade`"
        raise ConfigError([Fault(message, where=store.description)])


def _refuse_newer(store: Store, have: str | None) -> None:
    known = {script.revision for script in ScriptDirectory.from_config(config()).walk_revisions()}
    if have is not None and have not in known:
        message = f"is at version {have}, which this cshub does not know: it was made by a newer one; install that"
        raise ConfigError([Fault(message, where=store.description)])
