"""Intercom's stand-in: searches by keyset, a scroll that moves on with every request, a listing with a cap, deletions.

    GET  /companies/scroll                               scroll_param; one at a time, closed after a minute without a request
    POST /companies/list                                 page, per_page; ends at 10,000
    POST /contacts/search, /conversations/search, /tickets/search
    GET  /conversations/deleted                          page, per_page, newest first
    GET  /companies/{id}, /contacts/{id}, /conversations/{id}, /tickets/{id}

A scroll reads the companies as they were when it began, as the vendor's does. Contacts' dates are compared by day.
"""

import base64
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime
from math import ceil
from typing import Any

import orjson
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from connectors.intercom.connector import Settings
from connectors.intercom.wire import (
    TICKET_EVERY,
    Row,
    company_id,
    contact_id,
    conversation_id,
    tables,
    ticket_id,
    truth,
)  # fmt: skip
from connectors.kit import tempo
from connectors.kit.sandbox import Faults, Limiter, Rendered, assemble, authorized
from connectors.kit.signing import hmac_hex, secret_of
from connectors.kit.simulated import World

__all__ = ["app", "event", "settings", "signed", "truth"]
LIST_CAP = 10_000
SCROLL_IDLE = 60.0
DAY = 86_400
ROWS = {"contacts": "data", "conversations": "conversations", "tickets": "tickets"}
IDS = {"account": company_id, "person": contact_id, "ticket": conversation_id}
ITEMS = {"account": "company", "person": "contact", "ticket": "conversation"}
Endpoint = Callable[[Request], Awaitable[Response]]


def app(
    world: Callable[[], World],
    *,
    token: str,
    faults: Faults,
    scroll_size: int = 10,
    list_cap: int = LIST_CAP,
    without: Sequence[str] = (),
    requests_per_slice: int = 1_667,
) -> Starlette:
    """scroll_size: companies an answer of a scroll; list_cap: rows a listing ends at; without: what is not permitted."""
    served = _Served(world, token, faults, scroll_size, list_cap, without, Limiter(requests_per_slice, 10.0))
    one = [
        Route(f"/{what}/{{id}}", served.guarded(what, served.single(what)))
        for what in ("companies", "contacts", "conversations", "tickets")
    ]
    routes = [
        Route("/companies/scroll", served.guarded("companies", served.scroll)),
        Route("/companies/list", served.guarded("companies", served.listing), methods=["POST"]),
        Route("/conversations/deleted", served.guarded("conversations", served.deleted)),
        *(Route(f"/{what}/search", served.guarded(what, served.search(what)), methods=["POST"]) for what in ROWS),
        *one,
    ]
    return assemble(routes, faults=faults, limited=served.limited, expired=lambda some: _error(401, *UNAUTHORIZED))


def settings(base_url: str, *, token: str) -> dict[str, Any]:
    return {
        "base_url": base_url, "token": token, "page_size": 5, "history_days": 36_500,
        "title_attribute": "job_title", "role_attribute": "buying_role", "webhook_secret": f"{token}-client-secret",
    }  # fmt: skip


def event(what: str, number: int) -> bytes:
    """A notification that something changed about the account, person or ticket of that number, where there is one of it."""
    kind, key = ITEMS[what], IDS[what](number)
    if what == "ticket" and number % TICKET_EVERY == 0:
        kind, key = "ticket", ticket_id(number)
    return orjson.dumps(
        {
            "type": "notification_event",
            "app_id": "ourco1",
            "id": f"notif_{what}_{number}",
            "topic": f"{kind}.updated",
            "created_at": 1_795_348_800,
            "data": {"type": "notification_event_data", "item": {"type": kind, "id": key}},
        }
    )


def signed(body: bytes, *, settings: Settings, method: str, url: str, now: datetime) -> dict[str, str]:
    return {"x-hub-signature": "sha1=" + hmac_hex(secret_of(settings.webhook_secret), body, "sha1")}


UNAUTHORIZED = "unauthorized", "Access Token Invalid"


class _Served:
    def __init__(
        self,
        world: Callable[[], World],
        token: str,
        faults: Faults,
        scroll_size: int,
        list_cap: int,
        without: Sequence[str],
        limiter: Limiter,
    ) -> None:
        self._world, self._tables = world, Rendered(world, tables)
        self._until, self._seen = world().until, tempo.monotonic()
        self._expected, self._faults, self._without, self._limiter = f"Bearer {token}", faults, without, limiter
        self._scroll_size, self._list_cap = scroll_size, list_cap
        self._scroll: tuple[str, Sequence[Row], float] | None = None
        self._scrolls = 0

    def guarded(self, what: str, answer: Callable[[Request], Awaitable[Response]]) -> Endpoint:
        """Token, permission, version and limit before `answer`; the slice's headers after it."""

        async def handle(request: Request) -> Response:
            if not authorized(request, self._expected):
                return _error(401, *UNAUTHORIZED)
            if what in self._without:
                return _error(403, "forbidden", "The app does not have the required permissions")
            allowed, left, _ = self._limiter.hit()
            response = await answer(request) if allowed else self.limited(Faults(retry_after=10))
            response.headers.setdefault("X-RateLimit-Limit", str(self._limiter.requests))
            response.headers.setdefault("X-RateLimit-Remaining", str(left))
            response.headers.setdefault("X-RateLimit-Reset", str(self._now() + 10))
            return response

        return handle

    def _now(self) -> int:
        """The vendor's time: the World's end, and what has passed since that World was first seen."""
        if self._until != self._world().until:
            self._until, self._seen = self._world().until, tempo.monotonic()
        return ceil(self._until.timestamp() + tempo.monotonic() - self._seen)

    def limited(self, faults: Faults) -> Response:
        """429 without Retry-After: the reset of the slice says when."""
        response = _error(429, "rate_limit_exceeded", "Exceeded rate limit")
        response.headers["X-RateLimit-Limit"] = str(self._limiter.requests)
        response.headers["X-RateLimit-Remaining"] = "0"
        response.headers["X-RateLimit-Reset"] = str(self._now() + faults.retry_after)
        return response

    async def scroll(self, request: Request) -> Response:
        asked, now = request.query_params.get("scroll_param"), tempo.monotonic()
        if self._scroll is not None and now - self._scroll[2] > SCROLL_IDLE:
            self._scroll = None
        if asked is None:
            if self._scroll is not None:
                return _error(400, "scroll_exists", "scroll already exists for this workspace")
            self._scrolls += 1
            self._scroll = f"69352cd2-ab5b-42ac-b004-{self._scrolls:012d}", self._tables().companies, now
        if self._scroll is None or asked not in (None, self._scroll[0]):
            return _error(404, "not_found", "scroll parameter not found")
        name, rows, _ = self._scroll
        self._scroll = (name, rows[self._scroll_size :], now) if rows else None
        page = rows[: self._scroll_size]
        return _json({"type": "list", "data": page, "pages": None, "total_count": None, "scroll_param": name})

    async def listing(self, request: Request) -> Response:
        query = request.query_params
        number, size = int(query.get("page", "1")), min(int(query.get("per_page", "20")), 60)
        rows = sorted(self._tables().companies, key=lambda row: row["last_request_at"], reverse=True)
        if number * size > self._list_cap:
            return _error(400, "page_limit_reached", f"You cannot list more than {self._list_cap} companies")
        pages = {"type": "pages", "next": None, "page": number, "per_page": size, "total_pages": -(-len(rows) // size)}
        page = rows[(number - 1) * size : number * size]
        return _json({"type": "list", "data": page, "pages": pages, "total_count": len(rows)})

    async def deleted(self, request: Request) -> Response:
        if tuple(map(int, request.headers.get("intercom-version", "2.0").split("."))) < (2, 15):
            words = "Requested resource is not available in current API version."
            return _error(400, "intercom_version_invalid", words)
        query, rows = request.query_params, self._tables().deleted
        number, size = int(query.get("page", "1")), min(int(query.get("per_page", "20")), 60)
        pages = {"type": "pages", "page": number, "per_page": size, "total_pages": -(-len(rows) // size)}
        page = rows[(number - 1) * size : number * size]
        told = {"type": "conversations.list", "total_count": len(rows), "pages": pages, "conversations": page}
        return _json(told)

    def search(self, what: str) -> Endpoint:
        async def handle(request: Request) -> Response:
            body = orjson.loads(await request.body())
            paging, filters = body.get("pagination") or {}, body["query"]["value"]
            if any(each["operator"] in (">=", "<=") for each in filters):
                return _error(400, "parameter_invalid", "Operator is not supported on Date fields")
            found = [row for row in getattr(self._tables(), what) if all(_holds(row, each, what) for each in filters)]
            size, number, begin = min(int(paging.get("per_page") or 20), 150), 1, 0
            if paging.get("starting_after"):
                changed, key, number = orjson.loads(base64.b64decode(paging["starting_after"]))
                again = self._faults.take("duplicate_rows")
                begin = sum((row["updated_at"], row["id"]) <= (changed, key) for row in found) - again
            empty = begin > 0 and begin + 1 < len(found) and self._faults.take("empty_pages")
            page = [] if empty else found[begin : begin + size]
            pages: Row = {"type": "pages", "page": number, "per_page": size, "total_pages": -(-len(found) // size)}
            if empty or begin + size < len(found):
                last = found[begin - 1] if empty else page[-1]
                after = base64.b64encode(orjson.dumps([last["updated_at"], last["id"], number + 1])).decode()
                pages["next"] = {"per_page": size, "starting_after": after}
            kind = "list" if what == "contacts" else f"{what.removesuffix('s')}.list"
            return _json({"type": kind, ROWS[what]: page, "total_count": len(found), "pages": pages})

        return handle

    def single(self, what: str) -> Endpoint:
        async def handle(request: Request) -> Response:
            row = next((one for one in getattr(self._tables(), what) if one["id"] == request.path_params["id"]), None)
            name = {"companies": "company"}.get(what, what.removesuffix("s"))
            return _json(row) if row else _error(404, f"{name}_not_found", f"{name.title()} Not Found")

        return handle


def _holds(row: Row, wanted: Mapping[str, Any], what: str) -> bool:
    field, value = wanted["field"], wanted["value"]
    if field == "id":
        return any(row["id"] == one for one in value)
    if field == "conversation_rating.score":
        return int((row.get("conversation_rating") or {}).get("rating") or 0) > int(value)
    changed = int(row["updated_at"])
    if what == "contacts":
        return changed >= (int(value) // DAY + 1) * DAY if value else True  # greater begins with the day after
    return changed >= int(value)


def _json(value: Any) -> Response:
    return Response(orjson.dumps(value), media_type="application/json")


def _error(status: int, code: str, message: str) -> Response:
    told = {"type": "error.list", "request_id": "b6k2q0simulated", "errors": [{"code": code, "message": message}]}
    return JSONResponse(told, status)
