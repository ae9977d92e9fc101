"""WalkMe's stand-in: tokens by client credentials, and events of a range of time, by offset.

    POST /accounts/connect/token            Basic key:secret, grant_type=client_credentials -> a token for 24 hours
    GET  /public/v1/insights/events         from, to (ms, both inclusive), limit (1,000 at most), offset

Companies are "acct-<number>" in properties.company_id, end users "u-<person number>". Any key with `token` as its secret.
"""

import base64
import binascii
import hmac
import secrets
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Collection, Mapping
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from connectors.kit.sandbox import Faults, assemble
from connectors.kit.simulated import ProductEvent, World
from connectors.kit.truth import usage_days

A_DAY = 86_400
LARGEST_LIMIT = 1_000


def app(
    world: Callable[[], World], *, token: str, faults: Faults, scope: str = "insights:read", runs_out: int = 0
) -> Starlette:
    """`scope`: what keys may do. `runs_out`: requests a token is good for; 0: its 24 hours."""
    good: dict[str, int] = {}

    async def give_token(request: Request) -> Response:
        form = parse_qs((await request.body()).decode())
        if not _authorized(request, token) or form.get("grant_type") != ["client_credentials"]:
            return JSONResponse({"error": "invalid_client"}, 401)
        made = secrets.token_urlsafe(24)
        good[made] = 0
        return JSONResponse({"access_token": made, "token_type": "bearer", "expires_in": A_DAY})

    async def events(request: Request) -> Response:
        bearer = request.headers.get("authorization", "").removeprefix("Bearer ")
        if bearer not in good or (runs_out and good[bearer] >= runs_out):
            return _expired(faults)
        good[bearer] += 1
        if scope != "insights:read":
            return JSONResponse({"error": "forbidden", "message": "Insufficient scope"}, 403)
        query = request.query_params
        limit, offset = min(int(query.get("limit", "1000")), LARGEST_LIMIT), int(query.get("offset", "0"))
        all_of_them = world().events
        begin = bisect_left(all_of_them, int(query["from"]), key=_ms)
        end = bisect_right(all_of_them, int(query["to"]), key=_ms)
        rows = [row(event) for event in all_of_them[begin:end][offset : offset + limit]]
        if offset and rows and faults.take("duplicate_rows"):
            rows = [row(all_of_them[begin + offset - 1]), *rows]
        return JSONResponse({"events": rows})

    routes = [
        Route("/accounts/connect/token", give_token, methods=["POST"]),
        Route("/public/v1/insights/events", events),
    ]
    return assemble(routes, faults=faults, limited=_limited, expired=_expired)


def settings(base_url: str, *, token: str) -> dict[str, Any]:
    return {
        "base_url": base_url, "client_id": "key-of-the-sandbox", "client_secret": token, "page_size": 5, "window_days": 90,
    }  # fmt: skip


def truth(world: World) -> Mapping[str, Collection[str]]:
    first = world.until.date() - timedelta(days=540)
    return {"usage": usage_days(event for event in world.events if first <= event.at.date() and event.at < world.until)}


def row(of: ProductEvent) -> dict[str, object]:
    """An event of the export."""
    return {
        "eventId": of.insert_id,
        "timestamp": of.at.isoformat(timespec="milliseconds"),
        "accountId": 123456,
        "endUserId": f"u-{of.person}",
        "name": of.name,
        "type": "engaged_element",
        "properties": {"company_id": f"acct-{of.account}"},
    }


def _ms(event: ProductEvent) -> int:
    return round(event.at.timestamp() * 1000)


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
    return JSONResponse({"error": "unauthorized", "message": "The access token is invalid or has expired"}, 401)
