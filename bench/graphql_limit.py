"""The limit the API is measured against: one hand-written statement a query, whose JSON is sent straight to the socket.

No token, no rows of whose book, no checks: an ASGI application of a few lines over the same connections the API reads with.
"""

from typing import Any

import orjson
from starlette.types import Receive, Scope, Send

from hub.store import Store

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
    """The application: {"query": "Q3", "id": …} in, JSON out."""

    def __init__(self, store: Store) -> None:
        self.raw: Any = store.raw
        self.statements = STATEMENTS[store.dialect]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        asked = orjson.loads((await receive())["body"])
        text = await self.raw.text(self.statements[asked["query"]], [asked["id"]] if "id" in asked else [])
        body = text
        headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": body})
