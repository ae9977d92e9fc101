"""Databases of PostgreSQL for one test after another: made from a template once, emptied between, dropped when changed.

Making a database copies some 600 files, which takes longer than most tests. So a database that a test gives back is emptied
and given to the next, as long as it is then what a new one would be: the same tables (a fingerprint of the catalogue says
so), no rows but the template's, sequences at their start, nobody else connected. In doubt it is dropped.

Each is looked after through one connection that lasts as long as it: to a new one the server has to say anew what all its
tables are, which costs it more than the looking. So there is one event loop for all of them, beside those of the tests.
"""

import asyncio
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass

import asyncpg
from sqlalchemy import make_url

USES = 50
"""Of one database; deleted rows pile up in it."""
SETTINGS = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off", "autovacuum": "off"}
"""Of our own server, which may lose everything: nothing is waited for, and rows stay in the order they came in."""

OURS = "n.nspname NOT LIKE 'pg\\_%' AND n.nspname <> 'information_schema'"
FINGERPRINT = f"""
SELECT md5(string_agg(line, '|' ORDER BY line)) FROM (
  SELECT concat_ws(' ', 'class', n.nspname, c.relname, c.relkind, c.relnatts, c.relchecks, c.relhasrules,
      c.relhastriggers) AS line
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE {OURS}
  UNION ALL SELECT concat_ws(' ', 'column', a.attrelid::regclass, a.attnum, a.attname, a.atttypid, a.atttypmod, a.attnotnull,
      a.attisdropped, a.atthasdef)
    FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE {OURS} AND a.attnum > 0
  UNION ALL SELECT concat_ws(' ', 'constraint', n.nspname, o.conname, o.conrelid, o.convalidated)
    FROM pg_constraint o JOIN pg_namespace n ON n.oid = o.connamespace WHERE {OURS}
  UNION ALL SELECT concat_ws(' ', 'function', p.proname)
    FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace WHERE {OURS}
  UNION ALL SELECT concat_ws(' ', 'schema', n.nspname) FROM pg_namespace n WHERE {OURS}
  UNION ALL SELECT concat_ws(' ', 'trigger', t.tgname, t.tgenabled) FROM pg_trigger t
  UNION ALL SELECT concat_ws(' ', 'setting', s.setconfig) FROM pg_db_role_setting s JOIN pg_database d ON d.oid = s.setdatabase
    WHERE d.datname = current_database()
) AS lines"""
TABLES = f"""
SELECT format('%I.%I', n.nspname, c.relname) AS name FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind = 'r' AND {OURS} ORDER BY 1"""
RESTART = """
SELECT setval(format('%I.%I', schemaname, sequencename)::regclass, start_value, false)
FROM pg_sequences WHERE last_value IS NOT NULL"""
OTHERS = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
"""Sessions that somebody left open, or that are about to end."""
LOST = (asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError, OSError)
"""Somebody holds a lock, or has ended our connection, which its driver tells in several ways."""
PATIENCE = (0.0, 0.002, 0.004, 0.01, 0.02, 0.05, 0.1, 0.2)
"""Seconds between two looks at them."""


@dataclass(slots=True)
class Database:
    """What a new one was like: `fingerprint` of its tables, {table: digest of its rows} of those with rows."""

    url: str
    connection: asyncpg.Connection
    fingerprint: str
    contents: dict[str, str]
    uses: int = 1


class Databases:
    """Databases made from one template of a server. To be used where no event loop runs."""

    def __init__(self, server: str, template: str) -> None:
        self._server = server
        self._template = template
        self._free: list[Database] = []
        self._loop = asyncio.new_event_loop()

    def take(self) -> Database:
        """One that is as new."""
        return self._free.pop() if self._free else self._loop.run_until_complete(self._made())

    def give_back(self, database: Database) -> None:
        if database.uses < USES and self._loop.run_until_complete(_is_as_new(database)):
            database.uses += 1
            self._free.append(database)
        else:
            self._loop.run_until_complete(self._drop(database))

    def close(self) -> None:
        for each in self._free:
            self._loop.run_until_complete(self._drop(each))
        self._loop.close()

    async def _made(self) -> Database:
        name = f"test_{uuid.uuid4().hex[:12]}"
        await administer(self._server, f"CREATE DATABASE {name} TEMPLATE {self._template}")
        url = make_url(self._server).set(database=name).render_as_string(hide_password=False)
        connection = await asyncpg.connect(url)
        made = Database(url, connection, await connection.fetchval(FINGERPRINT), await _contents(connection))
        with suppress(asyncpg.InsufficientPrivilegeError):  # not our server: then more are dropped
            await connection.execute("SET lock_timeout = '5s'; SET session_replication_role = replica")  # no references
        return made

    async def _drop(self, database: Database) -> None:
        database.connection.terminate()
        await administer(self._server, f"DROP DATABASE {make_url(database.url).database} WITH (FORCE)")


async def administer(server: str, *statements: str) -> None:
    """Run statements that take no transaction."""
    async with _connected(server) as connection:
        for statement in statements:
            await connection.execute(statement)


@asynccontextmanager
async def _connected(url: str) -> AsyncIterator[asyncpg.Connection]:
    connection = await asyncpg.connect(url)
    try:
        yield connection
    finally:
        await connection.close()


async def _contents(connection: asyncpg.Connection) -> dict[str, str]:
    return {
        name: await connection.fetchval(f"SELECT md5(string_agg(t::text, '|' ORDER BY t::text)) FROM {name} AS t")
        for name in await _with_rows(connection)
    }


async def _with_rows(connection: asyncpg.Connection) -> list[str]:
    names = [row["name"] for row in await connection.fetch(TABLES)]
    asked = " UNION ALL ".join(f"(SELECT {place} AS place FROM {name} LIMIT 1)" for place, name in enumerate(names))
    return [names[row["place"]] for row in await connection.fetch(asked)]


async def _is_as_new(database: Database) -> bool:
    """Empty it; whether that made it what it was."""
    connection = database.connection
    if connection.is_closed():
        return False
    try:
        if not await _is_left(connection):
            return False
        if await connection.fetchval(FINGERPRINT) != database.fingerprint:
            return False
        full = await _with_rows(connection)
        if emptied := [f"DELETE FROM {name}" for name in full if name not in database.contents]:
            await connection.execute("; ".join(emptied))
        await connection.fetch(RESTART)
        return await _contents(connection) == database.contents
    except LOST:
        return False


async def _is_left(connection: asyncpg.Connection) -> bool:
    """Whether nobody else is connected, or will be soon: a session ends a moment after its client has gone."""
    for seconds in PATIENCE:
        await asyncio.sleep(seconds)
        if not await connection.fetchval(OTHERS):
            return True
    return False
