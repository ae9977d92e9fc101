"""A stand-in for Pipedrive's API, version 2, over the simulated company.

    GET /api/v2/{organizations,persons,deals}   updated_since, sort_by=update_time, limit, cursor, ids; status for deals
    GET /api/v2/{pipelines,stages}              by cursor
    GET /api/v1/users                           all of them

A cursor is a place in the order of (update_time, id). Deleted deals are listed with status=deleted, other deleted rows never.
Answers tell what is left of two seconds and of the day.
"""

import base64
from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import datetime
from typing import Any
from zlib import crc32

import orjson
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from connectors.kit.credentials import basic
from connectors.kit.sandbox import Faults, Limiter, Rendered, assemble
from connectors.kit.simulated import World, crm_id

Row = dict[str, Any]
CUSTOMER, LEFT = 7, 9
ENTITY = {"account": "organization", "person": "person", "deal": "deal"}
PIPELINES = {"new": (1, "Sales"), "renewal": (2, "Renewals"), "expansion": (3, "Growth")}
STAGES = {"open": "Negotiation", "won": "Signed", "lost": "Signed"}
WEBHOOK_SECRET = "password-of-the-sandbox"  # noqa: S105  # of a stand-in, and told to whoever asks
SEGMENT, SINCE, KEY, ROLE = (f"{name:0>40}" for name in ("5e9", "51ce", "c4e", "401e"))
DAY = 150_000


def app(
    world: Callable[[], World],
    *,
    token: str,
    faults: Faults,
    per_window: int = 1000,
    tokens_a_day: int = DAY,
) -> Starlette:
    served = _Company(world, token, faults, Limiter(per_window, 2.0), tokens_a_day)
    routes = [
        Route("/api/v1/users", served.guarded(served.users)),
        Route("/api/v2/pipelines", served.guarded(served.pipelines)),
        Route("/api/v2/stages", served.guarded(served.stages)),
        Route("/api/v2/{kind}", served.guarded(served.rows)),
    ]
    return assemble(routes, faults=faults, limited=_limited, expired=lambda some: _unauthorized())


def settings(base_url: str, *, token: str) -> dict[str, Any]:
    return {
        "base_url": base_url,
        "api_token": token,
        "webhook_secret": WEBHOOK_SECRET,
        "page_size": 3,
        "customer_labels": [CUSTOMER],
        "became_customer_field": SINCE,
        "segment_field": SEGMENT,
        "segments": {"31": "smb", "32": "mid_market", "33": "enterprise"},
        "external_key_field": KEY,
        "role_field": ROLE,
        "left_labels": [LEFT],
        "deal_types": {"Sales": "new", "Renewals": "renewal", "Growth": "expansion"},
    }


def truth(world: World) -> Mapping[str, Collection[str]]:
    stay = (each for each in world.people if each.left_at is None or each.left_at > world.until)
    return {
        "organizations": {str(each.number) for each in world.accounts},
        "persons": {str(each.number) for each in stay},
        "deals": {str(each.number) for each in world.deals},
    }


def event(what: str, number: int) -> bytes:
    """A webhook's body: row `number` has changed."""
    meta = {
        "action": "change", "entity": ENTITY[what], "entity_id": str(number), "id": f"{what}-{number}", "version": "2.0",
        "timestamp": "2026-11-22T12:00:00.000Z", "attempt": 1, "host": "ourco.pipedrive.com",
    }  # fmt: skip
    return orjson.dumps({"meta": meta, "data": {"id": number}, "previous": {}})


def signed(body: bytes, *, settings: Any, method: str, url: str, now: datetime) -> dict[str, str]:
    """Headers as Pipedrive sends them."""
    return {
        "authorization": basic(settings.webhook_user, settings.webhook_secret),
        "user-agent": "Pipedrive Webhooks",
    }


class _Company:
    def __init__(
        self, world: Callable[[], World], token: str, faults: Faults, limiter: Limiter, tokens_a_day: int
    ) -> None:
        self._rendered, self._users_of = Rendered(world, _render), Rendered(world, _users)
        self._token, self._faults, self._limiter = token, faults, limiter
        self._left, self._day = tokens_a_day, tokens_a_day

    def guarded(self, answer: Callable[[Request], Response]) -> Callable[[Request], Any]:
        async def handle(request: Request) -> Response:
            if request.headers.get("x-api-token") != self._token:
                return _unauthorized()
            allowed, left, reset = self._limiter.hit()
            if not allowed:
                return _limited(Faults(retry_after=max(1, round(reset))))
            if self._left <= 0:
                response = _limited(self._faults)
            else:
                self._left -= 1
                response = answer(request)
                response.headers["x-ratelimit-reset"] = "2"
            response.headers["x-ratelimit-limit"] = str(self._limiter.requests)
            response.headers["x-ratelimit-remaining"] = str(left)
            response.headers["x-daily-ratelimit-token-limit"] = str(self._day)
            response.headers["x-daily-ratelimit-token-remaining"] = str(self._left)
            return response

        return handle

    def users(self, request: Request) -> Response:
        return JSONResponse({"success": True, "data": self._users_of(), "additional_data": None})

    def pipelines(self, request: Request) -> Response:
        rows = [{"id": key, "name": name, "is_deleted": False} for key, name in PIPELINES.values()]
        return self._page(request, rows, lambda row: ("", row["id"]))

    def stages(self, request: Request) -> Response:
        rows = [
            {"id": 10 * key + (name == "Signed"), "name": name, "pipeline_id": key}
            for key, _ in PIPELINES.values()
            for name in ("Negotiation", "Signed")
        ]
        return self._page(request, rows, lambda row: ("", row["id"]))

    def rows(self, request: Request) -> Response:
        query, kind = request.query_params, request.path_params["kind"]
        if kind not in self._rendered():
            return _error(404, "Unknown method.")
        rows = self._rendered()[kind]
        if kind == "deals":
            wanted = query.get("status")
            rows = [row for row in rows if (row["status"] == wanted if wanted else row["status"] != "deleted")]
        if since := query.get("updated_since"):
            rows = [row for row in rows if row["update_time"] >= since]
        if ids := query.get("ids"):
            if len(ids.split(",")) > 100:
                return _error(400, "Parameter 'ids' must have at most 100 items")
            rows = [row for row in rows if str(row["id"]) in ids.split(",")]
        if "won_deals_count" not in query.get("include_fields", ""):
            rows = [{name: value for name, value in row.items() if name != "won_deals_count"} for row in rows]
        return self._page(request, rows, lambda row: (row["update_time"], row["id"]))

    def _page(self, request: Request, rows: Sequence[Row], place: Callable[[Row], tuple[str, int]]) -> Response:
        query = request.query_params
        limit, begin = int(query.get("limit", 100)), ("", -1)
        if not 1 <= limit <= 500:
            return _error(400, "limit must be between 1 and 500")
        if cursor := query.get("cursor"):
            at, _, key = base64.urlsafe_b64decode(cursor).decode().rpartition("|")
            begin = (at, int(key))
        beyond = sorted((row for row in rows if place(row) > begin), key=place)
        if cursor and beyond and self._faults.take("empty_pages"):
            spaced = base64.urlsafe_b64encode(f"{begin[0]}|{begin[1]:05d}".encode()).decode()
            return JSONResponse({"success": True, "data": [], "additional_data": {"next_cursor": spaced}})
        page = beyond[:limit]
        following = None
        if len(beyond) > limit:
            following = base64.urlsafe_b64encode("{}|{}".format(*place(page[-1])).encode()).decode()
        before = [row for row in rows if place(row) <= begin]
        if cursor and page and before and self._faults.take("duplicate_rows"):
            page = [max(before, key=place), *page]
        return JSONResponse({"success": True, "data": page, "additional_data": {"next_cursor": following}})


def _render(world: World) -> dict[str, list[Row]]:
    won = [deal.account for deal in world.deals if deal.stage == "won"]
    deals = [_deal(each) for each in world.deals]
    deals += [_grave(each) for each in world.removed if each.what == "deal"]
    return {
        "organizations": [_organization(each, won.count(each.number)) for each in world.accounts],
        "persons": [_person(each, world.until) for each in world.people],
        "deals": deals,
    }


def _organization(each: Any, won: int) -> Row:
    segment = {"smb": 31, "mid_market": 32, "enterprise": 33}.get(each.segment)
    return {
        "id": each.number,
        "name": each.name,
        "owner_id": _user_id(each.csm_email),
        "add_time": f"{each.signed_on.isoformat()}T00:00:00Z",
        "update_time": _time(each.updated_at),
        "is_deleted": False,
        "address": {"value": each.country, "country": each.country},
        "website": f"https://{each.domain}",
        "industry": each.industry,
        "employee_count": each.employees,
        "label_ids": [CUSTOMER] if each.churned_on is None else [],
        "won_deals_count": won,
        "custom_fields": {SEGMENT: segment, SINCE: each.signed_on.isoformat(), KEY: crm_id(each.number)},
    }


def _person(each: Any, until: datetime) -> Row:
    return {
        "id": each.number,
        "name": each.name,
        "org_id": each.account,
        "owner_id": None,
        "add_time": _time(each.created_at),
        "update_time": _time(max(each.updated_at, each.left_at or each.updated_at)),
        "is_deleted": False,
        "emails": [{"value": each.email, "primary": True, "label": "work"}],
        "job_title": each.title,
        "label_ids": [LEFT] if each.left_at is not None and each.left_at <= until else [],
        "custom_fields": {ROLE: each.role},
    }


def _deal(each: Any) -> Row:
    pipeline, closed = PIPELINES[each.kind][0], each.stage != "open"
    return {
        "id": each.number,
        "title": each.name,
        "owner_id": _user_id(each.owner_email),
        "org_id": each.account,
        "person_id": None,
        "pipeline_id": pipeline,
        "stage_id": 10 * pipeline + (STAGES[each.stage] == "Signed"),
        "value": each.amount,
        "currency": each.currency,
        "status": each.stage,
        "add_time": _time(each.created_at),
        "update_time": _time(each.updated_at),
        "close_time": f"{each.close_on.isoformat()}T12:00:00Z" if closed else None,
        "expected_close_date": each.close_on.isoformat(),
        "is_deleted": False,
        "custom_fields": {},
    }


def _grave(each: Any) -> Row:
    at = _time(each.at)
    return {
        "id": each.number, "title": "", "owner_id": None, "org_id": each.account, "pipeline_id": 1, "stage_id": 10,
        "value": 0, "currency": "EUR", "status": "deleted", "add_time": at, "update_time": at, "close_time": None,
        "expected_close_date": None, "is_deleted": True, "custom_fields": {},
    }  # fmt: skip


def _users(world: World) -> list[Row]:
    named = {deal.owner_email: deal.owner_email.partition("@")[0].title() for deal in world.deals}
    named.update((account.csm_email, account.csm_name) for account in world.accounts)
    return [{"id": _user_id(email), "name": name, "email": email} for email, name in sorted(named.items())]


def _user_id(email: str) -> int:
    return 10_000_000 + crc32(email.encode()) % 10_000_000


def _time(when: datetime) -> str:
    return when.strftime("%Y-%m-%dT%H:%M:%SZ")


def _limited(faults: Faults) -> Response:
    response = _error(429, "Request over limit")
    response.headers["x-ratelimit-reset"] = str(faults.retry_after)
    response.headers["x-ratelimit-remaining"] = "0"
    return response


def _unauthorized() -> Response:
    return _error(401, "unauthorized access")


def _error(status: int, message: str) -> Response:
    told = {"success": False, "error": message, "error_info": "Please check developers.pipedrive.com", "data": None}
    return JSONResponse({**told, "additional_data": None}, status)
