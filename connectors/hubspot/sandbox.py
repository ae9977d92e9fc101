"""A stand-in for HubSpot that speaks its wire format over the simulated company.

It has its traps as well: search stops at 10,000 rows, leaves associations and rate headers out, never shows archived rows
and lags behind; a private app without a scope gets 403 MISSING_SCOPES.
"""

from collections.abc import Callable, Collection, Iterable, Mapping
from datetime import timedelta
from typing import Any

import orjson
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from connectors.hubspot.hooks import event, signed
from connectors.hubspot.portal import PRIMARY, UNLABELLED_TYPE, Object, Portal, portal, truth
from connectors.kit.sandbox import Faults, Limiter, Rendered, assemble, authorized
from connectors.kit.simulated import World

__all__ = ["app", "event", "settings", "signed", "truth"]
SCOPES = ("companies", "contacts", "deals", "owners")
ALWAYS = ("hs_object_id", "createdate", "lastmodifieddate", "hs_lastmodifieddate")
COMPARE: Mapping[str, Callable[[int, int], bool]] = {
    "GTE": int.__ge__,
    "GT": int.__gt__,
    "LTE": int.__le__,
    "LT": int.__lt__,
    "EQ": int.__eq__,
    "NEQ": int.__ne__,
}

OURS = ("cshub_health", "cshub_band", "cshub_churn_risk")
"""Custom properties of companies, made for what the hub writes."""


def app(
    world: Callable[[], World],
    *,
    token: str,
    faults: Faults,
    index_lag: timedelta = timedelta(0),
    search_cap: int = 10_000,
    largest_page: int = 200,
    without_scopes: Collection[str] = (),
    per_second: int = 5,
    written: dict[str, dict[str, str]] | None = None,
    properties: Collection[str] = OURS,
) -> Starlette:
    """HubSpot. `largest_page` cuts pages short of what is asked; `per_second` is search's own limit.

    `written` is told what is written to companies, of the custom properties there are (`properties`).
    """
    sandbox = _Sandbox(
        Rendered(world, portal),
        token,
        index_lag,
        search_cap,
        largest_page,
        frozenset(without_scopes),
        per_second,
        faults,
    )
    sandbox.written, sandbox.properties = {} if written is None else written, frozenset(properties)
    return assemble(
        [
            Route("/crm/v3/objects/{kind}/batch/update", sandbox.guarded(sandbox.update), methods=["POST"]),
            Route("/crm/v3/objects/{kind}", sandbox.guarded(sandbox.list)),
            Route("/crm/v3/objects/{kind}/search", sandbox.guarded(sandbox.search, counted=False), methods=["POST"]),
            Route("/crm/v3/objects/{kind}/batch/read", sandbox.guarded(sandbox.batch), methods=["POST"]),
            Route(
                "/crm/v4/associations/{kind}/companies/batch/read",
                sandbox.guarded(sandbox.associations),
                methods=["POST"],
            ),
            Route("/crm/v3/owners", sandbox.guarded(sandbox.owners, scope="owners")),
            Route("/crm/v3/pipelines/deals", sandbox.guarded(sandbox.pipelines, scope="deals")),
        ],
        faults=faults,
        limited=lambda some: _limited("TEN_SECONDLY_ROLLING", some.retry_after),
    )


def settings(base_url: str, *, token: str) -> dict[str, Any]:
    """Small pages, and a look for deleted rows in every pull."""
    return {"base_url": base_url, "token": token, "page_size": 5, "deletions_hours": 0}


class _Sandbox:
    written: dict[str, dict[str, str]]
    properties: frozenset[str]

    def __init__(
        self,
        rendered: Rendered[Portal],
        token: str,
        index_lag: timedelta,
        search_cap: int,
        largest_page: int,
        without_scopes: Collection[str],
        per_second: int,
        faults: Faults,
    ) -> None:
        self._portal, self._expected, self._faults = rendered, f"Bearer {token}", faults
        self._lag_ms = round(index_lag.total_seconds() * 1000)
        self._cap, self._largest, self._without = search_cap, largest_page, without_scopes
        self._window, self._search = Limiter(190, 10.0), Limiter(per_second, 1.0)

    def guarded(
        self, answer: Callable[[Request], Any], *, counted: bool = True, scope: str | None = None
    ) -> Callable[[Request], Any]:
        """Token, scope and rate limit before `answer`; the rolling window's headers after it, except for search."""

        async def handle(request: Request) -> Response:
            if not authorized(request, self._expected):
                return _error(401, "INVALID_AUTHENTICATION", "Authentication credentials not found.")
            wanted = scope or request.path_params["kind"]
            if wanted not in SCOPES:
                return _error(404, "OBJECT_NOT_FOUND", f"Unable to infer object type from: {wanted}")
            if wanted in self._without:
                return _missing_scope(wanted)
            allowed, left, _ = (self._window if counted else self._search).hit()
            if not allowed:
                return _limited("TEN_SECONDLY_ROLLING" if counted else "SECONDLY", 0)
            response: Response = await answer(request)
            if counted:
                response.headers["X-HubSpot-RateLimit-Max"] = str(self._window.requests)
                response.headers["X-HubSpot-RateLimit-Remaining"] = str(left)
                response.headers["X-HubSpot-RateLimit-Interval-Milliseconds"] = "10000"
            return response

        return handle

    async def list(self, request: Request) -> Response:
        kind, query = request.path_params["kind"], request.query_params
        archived = query.get("archived") == "true"
        limit, after = min(int(query.get("limit", 10)), 100, self._largest), int(query.get("after", 0))
        again = 1 if after and self._faults.take("duplicate_rows") else 0  # ids are whole numbers
        beyond = [
            item
            for item in self._portal().objects[kind]
            if item.numbers["hs_object_id"] > after - again and item.row["archived"] is archived
        ]
        rows = [_chosen(item, query.get("properties", "").split(",")) for item in beyond[:limit]]
        if query.get("associations") == "companies":
            for row, item in zip(rows, beyond, strict=False):
                if item.company is not None:
                    row["associations"] = {"companies": {"results": _inline(kind, item.company)}}
        return _page(rows, after=rows[-1]["id"] if len(beyond) > limit else None)

    async def search(self, request: Request) -> Response:
        kind, body = request.path_params["kind"], orjson.loads(await request.body())
        limit, after = min(body.get("limit", 10), self._largest), int(body.get("after") or 0)
        if body.get("limit", 10) > 200 or len(body.get("filterGroups", ())) > 6:
            return _error(400, "VALIDATION_ERROR", "limit is at most 200, filterGroups at most 6")
        if after >= self._cap:
            return _error(400, "VALIDATION_ERROR", f"There is a maximum of {self._cap} results")
        current = self._portal()
        newest = current.until - self._lag_ms
        found = [
            item
            for item in current.objects[kind]
            if not item.row["archived"] and _modified(item) <= newest and _matches(item, body.get("filterGroups", ()))
        ]
        for sort in reversed(body.get("sorts", [])):
            name, descending = sort["propertyName"], sort.get("direction") == "DESCENDING"
            found.sort(key=lambda item: item.numbers[name], reverse=descending)
        rows = [_chosen(item, body.get("properties", ())) for item in found[after : after + limit]]
        more = after + limit < len(found)
        return _page(rows, after=str(after + limit) if more else None, total=len(found))

    async def batch(self, request: Request) -> Response:
        kind, body = request.path_params["kind"], orjson.loads(await request.body())
        if len(body["inputs"]) > 100:
            return _error(400, "VALIDATION_ERROR", "at most 100 inputs")
        found = [self._portal().by_id[kind].get(str(each["id"])) for each in body["inputs"]]
        rows = [_chosen(item, body.get("properties", ())) for item in found if item and not item.row["archived"]]
        answer: dict[str, Any] = {"status": "COMPLETE", "results": rows}
        if len(rows) < len(found):
            answer.update(numErrors=1, errors=[{"status": "error", "category": "OBJECT_NOT_FOUND"}])
        return JSONResponse(answer, 207 if len(rows) < len(found) else 200)

    async def update(self, request: Request) -> Response:
        """Of a property there is not, all of it is refused; of a row there is not, that row."""
        kind, inputs = request.path_params["kind"], orjson.loads(await request.body())["inputs"]
        if len(inputs) > 100:
            return _error(400, "VALIDATION_ERROR", "The maximum number of inputs supported in a batch request is 100")
        unknown = {name for each in inputs for name in each["properties"]} - self.properties
        if unknown:
            return _error(400, "VALIDATION_ERROR", f'Property "{min(unknown)}" does not exist')
        there = [each for each in inputs if str(each["id"]) in self._portal().by_id[kind]]
        for each in there:
            self.written.setdefault(str(each["id"]), {}).update(each["properties"])
        answer: dict[str, Any] = {"status": "COMPLETE", "results": [{"id": each["id"]} for each in there]}
        if len(there) < len(inputs):
            lost = [each["id"] for each in inputs if each not in there]
            told = {"status": "error", "category": "OBJECT_NOT_FOUND", "message": "Could not get some COMPANY objects"}
            answer.update(numErrors=1, errors=[{**told, "context": {"ids": lost}}])
        return JSONResponse(answer, 207 if len(there) < len(inputs) else 200)

    async def associations(self, request: Request) -> Response:
        kind, current = request.path_params["kind"], self._portal()
        type_id, _ = PRIMARY[kind]
        results, errors = [], []
        for wanted in orjson.loads(await request.body())["inputs"]:
            item = current.by_id[kind].get(str(wanted["id"]))
            if item is None or item.company is None:
                errors.append({"status": "error", "subCategory": "crm.associations.NO_ASSOCIATIONS_FOUND"})
                continue
            types = [
                {"category": "HUBSPOT_DEFINED", "typeId": UNLABELLED_TYPE[kind], "label": None},
                {"category": "HUBSPOT_DEFINED", "typeId": type_id, "label": "Primary"},
            ]
            to = [{"toObjectId": int(item.company), "associationTypes": types}]
            results.append({"from": {"id": str(wanted["id"])}, "to": to})
        body: dict[str, Any] = {"status": "COMPLETE", "results": results}
        if errors:
            body.update(numErrors=len(errors), errors=errors)
        return JSONResponse(body, 207 if errors else 200)

    async def owners(self, request: Request) -> Response:
        archived = request.query_params.get("archived") == "true"
        return _page([owner for owner in self._portal().owners if owner["archived"] is archived], after=None)

    async def pipelines(self, request: Request) -> Response:
        return _page(self._portal().pipelines, after=None)


def _matches(item: Object, groups: Iterable[Mapping[str, Any]]) -> bool:
    """Filters of a group are all to hold, one group is to hold; no groups mean everything."""
    some = list(groups)
    return not some or any(all(_holds(item, each) for each in group["filters"]) for group in some)


def _holds(item: Object, wanted: Mapping[str, Any]) -> bool:
    name = wanted["propertyName"]
    if name in item.numbers:
        return COMPARE[wanted["operator"]](item.numbers[name], int(wanted["value"]))
    value = item.row["properties"].get(name)
    if wanted["operator"] == "HAS_PROPERTY":
        return value is not None
    same: bool = value == wanted["value"]
    return same if wanted["operator"] == "EQ" else not same


def _modified(item: Object) -> int:
    return next(number for name, number in item.numbers.items() if name.endswith("lastmodifieddate"))


def _chosen(item: Object, properties: Iterable[str]) -> dict[str, Any]:
    """The row with the properties asked for; unknown ones are left out without a word, as HubSpot does."""
    own = item.row["properties"]
    return {**item.row, "properties": {name: own[name] for name in (*properties, *ALWAYS) if name in own}}


def _inline(kind: str, company: str) -> list[dict[str, str]]:
    _, label = PRIMARY[kind]
    return [{"id": company, "type": f"{label}_unlabeled"}, {"id": company, "type": label}]


def _page(rows: list[dict[str, Any]], *, after: str | None, total: int | None = None) -> Response:
    body: dict[str, Any] = {"results": rows}
    if total is not None:
        body["total"] = total
    if after is not None:
        body["paging"] = {"next": {"after": after, "link": f"https://api.hubapi.com/next?after={after}"}}
    return Response(orjson.dumps(body), media_type="application/json")


def _error(status: int, category: str, message: str) -> Response:
    told = {"status": "error", "message": message, "correlationId": "5a9b2c1e-simulated", "category": category}
    return JSONResponse(told, status)


def _missing_scope(kind: str) -> Response:
    scopes = {"requiredGranularScopes": [f"crm.objects.{kind}.read"]}
    told = {
        "status": "error",
        "message": "This app hasn't been granted all required scopes to make this call.",
        "correlationId": "5a9b2c1e-simulated",
        "errors": [{"message": "One or more of the following scopes are required.", "context": scopes}],
        "category": "MISSING_SCOPES",
    }
    return JSONResponse(told, 403)


def _limited(policy: str, retry_after: int) -> Response:
    told = {
        "status": "error",
        "message": f"You have reached your {policy.lower()} limit.",
        "errorType": "RATE_LIMIT",
        "correlationId": "5a9b2c1e-simulated",
        "policyName": policy,
    }
    return JSONResponse(told, 429, {"Retry-After": str(retry_after)} if retry_after else None)
