"""Typeform's stand-in.

    GET /forms                      page, page_size
    GET /forms/{id}                 its definition
    GET /forms/{id}/responses       since, page_size, before (a token), included_response_ids; the newest first

`before` goes with no `sort`. Two requests a second are allowed.
"""

from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Any

import orjson
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from connectors.kit.sandbox import Faults, Limiter, Rendered, assemble, authorized
from connectors.kit.signing import hmac_base64, secret_of
from connectors.kit.simulated import World
from connectors.typeform.connector import Settings
from connectors.typeform.wire import CSAT_REF, DEFINITIONS, NPS, responses, token, truth

__all__ = ["app", "event", "settings", "signed", "truth"]
FORMS = {"nps": NPS}


def app(
    world: Callable[[], World], *, token: str, faults: Faults, scopes: bool = True, requests_per_second: int = 2
) -> Starlette:
    """scopes: whether the token has those it needs."""
    served = _Served(world, token, faults, scopes, Limiter(requests_per_second, 1.0))
    routes = [
        Route("/forms", served.guarded(served.forms)),
        Route("/forms/{id}", served.guarded(served.form)),
        Route("/forms/{id}/responses", served.guarded(served.responses)),
    ]
    return assemble(routes, faults=faults, limited=limited, expired=lambda some: _unknown_token())


def settings(base_url: str, *, token: str) -> dict[str, Any]:
    return {
        "base_url": base_url, "token": token, "page_size": 3, "questions": {CSAT_REF: "csat"},
        "webhook_secret": f"{token}-hook",
    }  # fmt: skip


def event(what: str, number: int) -> bytes:
    """What a form's webhook sends about an answer to the NPS survey."""
    form = FORMS[what]
    told = {"form_id": form, "token": token(form, number), "submitted_at": "2026-11-22T10:00:00Z", "hidden": {}}
    return orjson.dumps({"event_id": f"01{what}{number}", "event_type": "form_response", "form_response": told})


def signed(body: bytes, *, settings: Settings, method: str, url: str, now: datetime) -> dict[str, str]:
    return {"typeform-signature": "sha256=" + hmac_base64(secret_of(settings.webhook_secret), body)}


def limited(faults: Faults) -> Response:
    told = {"code": "TOO_MANY_REQUESTS", "description": "Too many requests"}
    return JSONResponse(told, 429, {"Retry-After": str(faults.retry_after)})


class _Served:
    def __init__(self, world: Callable[[], World], token: str, faults: Faults, scopes: bool, limiter: Limiter) -> None:
        self._responses = Rendered(world, responses)
        self._expected, self._faults, self._scopes, self._limiter = f"Bearer {token}", faults, scopes, limiter

    def guarded(self, answer: Callable[[Request], Response]) -> Callable[[Request], Awaitable[Response]]:
        async def handle(request: Request) -> Response:
            if not authorized(request, self._expected):
                return _unknown_token()
            if not self._scopes:
                return JSONResponse({"code": "FORBIDDEN", "description": "Missing required scope"}, 403)
            allowed, _, reset = self._limiter.hit()
            return answer(request) if allowed else limited(Faults(retry_after=round(reset) + 1))

        return handle

    def forms(self, request: Request) -> Response:
        number, size = int(request.query_params.get("page", "1")), int(request.query_params.get("page_size", "10"))
        items = [{"id": form, "title": definition["title"]} for form, definition in DEFINITIONS.items()]
        told = {"total_items": len(items), "page_count": -(-len(items) // size)}
        return JSONResponse({**told, "items": items[(number - 1) * size : number * size]})

    def form(self, request: Request) -> Response:
        form = request.path_params["id"]
        return JSONResponse(DEFINITIONS[form]) if form in DEFINITIONS else _no_form()

    def responses(self, request: Request) -> Response:
        form, query = request.path_params["id"], request.query_params
        if form not in DEFINITIONS:
            return _no_form()
        if "before" in query and "sort" in query:
            return JSONResponse({"code": "VALIDATION_ERROR", "description": "sort cannot go with a token"}, 400)
        rows = [row for row in self._responses()[form] if row["submitted_at"] >= query.get("since", "")]
        if "included_response_ids" in query:
            rows = [row for row in rows if row["response_id"] in query["included_response_ids"].split(",")]
        if "before" in query:
            whole = [row["token"] for row in self._responses()[form]]
            if query["before"] not in whole:
                return JSONResponse({"code": "VALIDATION_ERROR", "description": "unknown token"}, 400)
            later = set(whole[: whole.index(query["before"]) + (not self._faults.take("duplicate_rows"))])
            rows = [row for row in rows if row["token"] not in later]
        size = min(int(query.get("page_size", "25")), 1_000)
        told = {"total_items": len(rows), "page_count": -(-len(rows) // size), "items": rows[:size]}
        return Response(orjson.dumps(told), media_type="application/json")


def _unknown_token() -> Response:
    return JSONResponse({"code": "AUTHENTICATION_FAILED", "description": "Authentication credentials not found"}, 401)


def _no_form() -> Response:
    return JSONResponse({"code": "FORM_NOT_FOUND", "description": "Non existing form with uid"}, 404)
