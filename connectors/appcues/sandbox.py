"""Appcues' stand-in: exports of the simulated company's events, which take a look or two to be done.

    POST /v2/accounts/{id}/export/events       202 {"job_id"}
    GET  /v2/accounts/{id}/jobs/{job}          {"status": "processing"}, then "finished" with the signed URL of the file
    GET  /files/{job}?signature=…              JSON lines; no credential is wanted, and one that is sent is refused

Groups "acct-<number>", users "u-<person number>". With `failing`, that many jobs fail; with `forgotten` they are gone when
looked at. Basic auth takes any API key with `token` as the secret.
"""

import base64
import binascii
import hmac
from bisect import bisect_left
from collections.abc import Callable, Collection, Mapping
from datetime import datetime, timedelta
from itertools import count
from operator import attrgetter
from typing import Any

import orjson
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from connectors.kit.sandbox import Faults, assemble
from connectors.kit.simulated import ProductEvent, World
from connectors.kit.truth import usage_days

LOOKS = 1  # at a job, before it is done
SIGNATURE = "c2lnbmVk"


def app(world: Callable[[], World], *, token: str, faults: Faults, failing: int = 0, forgotten: int = 0) -> Starlette:
    jobs: dict[str, tuple[datetime, datetime]] = {}
    looks: dict[str, int] = {}
    numbers = count(1)
    bad = {"failing": failing, "forgotten": forgotten}

    async def submit(request: Request) -> Response:
        if not _authorized(request, token):
            return _expired(faults)
        asked = orjson.loads(await request.body())
        start, end = (datetime.fromisoformat(asked[name]) for name in ("start_time", "end_time"))
        job = f"job-{next(numbers)}"
        jobs[job] = (start, end)
        return JSONResponse({"job_id": job, "job_url": f"{request.url}/jobs/{job}"}, 202)

    async def look(request: Request) -> Response:
        if not _authorized(request, token):
            return _expired(faults)
        job = request.path_params["job"]
        if bad["forgotten"] > 0:
            bad["forgotten"] -= 1
            jobs.pop(job, None)
        if job not in jobs:
            return JSONResponse({"error": "not_found", "message": "No such job"}, 404)
        looks[job] = looks.get(job, 0) + 1
        if looks[job] <= LOOKS:
            return JSONResponse({"job_id": job, "name": "export_events", "status": "processing"})
        if bad["failing"] > 0:
            bad["failing"] -= 1
            return JSONResponse({"job_id": job, "name": "export_events", "status": "failed"})
        url = f"{request.base_url}files/{job}?signature={SIGNATURE}"
        return JSONResponse({"job_id": job, "name": "export_events", "status": "finished", "url": url})

    async def file(request: Request) -> Response:
        if request.query_params.get("signature") != SIGNATURE or "authorization" in request.headers:
            return PlainTextResponse("<Error><Code>AccessDenied</Code></Error>", 403)
        start, end = jobs[request.path_params["job"]]
        events = world().events
        begin, stop = (bisect_left(events, limit, key=attrgetter("at")) for limit in (start, end))
        lines = [orjson.dumps(line(event)) + b"\n" for event in events[begin:stop]]
        if lines and faults.take("duplicate_rows"):
            lines.append(lines[0])
        return Response(b"".join(lines), media_type="application/x-ndjson")

    routes = [
        Route("/v2/accounts/{account}/export/events", submit, methods=["POST"]),
        Route("/v2/accounts/{account}/jobs/{job}", look),
        Route("/files/{job}", file),
    ]
    return assemble(routes, faults=faults, limited=_limited, expired=_expired)


def settings(base_url: str, *, token: str) -> dict[str, Any]:
    return {
        "base_url": base_url, "account_id": "12345", "api_key": "key-of-the-sandbox", "api_secret": token,
        "window_days": 180, "poll_seconds": 0.01,
    }  # fmt: skip


def truth(world: World) -> Mapping[str, Collection[str]]:
    first = world.until.date() - timedelta(days=540)
    return {"usage": usage_days(event for event in world.events if first <= event.at.date() and event.at < world.until)}


def line(of: ProductEvent) -> dict[str, object]:
    """A line of the export."""
    return {
        "id": of.insert_id,
        "account_id": "12345",
        "name": of.name,
        "user_id": f"u-{of.person}",
        "group_id": f"acct-{of.account}",
        "timestamp": of.at.isoformat(),
        "attributes": {},
    }


def _authorized(request: Request, token: str) -> bool:
    kind, _, credential = request.headers.get("authorization", "").partition(" ")
    try:
        user, _, secret = base64.b64decode(credential, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return False
    return kind == "Basic" and bool(user) and hmac.compare_digest(secret.encode(), token.encode())


def _limited(faults: Faults) -> Response:
    body = {"error": "too_many_requests", "message": "Rate limit exceeded"}
    return JSONResponse(body, 429, {"Retry-After": str(faults.retry_after)})


def _expired(faults: Faults) -> Response:
    return JSONResponse({"error": "unauthorized", "message": "Invalid API key or secret"}, 401)
