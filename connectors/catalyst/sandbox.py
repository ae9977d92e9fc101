"""A stand-in for Catalyst's API, version 1, over the simulated company.

    GET /accounts        limit, offset, updated_at_gte
    GET /accounts/{id}
    GET /health          limit, offset, score_updated_at_gte

Rows come in the order of their ids, 25 a page unless more are asked for, 100 at most. An account's health was counted anew by
each answer to a survey. What was deleted is gone without a trace.
"""

from collections.abc import Callable, Collection, Mapping
from datetime import datetime
from typing import Any

from pydantic import SecretStr
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from connectors.kit.credentials import bearer
from connectors.kit.sandbox import Faults, Limiter, Rendered, assemble, authorized
from connectors.kit.simulated import World, crm_id

Row = dict[str, Any]
FILTERS = {"accounts": "updated_at", "health": "score_updated_at"}


def app(world: Callable[[], World], *, token: str, faults: Faults, requests_per_minute: int = 10_000) -> Starlette:
    rendered, limiter = Rendered(world, _render), Limiter(requests_per_minute, 60.0)
    expected = bearer(SecretStr(token))

    def refusal(request: Request) -> Response | None:
        if not authorized(request, expected):
            return _unauthorized()
        allowed, _, wait = limiter.hit()
        return None if allowed else limited(Faults(retry_after=max(1, round(wait))))

    async def listing(request: Request) -> Response:
        if refused := refusal(request):
            return refused
        name, query = request.path_params["name"], request.query_params
        if name not in FILTERS:
            return _error(404, "Not Found")
        limit, offset = int(query.get("limit", 25)), int(query.get("offset", 0))
        if not 1 <= limit <= 100:
            return _error(422, "limit must be between 1 and 100")
        rows, filtered = rendered()[name], FILTERS[name]
        if since := query.get(f"{filtered}_gte"):
            rows = [row for row in rows if row[filtered] >= since]
        size = 0 if offset and faults.take("empty_pages") else limit
        begin = offset - 1 if offset and faults.take("duplicate_rows") else offset
        return JSONResponse({"data": rows[begin : offset + size]})

    async def single(request: Request) -> Response:
        if refused := refusal(request):
            return refused
        row = next((row for row in rendered()["accounts"] if row["id"] == request.path_params["id"]), None)
        return JSONResponse({"data": row}) if row else _error(404, "Account not found")

    routes = [Route("/v1/accounts/{id}", single), Route("/v1/{name}", listing)]
    return assemble(routes, faults=faults, limited=limited, expired=lambda some: _unauthorized())


def settings(base_url: str, *, token: str) -> dict[str, Any]:
    return {
        "base_url": f"{base_url}/v1", "api_key": token, "page_size": 5, "segment_label": "Segment",
        "country_label": "Billing Country", "employees_label": "Employees", "csm_email_label": "CSM Email",
        "csm_name_label": "CSM", "became_customer_label": "Customer Since",
    }  # fmt: skip


def truth(world: World) -> Mapping[str, Collection[str]]:
    return {
        "accounts": [account_id(each.number) for each in world.accounts],
        "scores": [f"hs-{each.number:05}" for each in world.nps],
    }


def account_id(number: int) -> str:
    return f"5f3c{number:08}"


def limited(faults: Faults) -> Response:
    response = _error(429, "Rate limit exceeded")
    response.headers["Retry-After"] = str(faults.retry_after)
    return response


def _render(world: World) -> dict[str, list[Row]]:
    return {
        "accounts": sorted((_account(each) for each in world.accounts), key=lambda row: row["id"]),
        "health": sorted((_health(each) for each in world.nps), key=lambda row: row["id"]),
    }


def _account(each: Any) -> Row:
    told = {
        "Account Name": each.name,
        "Account Type": "Customer" if each.churned_on is None else "Former Customer",
        "Industry": each.industry,
        "Website": each.domain,
        "Segment": each.segment,
        "Billing Country": each.country,
        "Employees": each.employees,
        "CSM": each.csm_name,
        "CSM Email": each.csm_email,
        "Customer Since": each.signed_on.isoformat(),
    }
    return {
        "id": account_id(each.number),
        "external_id": crm_id(each.number),
        "created_at": f"{each.signed_on}T00:00:00Z",
        "updated_at": _time(each.updated_at),
        "attributes": [{"label": label, "value": value} for label, value in told.items()],
    }


def _health(each: Any) -> Row:
    score = max(1.0, float(each.score))
    return {
        "id": f"hs-{each.number:05}",
        "account_id": account_id(each.account),
        "profile_name": "Standard",
        "score": score,
        "health": "At-Risk" if score < 4 else "Neutral" if score < 8 else "Healthy",
        "score_updated_at": _time(each.at),
    }


def _time(when: datetime) -> str:
    return when.strftime("%Y-%m-%dT%H:%M:%SZ")


def _unauthorized() -> Response:
    return _error(401, "Unauthorized")


def _error(status: int, message: str) -> Response:
    return JSONResponse({"error": {"status": status, "message": message}}, status)
