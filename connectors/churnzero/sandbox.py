"""A stand-in for ChurnZero's REST API, OData v4, over the simulated company.

    GET /public/v1/{Account,Contact,ChurnScoreCalculation}        $filter (`ge` and `lt`), $orderby, $skip, $count, $expand
    GET /public/v1/{Account,Contact,ChurnScoreCalculation}(Id)

Pages are as long as the server likes; `@odata.nextLink` is an absolute URL. Accounts were scored by each answer to a survey.
What was deleted, people who have left among it, is gone without a trace.
"""

from collections.abc import Callable, Collection, Mapping
from datetime import datetime
from typing import Any

from pydantic import SecretStr
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from connectors.kit.credentials import basic
from connectors.kit.sandbox import Faults, Limiter, Rendered, assemble, authorized
from connectors.kit.simulated import Person, World, crm_id

Row = dict[str, Any]
USER = "mover@ourco.example"
EXPANDED = {"UserAccount", "ChurnScore"}
COLD, HOT = (500_000, "Health"), (500_001, "Health of the big ones")


def app(
    world: Callable[[], World],
    *,
    token: str,
    faults: Faults,
    page_size: int = 100,
    requests_per_minute: int = 10_000,
    without: Collection[str] = (),
) -> Starlette:
    """without: entities the user may not read."""
    rendered, limiter = Rendered(world, _render), Limiter(requests_per_minute, 60.0)
    expected = basic(USER, SecretStr(token))

    def refusal(request: Request, entity: str) -> Response | None:
        if not authorized(request, expected):
            return _error(401, "Unauthorized")
        allowed, _, wait = limiter.hit()
        if not allowed:
            return limited(Faults(retry_after=max(1, round(wait))))
        if entity in without:
            return _error(403, "Forbidden")
        return None if entity in rendered() else _error(404, "Not Found")

    async def listing(request: Request) -> Response:
        entity, query = request.path_params["entity"], request.query_params
        if refused := refusal(request, entity):
            return refused
        rows = _chosen(list(rendered()[entity].values()), query)
        if rows is None:
            return _error(400, "The query specified in the URI is not valid.")
        skip = int(query.get("$skip", 0))
        size = 0 if skip and faults.take("empty_pages") else page_size
        begin = skip - 1 if skip and faults.take("duplicate_rows") else skip
        told: Row = {"@odata.context": f"{request.base_url}public/v1/$metadata#{entity}"}
        if query.get("$count") == "true":
            told["@odata.count"] = len(rows)
        told["value"] = [_shown(row, query.get("$expand")) for row in rows[begin : skip + size]]
        if skip + size < len(rows):
            told["@odata.nextLink"] = str(request.url.include_query_params(**{"$skip": skip + size}))
        return JSONResponse(told)

    async def single(request: Request) -> Response:
        entity = request.path_params["entity"]
        if refused := refusal(request, entity):
            return refused
        row = rendered()[entity].get(request.path_params["id"])
        return JSONResponse(_shown(row, request.query_params.get("$expand"))) if row else _error(404, "Not Found")

    routes = [Route("/public/v1/{entity}({id:int})", single), Route("/public/v1/{entity}", listing)]
    return assemble(routes, faults=faults, limited=limited, expired=lambda some: _error(401, "Unauthorized"))


def settings(base_url: str, *, token: str) -> dict[str, Any]:
    return {
        "base_url": base_url, "user": USER, "api_key": token, "better": "higher", "days_at_once": 8, "domain_field": "Domain",
        "segment_field": "Segment", "industry_field": "Industry", "country_field": "Country", "employees_field": "Employees",
        "parent_field": "ParentId", "title_field": "Title", "role_field": "Role",
    }  # fmt: skip


def truth(world: World) -> Mapping[str, Collection[str]]:
    return {
        "accounts": [str(account_id(each.number)) for each in world.accounts],
        "contacts": [str(contact_id(each.number)) for each in _there(world)],
        "scores": [str(score_id(each.number)) for each in world.nps],
    }


def account_id(number: int) -> int:
    return 100_000 + number


def contact_id(number: int) -> int:
    return 200_000 + number


def score_id(number: int) -> int:
    return 300_000 + number


def limited(faults: Faults) -> Response:
    response = _error(429, "Too Many Requests")
    response.headers["Retry-After"] = str(faults.retry_after)
    return response


def _there(world: World) -> list[Person]:
    return [each for each in world.people if each.left_at is None or each.left_at > world.until]


def _render(world: World) -> dict[str, dict[int, Row]]:
    tables = {
        "Account": [_account(each) for each in world.accounts],
        "Contact": [_contact(each) for each in _there(world)],
        "ChurnScoreCalculation": [_calculation(each) for each in world.nps],
    }
    return {entity: {row["Id"]: row for row in rows} for entity, rows in tables.items()}


def _chosen(rows: list[Row], query: Mapping[str, str]) -> list[Row] | None:
    """Those the filter lets through, in order; None where the filter is none that is known here."""
    for condition in filter(None, query.get("$filter", "").split(" and ")):
        field, operator, bound = condition.split(" ")
        if operator not in ("ge", "lt") or field == "Id":
            return None
        rows = [row for row in rows if row[field] and (row[field] >= bound) is (operator == "ge")]
    order = query.get("$orderby")
    return sorted(rows, key=lambda row: (row[order] or "", row["Id"])) if order else rows


def _shown(row: Row, expand: str | None) -> Row:
    wanted = set((expand or "").split(","))
    return {name: value for name, value in row.items() if name not in EXPANDED or name in wanted}


def _account(each: Any) -> Row:
    return {
        "Id": account_id(each.number),
        "ExternalId": f"acct-{each.number}",
        "CrmId": crm_id(each.number),
        "Name": each.name,
        "IsActive": each.churned_on is None,
        "StartDate": each.signed_on.isoformat(),
        "EndDate": None if each.churned_on is None else each.churned_on.isoformat(),
        "UserAccountId": 7,
        "UserAccount": {"Id": 7, "Name": each.csm_name, "Email": each.csm_email},
        "Cf": {
            "Domain": each.domain,
            "Segment": each.segment,
            "Industry": each.industry,
            "Country": each.country,
            "Employees": each.employees,
            "ParentId": None if each.parent is None else account_id(each.parent),
        },
        "ObjectCreatedDate": f"{each.signed_on}T00:00:00Z",
        "ObjectLastModifiedDate": _time(each.updated_at),
    }


def _contact(each: Person) -> Row:
    first, _, last = each.name.partition(" ")
    return {
        "Id": contact_id(each.number),
        "AccountId": account_id(each.account),
        "ExternalId": f"u-{each.number}",
        "Email": each.email,
        "FirstName": first,
        "LastName": last,
        "FullName": each.name,
        "Cf": {"Title": each.title, "Role": each.role},
        "ObjectCreatedDate": _time(each.created_at),
        "ObjectLastModifiedDate": _time(each.updated_at),
    }


def _calculation(each: Any) -> Row:
    key, name = HOT if each.account % 2 else COLD
    return {
        "Id": score_id(each.number),
        "AccountId": account_id(each.account),
        "ChurnScoreId": key,
        "ChurnScore": {"Id": key, "Name": name},
        "IsPrimary": True,
        "Score": 10.0 * each.score,
        "CalculationDay": f"{each.at:%Y-%m-%d}",
    }


def _time(when: datetime) -> str:
    return when.strftime("%Y-%m-%dT%H:%M:%SZ")


def _error(status: int, message: str) -> Response:
    return JSONResponse({"error": {"code": str(status), "message": message}}, status)
