"""A stand-in for Totango's search API over the simulated company.

    POST /api/v1/search/{accounts,users}    the form field `query`: terms, fields, count, offset, sort_by

`total_hits` counts all that match, and hits end at a ceiling without a word. Values come in the order of the fields. An
account's health has changed once. What was deleted, people who have left among it, is gone without a trace.
"""

from collections.abc import Callable, Collection, Mapping
from datetime import UTC, datetime, time, timedelta
from typing import Any
from urllib.parse import parse_qs

import orjson
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from connectors.kit.sandbox import Faults, Limiter, Rendered, assemble
from connectors.kit.simulated import Person, World, crm_id
from connectors.kit.values import version
from connectors.totango.mapping import score_key, user_key

Row = dict[str, Any]
COLOURS = ("red", "yellow", "green")


def app(
    world: Callable[[], World],
    *,
    token: str,
    faults: Faults,
    ceiling: int = 10_000,
    requests_per_minute: int = 10_000,
) -> Starlette:
    rendered, limiter = Rendered(world, _render), Limiter(requests_per_minute, 60.0)

    async def search(request: Request) -> Response:
        if request.headers.get("app-token") != token:
            return _unauthorized()
        allowed, _, wait = limiter.hit()
        if not allowed:
            return limited(Faults(retry_after=max(1, round(wait))))
        kind = request.path_params["kind"]
        form = parse_qs((await request.body()).decode())
        if kind not in rendered() or "query" not in form:
            return _error(400, "bad request")
        query = orjson.loads(form["query"][0])
        if query["count"] > 1000:
            return _error(400, "count is 1000 at most")
        rows = [row for row in rendered()[kind] if all(_matches(row, term) for term in query["terms"])]
        rows = sorted(rows, key=lambda row: (str(row[query["sort_by"]]), row["name"]))
        offset = query["offset"]
        count = 0 if offset and faults.take("empty_pages") else min(query["count"], max(0, ceiling - offset))
        begin = offset - 1 if offset and faults.take("duplicate_rows") else offset
        hits = [_shown(row, query["fields"]) for row in rows[begin : offset + count]]
        return JSONResponse({"service_id": "SP-1", "response": {kind: {"hits": hits, "total_hits": len(rows)}}})

    routes = [Route("/api/v1/search/{kind}", search, methods=["POST"])]
    return assemble(routes, faults=faults, limited=limited, expired=lambda some: _unauthorized())


def settings(base_url: str, *, token: str) -> dict[str, Any]:
    return {
        "base_url": base_url, "app_token": token, "page_size": 5, "csm_email_attribute": "Success Manager Email",
        "external_key_attribute": "Salesforce ID", "parent_attribute": "Parent", "domain_attribute": "Domain",
        "segment_attribute": "Segment", "industry_attribute": "Industry", "country_attribute": "Country",
        "employees_attribute": "Employees", "became_customer_attribute": "Customer Since", "title_attribute": "Title",
        "role_attribute": "Role",
    }  # fmt: skip


def truth(world: World) -> Mapping[str, Collection[str]]:
    return {
        "accounts": [account_id(each.number) for each in world.accounts],
        "users": [user_key(account_id(each.account), each.email) for each in _there(world)],
        "scores": [score_key(account_id(each.number), version(_changed(each))) for each in world.accounts],
    }


def account_id(number: int) -> str:
    return f"acct-{number}"


def limited(faults: Faults) -> Response:
    response = _error(429, "Too many calls")
    response.headers["Retry-After"] = str(faults.retry_after)
    return response


def _there(world: World) -> list[Person]:
    return [each for each in world.people if each.left_at is None or each.left_at > world.until]


def _render(world: World) -> dict[str, list[Row]]:
    return {"accounts": [_account(each) for each in world.accounts], "users": [_user(each) for each in _there(world)]}


def _matches(row: Row, term: Row) -> bool:
    if term["type"] == "number_attribute":
        value = row["attributes"].get(term["attribute"])
        return value is not None and term["gte"] <= value < term["lt"]
    return row[term["term"]] in term["in_list"]


def _shown(row: Row, fields: list[Row]) -> Row:
    values = [
        row["trend"] if each["type"] == "health_trend" else row["attributes"].get(each["attribute"]) for each in fields
    ]
    shown: Row = {name: row[name] for name in ("name", "display_name", "account") if name in row}
    return {**shown, "selected_fields": values}


def _changed(each: Any) -> datetime:
    return datetime.combine(each.signed_on, time(9), UTC) + timedelta(days=30)


def _account(each: Any) -> Row:
    colour = COLOURS[each.number % 3]
    changed = version(_changed(each))
    return {
        "name": account_id(each.number),
        "display_name": each.name,
        "status_group": "paying" if each.churned_on is None else "cancelled",
        "trend": {"health": colour, "health_prev": "yellow", "change_date": changed},
        "attributes": {
            "Success Manager": each.csm_name,
            "Success Manager Email": each.csm_email,
            "Salesforce ID": crm_id(each.number),
            "Parent": None if each.parent is None else account_id(each.parent),
            "Domain": each.domain,
            "Segment": each.segment,
            "Industry": each.industry,
            "Country": each.country,
            "Employees": each.employees,
            "Customer Since": version(datetime.combine(each.signed_on, time(), UTC)),
        },
    }


def _user(each: Person) -> Row:
    return {
        "name": each.email,
        "display_name": each.name,
        "account": {"name": account_id(each.account), "display_name": f"Account {each.account}"},
        "attributes": {"Title": each.title, "Role": each.role},
    }


def _unauthorized() -> Response:
    return _error(401, "Unauthorized")


def _error(status: int, message: str) -> Response:
    return JSONResponse({"error": message}, status)
