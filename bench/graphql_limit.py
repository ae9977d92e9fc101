"""The limit the API is measured against: one hand-written statement a query, whose JSON is sent straight to the socket.

No token, no rows of whose book, no checks: an ASGI application of a few lines. `Limit` is that as one would write it; `Strict`
has all that the API knows of its databases besides: connections without a round trip or a thread too many, SQLite uncounted.
"""

import asyncio
from typing import Any

import aiosqlite
import asyncpg  # type: ignore[import-untyped]  # it ships no types
import orjson
from sqlalchemy import make_url
from starlette.types import Receive, Scope, Send

from hub.store import Store
from hub.store.raw_postgresql import dsn_of

_SQLITE_ROWS = """select c.id, c.name, c.domain, c.segment, c.employees, c.csm_email, s.health, s.band, s.as_of,
  replace(substr(c.created_at, 1, 19), ' ', 'T') || '+00:00' as created_at
  from customer c left join scorecard s on s.customer_id = c.id and s.latest = 1
  where c.merged_into_id is null"""
_SQLITE_FLAT = """json_object('id', id, 'name', name, 'domain', domain, 'segment', segment, 'employees', employees,
  'createdAt', created_at, 'health', json_object('score', health), 'csm', json_object('email', csm_email))"""
_SQLITE_NESTED = """json_object('id', r.id, 'name', r.name,
  'tickets', (select json_group_array(json_object('id', id, 'subject', subject, 'status', status, 'createdAt', created))
    from (select id, subject, status, replace(substr(created_at, 1, 19), ' ', 'T') || '+00:00' as created from ticket
      where customer_id = r.id and deleted = 0 order by created_at desc limit 5)),
  'contacts', (select json_group_array(json_object('id', id, 'name', name, 'email', email))
    from (select id, name, email from contact where customer_id = r.id and deleted = 0
      order by created_at desc limit 3)),
  'health', json_object('score', r.health, 'band', r.band, 'asOf', r.as_of))"""

_POSTGRESQL_ROWS = _SQLITE_ROWS.replace(
    "replace(substr(c.created_at, 1, 19), ' ', 'T') || '+00:00' as created_at", "c.created_at"
).replace("s.latest = 1", "s.latest")
_POSTGRESQL_FLAT = """id, name, domain, segment, employees, created_at as "createdAt",
  (select row_to_json(x) from (select r.health as score) x) as health,
  (select row_to_json(x) from (select r.csm_email as email) x) as csm"""
_POSTGRESQL_NESTED = """id, name,
  (select coalesce(json_agg(t), '[]') from (select id, subject, status, created_at as "createdAt" from ticket
    where customer_id = r.id and not deleted order by created_at desc limit 5) t) as tickets,
  (select coalesce(json_agg(t), '[]') from (select id, name, email from contact
    where customer_id = r.id and not deleted order by created_at desc limit 3) t) as contacts,
  (select row_to_json(x) from (select r.health as score, r.band, r.as_of as "asOf") x) as health"""


def _sqlite(made: str, count: int) -> str:
    return f"select json_group_array({made}) from ({_SQLITE_ROWS} order by c.name, c.id limit {count}) r"


def _postgresql(made: str, count: int) -> str:
    rows = f"{_POSTGRESQL_ROWS} order by c.name, c.id limit {count}"
    return f"select json_agg(o) from (select {made} from ({rows}) r) o"


CONNECTIONS, POOL = 4, 8
STATEMENTS = {
    "sqlite": {
        "Q1": _sqlite(_SQLITE_FLAT, 100),
        "Q2": _sqlite(_SQLITE_NESTED, 100),
        "Q3": f"select {_SQLITE_NESTED} from ({_SQLITE_ROWS} and c.id = ?) r",
        "Q4": _sqlite(_SQLITE_FLAT, 1000),
    },
    "postgresql": {
        "Q1": _postgresql(_POSTGRESQL_FLAT, 100),
        "Q2": _postgresql(_POSTGRESQL_NESTED, 100),
        "Q3": f"select row_to_json(o) from (select {_POSTGRESQL_NESTED} from ({_POSTGRESQL_ROWS} and c.id = $1) r) o",
        "Q4": _postgresql(_POSTGRESQL_FLAT, 1000),
    },
}


class Limit:
    """The application: {"query": "Q3", "id": …} in, JSON out, by the databases' own asynchronous drivers as they come."""

    def __init__(self, url: str) -> None:
        self.url = make_url(url)
        self.sqlite = self.url.get_backend_name() == "sqlite"
        self.statements = STATEMENTS["sqlite" if self.sqlite else "postgresql"]
        self.idle: asyncio.Queue[aiosqlite.Connection] = asyncio.Queue()
        self.opened = 0
        self.pool: Any = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        asked = orjson.loads((await receive())["body"])
        body = await self.text(self.statements[asked["query"]], [asked["id"]] if "id" in asked else [])
        headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": body})

    async def text(self, statement: str, given: list[str]) -> bytes:
        found = await (self._of_sqlite if self.sqlite else self._of_postgresql)(statement, given)
        return str(found).encode()

    async def _of_postgresql(self, statement: str, given: list[str]) -> Any:
        if self.pool is None:
            self.pool = asyncpg.create_pool(dsn_of(self.url), min_size=POOL, max_size=POOL)
        return await (await self.pool).fetchval(statement, *given)

    async def _of_sqlite(self, statement: str, given: list[str]) -> Any:
        if self.idle.empty() and self.opened < CONNECTIONS:
            self.opened += 1
            connection = await aiosqlite.connect(str(self.url.database))
            for pragma in ("query_only = 1", "cache_size = -65536", "mmap_size = 268435456"):
                await connection.execute(f"PRAGMA {pragma}")
        else:
            connection = await self.idle.get()
        try:
            async with connection.execute(statement, given) as cursor:
                row = await cursor.fetchone()
        finally:
            self.idle.put_nowait(connection)
        assert row is not None, "there is always a row"
        return row[0]


class Strict(Limit):
    """The same by the connections that the API reads with, in a process that is set as the API's is."""

    def __init__(self, url: str) -> None:
        super().__init__(url)
        self.raw: Any = Store.open(url).raw

    async def text(self, statement: str, given: list[str]) -> bytes:
        (found,) = await self.raw.texts([(statement, given)])
        return bytes(found)
