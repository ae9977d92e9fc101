"""The demo's Airflow 3: as much of its API as starts runs and says how they stand.

POST /auth/token                                     {username, password} -> 201 {access_token}
POST /api/v2/dags/{dag}/dagRuns                      starts a run; 409 where one of that id is there
GET  /api/v2/dags/{dag}/dagRuns/{id}
GET or POST /_faults                                 what goes wrong: see RunFaults
"""

import asyncio
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import orjson
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from hub.clock import utc_now
from hub.demo.faults import Countdown, faults_route


@dataclass(slots=True, kw_only=True)
class RunFaults(Countdown):
    """What goes wrong with the next n requests that would start a run; each counts down as it strikes.

    rate_limited     429, with `retry_after` seconds
    server_errors    500, and nothing is started
    lost_answers     it is started, and the answer is 502: something between lost it
    delay            seconds before every answer
    """

    rate_limited: int = 0
    retry_after: int = 1
    server_errors: int = 0
    lost_answers: int = 0
    delay: float = 0.0


@dataclass(slots=True)
class Airflow:
    """users: {name: password}. tokens: what is let in besides those it gives out. dags: the ids it knows."""

    users: Mapping[str, str]
    tokens: set[str] = field(default_factory=set)
    dags: frozenset[str] = frozenset()
    clock: Callable[[], datetime] = utc_now
    faults: RunFaults = field(default_factory=RunFaults)
    runs: dict[tuple[str, str], dict[str, Any]] = field(default_factory=dict)
    given: int = 0
    """Tokens it gave out."""

    def app(self) -> Starlette:
        return Starlette(
            routes=[
                faults_route(self.faults),
                Route("/auth/token", self.token, methods=["POST"]),
                Route("/api/v2/dags/{dag}/dagRuns", self.start, methods=["POST"]),
                Route("/api/v2/dags/{dag}/dagRuns/{run}", self.show, methods=["GET"]),
            ]
        )

    async def token(self, request: Request) -> Response:
        content = await _json(request)
        name, password = content.get("username"), content.get("password")
        if not isinstance(name, str) or not isinstance(password, str):
            return _detail(422, [{"type": "missing", "loc": ["body", "username"], "msg": "Field required"}])
        if self.users.get(name) != password:
            return _detail(401, "Invalid credentials")
        token = secrets.token_urlsafe(16)
        self.tokens.add(token)
        self.given += 1
        return JSONResponse({"access_token": token}, 201)

    async def start(self, request: Request) -> Response:
        await asyncio.sleep(self.faults.delay)
        if self.faults.take("rate_limited"):
            return PlainTextResponse("", 429, {"Retry-After": str(self.faults.retry_after)})
        if self.faults.take("server_errors"):
            return PlainTextResponse("", 500)
        if not self._lets_in(request):
            return _detail(401, "Invalid or missing token")
        dag, content = request.path_params["dag"], await _json(request)
        if dag not in self.dags:
            return _detail(404, f"DAG with dag_id: '{dag}' not found")
        if "logical_date" not in content:
            return _detail(422, [{"type": "missing", "loc": ["body", "logical_date"], "msg": "Field required"}])
        if not isinstance(content.get("conf", {}), dict):
            return _detail(422, [{"type": "dict_type", "loc": ["body", "conf"], "msg": "Input should be a valid dict"}])
        id_ = content.get("dag_run_id") or f"manual__{self.clock().isoformat()}"
        if (dag, id_) in self.runs:
            return _detail(409, {"reason": "Unique constraint violation"})
        run = {
            "dag_run_id": id_,
            "dag_id": dag,
            "logical_date": None,
            "queued_at": self.clock().isoformat(),
            "state": "queued",
            "run_type": "manual",
            "triggered_by": "rest_api",
            "conf": content.get("conf", {}),
        }
        self.runs[dag, id_] = run
        return PlainTextResponse("", 502) if self.faults.take("lost_answers") else JSONResponse(run, 200)

    async def show(self, request: Request) -> Response:
        if not self._lets_in(request):
            return _detail(401, "Invalid or missing token")
        run = self.runs.get((request.path_params["dag"], request.path_params["run"]))
        return _detail(404, "The DagRun was not found") if run is None else JSONResponse(run)

    def _lets_in(self, request: Request) -> bool:
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        return scheme == "Bearer" and token in self.tokens


def _detail(status: int, detail: object) -> Response:
    return JSONResponse({"detail": detail}, status)


async def _json(request: Request) -> dict[str, Any]:
    try:
        value = orjson.loads(await request.body())
    except orjson.JSONDecodeError:
        return {}
    return value if isinstance(value, dict) else {}
