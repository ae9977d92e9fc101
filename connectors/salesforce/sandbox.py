"""A stand-in for Salesforce: OAuth, SOQL, bulk queries and the day's request limit, over the simulated company.

    POST /services/oauth2/token                   client credentials; every token it gave out is good
    GET  /services/data/<version>/query           SOQL; rows that were deleted are not there
    GET  /services/data/<version>/queryAll        … are there, with IsDeleted
    GET  /services/data/<version>/query/<locator> the rest of a result, of which the first answer holds `batch` rows
    POST /services/data/<version>/jobs/query      a bulk query, done at the second look; results as CSV in parts

There is no 429: limits answer 403 REQUEST_LIMIT_EXCEEDED. Errors are lists. Every answer tells what is used of the day.
"""

import csv
import io
from collections.abc import Callable, Collection, Mapping
from typing import Any
from urllib.parse import parse_qsl

import orjson
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from connectors.kit.sandbox import Faults, Rendered, assemble
from connectors.kit.simulated import World
from connectors.salesforce.asked import MalformedError, Query, read, value
from connectors.salesforce.org import Object, Row, key, organisation

LOGIN = "/services/oauth2/token"
CLIENT_ID = "3MVG9.sandbox"


def app(
    world: Callable[[], World],
    *,
    token: str,
    faults: Faults,
    without: Collection[str] = (),
    hidden: Collection[str] = (),
    requests_a_day: int = 100_000,
    batch: int = 2_000,
    written: dict[str, dict[str, Any]] | None = None,
) -> Starlette:
    """`token` is the app's consumer secret.

    without  objects its user may not read
    hidden   fields its user may not read
    batch    rows of an answer at most; the rest is at its locator
    written  is told what is written to Accounts, of fields whose names end in __c
    """
    served = Organisation(world, token, faults, frozenset(without), frozenset(hidden), requests_a_day, batch)
    served.written = {} if written is None else written
    data = "/services/data/{version}"
    routes = [
        Route(LOGIN, served.login, methods=["POST"]),
        Route(f"{data}/query", served.guarded(served.query)),
        Route(f"{data}/queryAll", served.guarded(served.query)),
        Route(f"{data}/query/{{locator}}", served.guarded(served.rest)),
        Route(f"{data}/composite/sobjects", served.guarded(served.update), methods=["PATCH"]),
        Route(f"{data}/jobs/query", served.guarded(served.submit), methods=["POST"]),
        Route(f"{data}/jobs/query/{{job}}", served.guarded(served.job)),
        Route(f"{data}/jobs/query/{{job}}/results", served.guarded(served.results)),
    ]
    return assemble(
        routes, faults=faults, limited=lambda some: _limited("ConcurrentRequests (Concurrent API Requests)"),
        expired=lambda some: _expired(), logins=[LOGIN],
    )  # fmt: skip


def settings(base_url: str, *, token: str) -> dict[str, Any]:
    """Of a source that reads all of it, with custom fields of this organisation."""
    return {
        "base_url": base_url,
        "client_id": CLIENT_ID,
        "client_secret": token,
        "page_size": 4,
        "became_customer_field": "Customer_Since__c",
        "segment_field": "Segment__c",
        "csm_relationship": "CSM__r",
        "external_key_field": "Customer_Number__c",
        "contact_role_field": "Role__c",
        "contact_left_field": "Left__c",
        "multi_currency": True,
    }


def truth(world: World) -> Mapping[str, Collection[str]]:
    stay = (each for each in world.people if each.left_at is None or each.left_at > world.until)
    return {
        "accounts": {key("Account", each.number) for each in world.accounts},
        "contacts": {key("Contact", each.number) for each in stay},
        "opportunities": {key("Opportunity", each.number) for each in world.deals},
        "cases": {key("Case", each.number) for each in world.tickets},
    }


class Organisation:
    written: dict[str, dict[str, Any]]

    def __init__(
        self,
        world: Callable[[], World],
        token: str,
        faults: Faults,
        without: Collection[str],
        hidden: Collection[str],
        requests_a_day: int,
        batch: int,
    ) -> None:
        self._objects, self._secret, self._faults = Rendered(world, organisation), token, faults
        self._without, self._hidden, self._batch = without, hidden, batch
        self._limit, self._used = requests_a_day, 0
        self._sessions: list[str] = []
        self._results: dict[str, tuple[str, list[dict[str, Any]]]] = {}
        self._jobs: dict[str, dict[str, Any]] = {}

    async def login(self, request: Request) -> Response:
        form = dict(parse_qsl((await request.body()).decode()))
        if form.get("client_id") != CLIENT_ID or form.get("client_secret") != self._secret:
            return JSONResponse({"error": "invalid_client", "error_description": "invalid client credentials"}, 401)
        if form.get("grant_type") != "client_credentials":
            return JSONResponse({"error": "unsupported_grant_type"}, 400)
        self._sessions.append(f"00D00000000000!{len(self._sessions):06d}")
        return JSONResponse(
            {
                "access_token": self._sessions[-1],
                "instance_url": str(request.base_url).rstrip("/"),
                "id": "https://login.salesforce.com/id/00D00000000000AAA/005000000000000AAA",
                "token_type": "Bearer",
                "issued_at": "1795348800000",
            }
        )

    def guarded(self, answer: Callable[[Request], Any]) -> Callable[[Request], Any]:
        async def handle(request: Request) -> Response:
            if request.headers.get("authorization", "").removeprefix("Bearer ") not in self._sessions:
                return _expired()
            if self._used >= self._limit:
                return self._told(_limited("TotalRequests"))
            self._used += 1
            try:
                response: Response = await answer(request)
            except MalformedError as error:
                response = _error(400, "MALFORMED_QUERY", str(error))
            return self._told(response)

        return handle

    def _told(self, response: Response) -> Response:
        response.headers["Sforce-Limit-Info"] = f"api-usage={self._used}/{self._limit}"
        return response

    async def query(self, request: Request) -> Response:
        asked = read(request.query_params.get("q", ""))
        if (refused := self._refused(asked)) is not None:
            return refused
        rows = self._rows(asked, deleted=request.url.path.endswith("/queryAll"))
        if not asked.fields:
            return JSONResponse({"totalSize": len(rows), "done": True, "records": []})
        shown = [_shown(row, asked) for row in rows]
        if (
            shown
            and asked.limit is not None
            and "Id > '" in request.query_params["q"]
            and self._faults.take("duplicate_rows")
        ):
            shown = [shown[0], *shown]
        self._results[name := f"0r8{len(self._results):012d}"] = (request.path_params["version"], shown)
        return self._page(name, 0)

    async def rest(self, request: Request) -> Response:
        name, _, begin = request.path_params["locator"].partition("-")
        if name not in self._results:
            return _error(400, "INVALID_QUERY_LOCATOR", "invalid query locator")
        return self._page(name, int(begin))

    def _page(self, name: str, begin: int) -> Response:
        version, rows = self._results[name]
        size = 0 if len(rows) > 1 and self._faults.take("empty_pages") else self._batch
        end = begin + size
        body: dict[str, Any] = {"totalSize": len(rows), "done": end >= len(rows), "records": rows[begin:end]}
        if end < len(rows):
            body["nextRecordsUrl"] = f"/services/data/{version}/query/{name}-{end}"
        return Response(orjson.dumps(body), media_type="application/json")

    async def update(self, request: Request) -> Response:
        """sObject Collections: each row by itself, in the order of the request."""
        told: list[dict[str, Any]] = []
        there = {row["Id"] for row in self._objects()["Account"].rows}
        for each in orjson.loads(await request.body())["records"]:
            own = {name: value for name, value in each.items() if name not in ("attributes", "id")}
            unknown = [name for name in own if not name.endswith("__c")]
            if unknown:
                words = f"No such column '{unknown[0]}' on sobject of type Account"
                return _error(400, "INVALID_FIELD", words)
            if each["id"] in there:
                self.written.setdefault(each["id"], {}).update(own)
                told.append({"id": each["id"], "success": True, "errors": []})
            else:
                error = {"statusCode": "ENTITY_IS_DELETED", "message": "entity is deleted", "fields": []}
                told.append({"id": each["id"], "success": False, "errors": [error]})
        return JSONResponse(told)

    async def submit(self, request: Request) -> Response:
        body = orjson.loads(await request.body())
        asked = read(body["query"])
        if (refused := self._refused(asked)) is not None:
            return refused
        rows = self._rows(asked, deleted=body["operation"] == "queryAll")
        job = f"750{len(self._jobs):012d}AAA"
        self._jobs[job] = {"fields": asked.fields, "rows": rows, "looks": 0}
        return JSONResponse({"id": job, "operation": body["operation"], "state": "UploadComplete"})

    async def job(self, request: Request) -> Response:
        job = self._jobs.get(request.path_params["job"])
        if job is None:
            return _error(404, "NOT_FOUND", "The requested resource does not exist")
        job["looks"] += 1
        state = "JobComplete" if job["looks"] > 1 else "InProgress"
        return JSONResponse(
            {"id": request.path_params["job"], "state": state, "numberRecordsProcessed": len(job["rows"])}
        )

    async def results(self, request: Request) -> Response:
        job, size = self._jobs[request.path_params["job"]], int(request.query_params.get("maxRecords", 10_000))
        begin = int(request.query_params.get("locator") or 0)
        some = job["rows"][begin : begin + size]
        text = io.StringIO()
        writer = csv.writer(text, quoting=csv.QUOTE_ALL, lineterminator="\n")
        writer.writerow(job["fields"])
        writer.writerows([_cell(row, name) for name in job["fields"]] for row in some)
        following = str(begin + size) if begin + size < len(job["rows"]) else "null"
        headers = {"Sforce-Locator": following, "Sforce-NumberOfRecords": str(len(some))}
        return Response(text.getvalue(), media_type="text/csv; charset=UTF-8", headers=headers)

    def _refused(self, asked: Query) -> Response | None:
        kind: Object | None = self._objects().get(asked.object)
        if kind is None or asked.object in self._without:
            return _error(400, "INVALID_TYPE", f"sObject type '{asked.object}' is not supported.")
        for name in sorted(asked.named):
            if name in self._hidden or name not in kind.fields:
                return _error(400, "INVALID_FIELD", f"No such column '{name}' on entity '{asked.object}'.")
        return None

    def _rows(self, asked: Query, *, deleted: bool) -> list[Row]:
        rows = [
            row for row in self._objects()[asked.object].rows if (deleted or not row["IsDeleted"]) and asked.meets(row)
        ]
        for name in reversed(asked.order):
            rows.sort(key=lambda row: value(row, name))
        return rows[: asked.limit]


def _shown(row: Row, asked: Query) -> dict[str, Any]:
    path = f"/services/data/v66.0/sobjects/{asked.object}/{row['Id']}"
    shown: dict[str, Any] = {"attributes": {"type": asked.object, "url": path}}
    for name in asked.fields:
        whole, _, part = name.partition(".")
        if not part:
            shown[name] = row.get(name)
        elif row.get(whole) is None:
            shown[whole] = None
        else:
            inner = shown.get(whole) or {"attributes": row[whole]["attributes"]}
            shown[whole] = {**inner, part: row[whole].get(part)}
    return shown


def _cell(row: Row, name: str) -> str:
    found: Any = row
    for part in name.split("."):
        found = found.get(part) if isinstance(found, Mapping) else None
    if isinstance(found, bool):
        return str(found).lower()
    return "" if found is None else str(found)


def _limited(which: str) -> Response:
    return _error(403, "REQUEST_LIMIT_EXCEEDED", f"{which} Limit exceeded.")


def _expired() -> Response:
    return _error(401, "INVALID_SESSION_ID", "Session expired or invalid")


def _error(status: int, code: str, message: str) -> Response:
    return JSONResponse([{"message": message, "errorCode": code}], status)
