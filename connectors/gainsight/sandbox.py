"""A stand-in for Gainsight's read API over the simulated company.

    POST /v1/data/objects/query/{Company,Company_Person,Company_Scorecard_History}

One condition at most, in the fields it is asked with; the answer holds what is selected, and nothing of what comes behind it.
Companies were scored anew by each answer to a survey. Rows that were deleted are gone without a trace.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import datetime
from typing import Any

import orjson
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from connectors.gainsight.scores import colour
from connectors.kit.sandbox import Faults, Limiter, Rendered, assemble
from connectors.kit.simulated import World, crm_id

Row = dict[str, Any]
LARGEST = 5000
TESTS: Mapping[str, Callable[[str, Sequence[str]], bool]] = {
    "EQ": lambda have, given: have == given[0],
    "GTE": lambda have, given: have >= given[0],
    "IN": lambda have, given: have in given,
}


def app(
    world: Callable[[], World],
    *,
    token: str,
    faults: Faults,
    requests_per_minute: int = 10_000,
    without: Collection[str] = (),
) -> Starlette:
    """without: objects the key may not read."""
    rendered, limiter = Rendered(world, _render), Limiter(requests_per_minute, 60.0)

    async def query(request: Request) -> Response:
        if request.headers.get("accesskey") != token:
            return _unknown_key()
        allowed, _, wait = limiter.hit()
        if not allowed:
            return limited(Faults(retry_after=max(1, round(wait))))
        name = request.path_params["name"]
        if name in without:
            return _refused(403, "GS_4003", f"You don't have access to the object {name}")
        if name not in rendered():
            return _refused(400, "GSOBJ_1009", f"Invalid object name {name}")
        asked = orjson.loads(await request.body())
        rows = rendered()[name]
        if unknown := set(asked["select"]) - rows[0].keys() if rows else ():
            return _refused(400, "GSOBJ_1010", f"Invalid fields {sorted(unknown)}")
        limit, offset = asked.get("limit", 100), asked.get("offset", 0)
        if limit > LARGEST:
            return _refused(400, "GSOBJ_1012", f"limit should not exceed {LARGEST}")
        for each in asked.get("where", {}).get("conditions", ()):
            rows = [row for row in rows if TESTS[each["operator"]](row[each["name"]], each["value"])]
        for field, way in reversed(asked.get("orderBy", {}).items()):
            rows = sorted(rows, key=lambda row: str(row[field]), reverse=way == "desc")
        if offset and faults.take("empty_pages"):
            limit = 0
        begin = offset - 1 if offset and faults.take("duplicate_rows") else offset
        page = [{name: row[name] for name in asked["select"]} for row in rows[begin : offset + limit]]
        return JSONResponse({"result": True, "errorCode": None, "errorDesc": None, "data": page, "message": None})

    routes = [Route("/v1/data/objects/query/{name}", query, methods=["POST"])]
    return assemble(routes, faults=faults, limited=limited, expired=lambda some: _unknown_key())


def settings(base_url: str, *, token: str) -> dict[str, Any]:
    return {
        "base_url": base_url, "access_key": token, "page_size": 5, "domain_field": "Domain__gc", "segment_field": "Segment__gc",
        "country_field": "BillingCountry", "role_field": "Role__gc", "active_field": "Active__gc",
    }  # fmt: skip


def truth(world: World) -> Mapping[str, Collection[str]]:
    stay = [each for each in world.people if each.left_at is None or each.left_at > world.until]
    return {
        "companies": [_company_id(each.number) for each in world.accounts],
        "people": [_id("P", each.number) for each in stay],
        "scores": [_id("S", each.number) for each in world.nps],
    }


def limited(faults: Faults) -> Response:
    response = _refused(429, "GS_4290", "API rate limit exceeded")
    response.headers["Retry-After"] = str(faults.retry_after)
    return response


def _render(world: World) -> dict[str, list[Row]]:
    return {
        "Company": [_company(each) for each in world.accounts],
        "Company_Person": [_person(each, world.until) for each in world.people],
        "Company_Scorecard_History": [_score(each) for each in world.nps],
    }


def _id(kind: str, number: int) -> str:
    return f"1{kind}{number:0>18}"


def _company_id(number: int) -> str:
    return _id("C", number)


def _company(each: Any) -> Row:
    return {
        "Gsid": _company_id(each.number),
        "Name": each.name,
        "Status": "Active" if each.churned_on is None else "Churned",
        "Industry": each.industry,
        "Employees": each.employees,
        "ParentCompany": None if each.parent is None else _company_id(each.parent),
        "SfdcAccountId": crm_id(each.number),
        "Csm__gr.Email": each.csm_email,
        "Csm__gr.Name": each.csm_name,
        "OriginalContractDate": each.signed_on.isoformat(),
        "Domain__gc": each.domain,
        "Segment__gc": each.segment,
        "BillingCountry": each.country,
        "CreatedDate": f"{each.signed_on}T00:00:00Z",
        "ModifiedDate": _time(each.updated_at),
    }


def _person(each: Any, until: datetime) -> Row:
    left = each.left_at is not None and each.left_at <= until
    return {
        "Gsid": _id("P", each.number),
        "Company_ID": _company_id(each.account),
        "Person_ID__gr.Email": each.email,
        "Person_ID__gr.Name": each.name,
        "Title": each.title,
        "Role__gc": each.role,
        "Active__gc": not left,
        "CreatedDate": _time(each.created_at),
        "ModifiedDate": _time(max(each.updated_at, each.left_at if left else each.updated_at)),
    }


def _score(each: Any) -> Row:
    score = 10.0 * each.score
    return {
        "Gsid": _id("S", each.number),
        "CompanyId": _company_id(each.account),
        "SnapshotDate": _time(each.at),
        "MeasureId__gr.Name": "Overall Score",
        "ScoreId__gr.Score": score,
        "ScoreId__gr.Label": colour(score),
        "CreatedDate": _time(each.at),
        "ModifiedDate": _time(each.at),
    }


def _time(when: datetime) -> str:
    return when.strftime("%Y-%m-%dT%H:%M:%SZ")


def _unknown_key() -> Response:
    return _refused(401, "GS_4001", "Invalid access key")


def _refused(status: int, code: str, words: str) -> Response:
    return JSONResponse(
        {"result": False, "errorCode": code, "errorDesc": words, "requestId": "r-1", "data": None}, status
    )
