"""The demo's Prefect 3: as much of its API as starts runs and says how they stand.

GET  /api/deployments/name/{flow}/{deployment}          {"id": …}
POST /api/deployments/{id}/create_flow_run              201; 200 with the run that is there under its idempotency_key
GET  /api/flow_runs/{id}
GET or POST /_faults                                    what goes wrong: see hub.demo.airflow.RunFaults
"""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import NAMESPACE_URL, uuid5

import orjson
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from hub.clock import utc_now
from hub.demo.airflow import RunFaults
from hub.demo.faults import faults_route


@dataclass(slots=True)
class Prefect:
    """deployments: {flow/deployment: the parameters it knows}. authorization: the header that is let in; None: anybody."""

    deployments: Mapping[str, frozenset[str]]
    authorization: str | None = None
    clock: Callable[[], datetime] = utc_now
    faults: RunFaults = field(default_factory=RunFaults)
    runs: dict[tuple[str, str], dict[str, Any]] = field(default_factory=dict)

    def app(self) -> Starlette:
        return Starlette(
            routes=[
                faults_route(self.faults),
                Route("/api/deployments/name/{flow}/{deployment}", self.by_name, methods=["GET"]),
                Route("/api/deployments/{id}/create_flow_run", self.start, methods=["POST"]),
                Route("/api/flow_runs/{id}", self.show, methods=["GET"]),
            ]
        )

    @staticmethod
    def id_of(name: str) -> str:
        return str(uuid5(NAMESPACE_URL, name))

    async def by_name(self, request: Request) -> Response:
        if not self._lets_in(request):
            return _detail(401, "Unauthorized")
        name = f"{request.path_params['flow']}/{request.path_params['deployment']}"
        if name not in self.deployments:
            return _detail(404, "Deployment not found")
        return JSONResponse({"id": self.id_of(name), "name": request.path_params["deployment"]})

    async def start(self, request: Request) -> Response:
        await asyncio.sleep(self.faults.delay)
        if self.faults.take("rate_limited"):
            return PlainTextResponse("", 429, {"Retry-After": str(self.faults.retry_after)})
        if self.faults.take("server_errors"):
            return PlainTextResponse("", 500)
        if not self._lets_in(request):
            return _detail(401, "Unauthorized")
        names = {self.id_of(name): name for name in self.deployments}
        id_ = request.path_params["id"]
        if id_ not in names:
            return _detail(404, "Deployment not found")
        content = orjson.loads(await request.body())
        parameters = content.get("parameters", {})
        if unknown := sorted(parameters.keys() - self.deployments[names[id_]]):
            return _detail(409, f"Error creating flow run: Validation failed. Unexpected parameters: {unknown}")
        key = str(content.get("idempotency_key") or len(self.runs))
        there = (id_, key) in self.runs
        run = self.runs.setdefault(
            (id_, key),
            {
                "id": str(uuid5(NAMESPACE_URL, f"{id_}:{key}")),
                "name": f"run-{len(self.runs)}",
                "deployment_id": id_,
                "created": self.clock().isoformat(),
                "parameters": parameters,
                "tags": content.get("tags", []),
                "idempotency_key": key,
                "state": {"type": "SCHEDULED", "name": "Scheduled"},
            },
        )
        return (
            PlainTextResponse("", 502) if self.faults.take("lost_answers") else JSONResponse(run, 200 if there else 201)
        )

    async def show(self, request: Request) -> Response:
        if not self._lets_in(request):
            return _detail(401, "Unauthorized")
        found = [run for run in self.runs.values() if run["id"] == request.path_params["id"]]
        return JSONResponse(found[0]) if found else _detail(404, "Flow run not found")

    def _lets_in(self, request: Request) -> bool:
        return self.authorization is None or request.headers.get("authorization") == self.authorization


def _detail(status: int, detail: str) -> Response:
    return JSONResponse({"detail": detail}, status)
