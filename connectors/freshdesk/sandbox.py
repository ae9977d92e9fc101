"""Freshdesk's stand-in: numbered pages with a Link header, 300 of them at most, and what was deleted in listings apart.

    GET /api/v2/tickets                          updated_since, filter=deleted|spam, order_by, order_type, include
    GET /api/v2/contacts                         _updated_since, state=deleted
    GET /api/v2/companies
    GET /api/v2/surveys/satisfaction_ratings     created_since
    GET /api/v2/{tickets,contacts,companies}/{id}

Without `updated_since` the tickets of the last 30 days are listed. Basic auth takes `token` as the user, with any password.
"""

import base64
import binascii
import hmac
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime, timedelta
from typing import Any

import orjson
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from connectors.freshdesk.connector import Settings
from connectors.freshdesk.webhook import HEADER
from connectors.freshdesk.wire import Row, Tables, company_id, contact_id, tables, ticket_id, truth
from connectors.kit.sandbox import Faults, Limiter, Rendered, assemble
from connectors.kit.signing import secret_of
from connectors.kit.simulated import World

__all__ = ["app", "event", "settings", "signed", "truth"]
PAGES = 300
SINGLE = ("tickets", "contacts", "companies")
RECENT = timedelta(days=30)
NAMES = {
    "account": ("company_id", company_id),
    "person": ("contact_id", contact_id),
    "ticket": ("ticket_id", ticket_id),
}
Answer = Callable[[Request], Response]


def app(
    world: Callable[[], World],
    *,
    token: str,
    faults: Faults,
    pages: int = PAGES,
    without: Sequence[str] = (),
    requests_per_minute: int = 400,
) -> Starlette:
    """pages: where a listing ends; without: names of what the agent may not see, or the plan does not have."""
    served = _Served(world, token, faults, pages, without, Limiter(requests_per_minute, 60.0))
    v2 = "/api/v2"
    routes = [
        Route(f"{v2}/tickets", served.guarded("tickets", served.tickets)),
        Route(f"{v2}/contacts", served.guarded("contacts", served.contacts)),
        Route(f"{v2}/companies", served.guarded("companies", lambda request: served.listed(request, served.all.companies))),
        Route(f"{v2}/surveys/satisfaction_ratings", served.guarded("surveys", served.ratings)),
        *(Route(f"{v2}/{name}/{{id}}", served.guarded(name, served.single(name))) for name in SINGLE),
    ]  # fmt: skip
    return assemble(routes, faults=faults, limited=limited, expired=lambda some: _unknown_key())


def settings(base_url: str, *, token: str) -> dict[str, Any]:
    return {
        "base_url": base_url, "api_key": token, "page_size": 5, "history_days": 36_500, "company_id_field": "crm_id",
        "requests_per_minute": 400, "webhook_secret": f"{token}-hook",
    }  # fmt: skip


def event(what: str, number: int) -> bytes:
    """What an automation sends about the account, person or ticket of that number."""
    name, key = NAMES[what]
    told = {name: key(number), "event_id": f"{what}-{number}", "triggered_event": f"{{{what}_action:updated}}"}
    return orjson.dumps({"freshdesk_webhook": told})


def signed(body: bytes, *, settings: Settings, method: str, url: str, now: datetime) -> dict[str, str]:
    return {HEADER: secret_of(settings.webhook_secret)}


def limited(faults: Faults) -> Response:
    told = {"message": "You have exceeded the limit of requests per minute"}
    return JSONResponse(told, 429, {"Retry-After": str(faults.retry_after)})


class _Served:
    def __init__(
        self,
        world: Callable[[], World],
        token: str,
        faults: Faults,
        pages: int,
        without: Sequence[str],
        limiter: Limiter,
    ) -> None:
        self._world, self._tables = world, Rendered(world, tables)
        self._token, self._faults, self._pages, self._without, self._limiter = token, faults, pages, without, limiter

    @property
    def all(self) -> Tables:
        return self._tables()

    def guarded(self, name: str, answer: Answer) -> Callable[[Request], Awaitable[Response]]:
        """Key, permission and limit before `answer`; the minute's headers after it."""

        async def handle(request: Request) -> Response:
            if not _authorized(request, self._token):
                return _unknown_key()
            if name in self._without:
                told = {"code": "access_denied", "message": "You are not authorized to perform this action."}
                return JSONResponse(told, 403)
            allowed, left, reset = self._limiter.hit()
            response = answer(request) if allowed else limited(Faults(retry_after=round(reset) + 1))
            response.headers["X-RateLimit-Total"] = str(self._limiter.requests)
            response.headers["X-RateLimit-Remaining"] = str(left)
            response.headers["X-RateLimit-Used-CurrentRequest"] = "1"
            return response

        return handle

    def tickets(self, request: Request) -> Response:
        query = request.query_params
        if query.get("filter") in ("deleted", "spam"):
            rows = self.all.deleted_tickets if query["filter"] == "deleted" else ()
        elif "updated_since" in query:
            rows = [row for row in self.all.tickets if row["updated_at"] >= query["updated_since"]]
        else:
            recent = f"{self._world().until - RECENT:%Y-%m-%dT%H:%M:%SZ}"
            rows = [row for row in self.all.tickets if row["created_at"] >= recent]
        by, descending = query.get("order_by", "created_at"), query.get("order_type", "desc") == "desc"
        rows = sorted(rows, key=lambda row: (row[by], row["id"]), reverse=descending)
        included = query.get("include", "").split(",")
        left_out = {name for name in ("stats", "requester") if name not in included}
        return self.listed(
            request, [{name: value for name, value in row.items() if name not in left_out} for row in rows]
        )

    def contacts(self, request: Request) -> Response:
        query = request.query_params
        rows = self.all.deleted_contacts if query.get("state") == "deleted" else self.all.contacts
        return self.listed(request, [row for row in rows if row["updated_at"] >= query.get("_updated_since", "")])

    def ratings(self, request: Request) -> Response:
        since = request.query_params.get("created_since", "")
        return self.listed(request, [row for row in self.all.ratings if row["created_at"] >= since])

    def listed(self, request: Request, rows: Sequence[Row]) -> Response:
        number, size = (
            int(request.query_params.get(name, default)) for name, default in (("page", 1), ("per_page", 30))
        )
        if number > self._pages or size > 100:
            fault = {"field": "page", "message": f"It should be a positive integer up to {self._pages}"}
            told = {"description": "Validation failed", "errors": [{**fault, "code": "invalid_value"}]}
            return JSONResponse(told, 400)
        begin = (number - 1) * size
        again = 1 if begin and self._faults.take("duplicate_rows") else 0
        headers = {}
        if begin + size < len(rows):
            following = request.url.include_query_params(page=number + 1)
            headers["Link"] = f'<{following}>; rel="next"'
        return _json(rows[begin - again : begin + size], headers)

    def single(self, name: str) -> Answer:
        def answer(request: Request) -> Response:
            every = [*getattr(self.all, name), *getattr(self.all, f"deleted_{name}", ())]
            row = next((row for row in every if str(row["id"]) == request.path_params["id"]), None)
            return _json(row, {}) if row else Response(status_code=404)

        return answer


def _json(value: Any, headers: dict[str, str]) -> Response:
    return Response(orjson.dumps(value), media_type="application/json", headers=headers)


def _unknown_key() -> Response:
    told = {"code": "invalid_credentials", "message": "You have to be logged in to perform this action."}
    return JSONResponse(told, 401)


def _authorized(request: Request, token: str) -> bool:
    kind, _, credential = request.headers.get("authorization", "").partition(" ")
    try:
        user, _, _ = base64.b64decode(credential, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return False
    return kind == "Basic" and hmac.compare_digest(user.encode(), token.encode())
