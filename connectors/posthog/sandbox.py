"""PostHog's stand-in: the query endpoint for the HogQL a source asks, over groups, persons and events.

    POST /api/projects/{id}/query/   {"query": {"kind": "HogQLQuery", "query", "values"}} -> columns, types, results, hasMore

It understands the shape of queries that read one table in the order of a key, as `connectors/posthog/queries.py` writes them:
`from <table>`, `{after}` or `{key0}` …, `limit`. Without a limit 100 rows come, never more than 50,000. Groups are
"acct-<number>" of type 0, users "u-<person number>" as distinct ids of persons whose id is a UUID. With `nobodys`, one event in
so many has no group. Bearer auth with `token`; the limit is the team's.
"""

import re
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import timedelta
from functools import partial
from operator import itemgetter
from typing import Any
from uuid import NAMESPACE_OID, uuid5
from zlib import crc32

import orjson
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from connectors.kit.sandbox import Faults, Limiter, Rendered, assemble, authorized
from connectors.kit.simulated import World, crm_id
from connectors.kit.truth import usage_days

DEFAULT_LIMIT, LARGEST_LIMIT = 100, 50_000
TABLE = re.compile(r"^select (.+?) from (events|groups|persons) where ")
Row = tuple[Any, ...]


def app(
    world: Callable[[], World],
    *,
    token: str,
    faults: Faults,
    queries_per_hour: int = 2_400,
    scopes: str = "query:read",
    nobodys: int = 0,
) -> Starlette:
    """`scopes`: what the key may do; without query:read it may not ask."""
    limiter = Limiter(queries_per_hour, 3600)
    groups, persons, events = (Rendered(world, make) for make in (_groups, _persons, partial(_events, nobodys=nobodys)))
    tables: dict[str, Callable[[], Sequence[Row]]] = {"groups": groups, "persons": persons, "events": events}

    async def query(request: Request) -> Response:
        if not authorized(request, f"Bearer {token}"):
            return _error(401, "authentication_error", "authentication_failed", "Invalid personal API key.")
        if "query:read" not in scopes:
            return _error(
                403, "authentication_error", "permission_denied", "API key missing required scope 'query:read'"
            )
        allowed, _, wait = limiter.hit()
        if not allowed:
            return limited(Faults(retry_after=round(wait) + 1))
        asked = orjson.loads(await request.body()).get("query", {})
        found = TABLE.match(str(asked.get("query")))
        if asked.get("kind") != "HogQLQuery" or found is None:
            return _error(400, "validation_error", "invalid_input", "Unable to parse the query")
        limit = min(int(asked["values"].get("limit", DEFAULT_LIMIT)), LARGEST_LIMIT)
        rows = _chosen(found[2], tables[found[2]](), asked["values"], limit + 1)
        if rows and faults.take("duplicate_rows"):
            rows = [*rows[:1], *rows]
        columns = [part.rsplit(" as ", 1)[-1].strip() for part in re.split(r",\s*(?![^()]*\))", found[1])]
        return JSONResponse(
            {
                "cache_key": None,
                "columns": columns,
                "error": None,
                "hasMore": len(rows) > limit,
                "hogql": asked["query"],
                "is_cached": False,
                "limit": limit,
                "results": rows[:limit],
                "timings": [],
                "types": [[column, "String"] for column in columns],
            }
        )

    return assemble(
        [Route("/api/projects/{project:int}/query/", query, methods=["POST"])],
        faults=faults,
        limited=limited,
        expired=lambda _faults: _error(
            401, "authentication_error", "authentication_failed", "Personal API key expired."
        ),
    )


def settings(base_url: str, *, token: str) -> dict[str, Any]:
    """Small pages, so that a small world has several."""
    return {
        "base_url": base_url, "project_id": 1, "api_key": token, "group_type_index": 0, "page_size": 7,
        "person_company_property": "company_id", "window_days": 90, "user": "distinct_id", "queries_per_hour": 2_400,
    }  # fmt: skip


def truth(world: World) -> Mapping[str, Collection[str]]:
    first = world.until.date() - timedelta(days=540)
    counted = [event for event in world.events if event.at.date() >= first]
    return {
        "groups": [f"acct-{account.number}" for account in world.accounts],
        "persons": [person_id(person.number) for person in world.people],
        "usage": usage_days(counted),
    }


def person_id(number: int) -> str:
    return str(uuid5(NAMESPACE_OID, f"person-{number}"))


def limited(faults: Faults) -> Response:
    """429 as the framework behind the API says it: the wait stands in the sentence only."""
    wait = f" Expected available in {faults.retry_after} seconds." if faults.retry_after else ""
    return _error(429, "throttled_error", "throttled", f"Request was throttled.{wait}")


def _error(status: int, kind: str, code: str, detail: str) -> Response:
    return JSONResponse({"type": kind, "code": code, "detail": detail, "attr": None}, status)


def _chosen(table: str, rows: Sequence[Row], values: Mapping[str, Any], most: int) -> list[Row]:
    if table == "events":
        unwanted = {value for name, value in values.items() if name.startswith("ignored")}
        begin = max(
            bisect_left(rows, values["start"] * 1000, key=itemgetter(1)),
            bisect_right(rows, (values["after"], values["uuid"]), key=itemgetter(1, 0)),
        )
        end = bisect_left(rows, min(values["until"], values["end"] * 1000 + 1000), key=itemgetter(1))
        return [row for row in rows[begin:end] if row[2] not in unwanted][:most]
    keys = {value for name, value in values.items() if name.startswith("key")}
    if keys:
        return [row for row in rows if row[0] in keys]
    return list(rows[bisect_right(rows, values["after"], key=itemgetter(0)) :][:most])


def _groups(world: World) -> list[Row]:
    """Every other one with its properties as text, as older rows come."""
    rows: list[Row] = []
    for account in world.accounts:
        known = {"name": account.name, "domain": account.domain, "crm_id": crm_id(account.number)}
        rows.append((f"acct-{account.number}", known if account.number % 2 else orjson.dumps(known).decode()))
    return sorted(rows)


def _persons(world: World) -> list[Row]:
    rows: list[Row] = []
    for person in world.people:
        known = {"email": person.email, "name": person.name, "company_id": f"acct-{person.account}"}
        rows.append((person_id(person.number), known, _milli(person.created_at.timestamp())))
    return sorted(rows)


def _events(world: World, *, nobodys: int) -> list[Row]:
    rows = [
        (
            str(uuid5(NAMESPACE_OID, event.insert_id)),
            _milli(event.at.timestamp()),
            event.name,
            f"u-{event.person}",
            None if nobodys and crc32(event.insert_id.encode()) % nobodys == 0 else f"acct-{event.account}",
        )
        for event in world.events
    ]
    return sorted(rows, key=itemgetter(1, 0))


def _milli(seconds: float) -> int:
    return round(seconds * 1000)
