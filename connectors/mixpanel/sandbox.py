"""Mixpanel's stand-in: the raw export and group profiles of the simulated company, limits and text errors included.

    GET  /api/2.0/export     JSON lines of whole days; about one event in 200 is exported twice, as the real one does
    POST /api/query/engage   group profiles, `page_size` a page; pages after the first need the first one's session_id

Ids: companies "acct-<account number>", users "u-<person number>". Five profiles in six know the id in the CRM. Basic
auth takes any user name with `token` as the secret, and any project_id. A day's lines are rendered when first asked for
and kept while the World stays the same.
"""

import asyncio
import base64
import binascii
import hmac
from bisect import bisect_left
from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta
from operator import attrgetter
from typing import Any
from urllib.parse import parse_qs
from zlib import crc32

import orjson
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from connectors.kit.sandbox import Faults, Limiter, Rendered, assemble
from connectors.kit.simulated import Account, ProductEvent, World, crm_id

ONE_DAY = timedelta(days=1)
EXPORTED_TWICE = 200  # one event in so many
WITHOUT_CRM_ID = 6  # one account in so many
SESSION = "1234567890-CSHUB"


def app(
    world: Callable[[], World],
    *,
    token: str,
    faults: Faults,
    per_hour: int = 60,
    per_second: int = 3,
    concurrent: int = 100,
    page_size: int = 1_000,
    terminated: Callable[[], bool] = lambda: False,
) -> Starlette:
    """`terminated` says, per export, whether the server gives up half way and says so in the last line."""
    served = _Served(world, faults, token, page_size, terminated)
    served.limiters = {
        "export": (Limiter(per_hour, 3600), Limiter(per_second, 1)),
        "query": (Limiter(per_hour, 3600),),
    }
    served.under_way = asyncio.Semaphore(concurrent)
    routes = [
        Route("/api/2.0/export", served.export),
        Route("/api/query/engage", served.engage, methods=["POST"]),
    ]
    return assemble(routes, faults=faults, limited=_limited)


def settings(base_url: str, *, token: str) -> dict[str, Any]:
    return {
        "base_url": base_url, "project_id": 1, "user": "cshub", "secret": token, "data_group_id": "7",
        "window_days": 90, "history_days": 540,
    }  # fmt: skip


def truth(world: World) -> Mapping[str, Collection[str]]:
    """{stream: keys that live}: profiles, and the days of users and of features within the history."""
    first = world.until.date() - timedelta(days=540)
    days = [(each.at.date(), each) for each in world.events if each.at.date() >= first]
    users = {f"{day}|acct-{each.account}|u-{each.person}" for day, each in days}
    features = {f"{day}|acct-{each.account}|{each.name}" for day, each in days}
    return {"groups": [f"acct-{account.number}" for account in world.accounts], "usage": users | features}


class _Served:
    limiters: Mapping[str, Sequence[Limiter]]
    under_way: asyncio.Semaphore

    def __init__(
        self, world: Callable[[], World], faults: Faults, token: str, page_size: int, terminated: Callable[[], bool]
    ) -> None:
        self._world, self._faults, self._token = world, faults, token
        self._page_size, self._terminated = page_size, terminated
        self._days = Rendered(world, Days)

    async def export(self, request: Request) -> Response:
        if (refusal := self._refused(request, "export")) is not None:
            return refusal
        try:
            first, last = (date.fromisoformat(request.query_params[name]) for name in ("from_date", "to_date"))
        except (KeyError, ValueError):
            return PlainTextResponse("from_date and to_date must be yyyy-mm-dd\n", 400)
        if last > self._world().until.date():
            return PlainTextResponse("to_date cannot be later than today\n", 400)
        async with self.under_way:
            body = b"".join(self._days().lines(first + n * ONE_DAY) for n in range((last - first).days + 1))
        if self._terminated():
            body = body[: body.rfind(b"\n", 0, len(body) // 2) + 1] + b"terminated early\n"
        return Response(body, media_type="text/plain")

    async def engage(self, request: Request) -> Response:
        if (refusal := self._refused(request, "query")) is not None:
            return refusal
        form = {name: values[-1] for name, values in parse_qs((await request.body()).decode()).items()}
        page, size = int(form.get("page", "0")), self._page_size
        if not form.get("data_group_id"):
            return _error(request, 400, "the sandbox has group profiles only")
        if page > 0 and form.get("session_id") != SESSION:
            return _error(request, 400, "page needs the session_id of page 0")
        wanted = orjson.loads(form.get("output_properties", "null"))
        only = orjson.loads(form.get("distinct_ids", "null"))
        accounts = [each for each in self._world().accounts if only is None or f"acct-{each.number}" in only]
        answer = {
            "page": page,
            "page_size": size,
            "session_id": SESSION,
            "status": "ok",
            "total": len(accounts),
            "results": [profile(account, wanted) for account in accounts[page * size : (page + 1) * size]],
        }
        return JSONResponse(answer)

    def _refused(self, request: Request, bucket: str) -> Response | None:
        if not _authorized(request, self._token):
            return PlainTextResponse("Unable to authenticate request\n", 400)
        if not request.query_params.get("project_id", "").isdecimal():
            return _error(request, 400, "Missing required parameter: project_id")
        if self.under_way.locked() or not all(limiter.hit()[0] for limiter in self.limiters[bucket]):
            return _limited(self._faults)
        return None


class Days:
    """The World's events as the export has them, by day."""

    def __init__(self, world: World) -> None:
        self._events = world.events
        self._of: dict[date, bytes] = {}

    def lines(self, day: date) -> bytes:
        if day not in self._of:
            begin, end = (
                bisect_left(self._events, datetime.combine(limit, time.min, UTC), key=attrgetter("at"))
                for limit in (day, day + ONE_DAY)
            )
            lines = [(each, orjson.dumps(event(each))) for each in self._events[begin:end]]
            again = [line for each, line in lines if crc32(each.insert_id.encode()) % EXPORTED_TWICE == 0]
            self._of[day] = b"".join(line + b"\n" for line in [*(line for _, line in lines), *again])
        return self._of[day]


def event(of: ProductEvent) -> dict[str, object]:
    """A line of the export. Mixpanel learns of an event some seconds after it has happened."""
    at = int(of.at.timestamp())
    return {
        "event": of.name,
        "properties": {
            "time": at,
            "distinct_id": f"u-{of.person}",
            "$insert_id": of.insert_id,
            "mp_processing_time_ms": at * 1000 + 1000 + crc32(of.insert_id.encode()) % 5000,
            "mp_lib": "web",
            "company_id": f"acct-{of.account}",
        },
    }


def profile(account: Account, wanted: list[str] | None) -> dict[str, object]:
    """A group profile with its `wanted` properties; None for all."""
    properties: dict[str, object] = {
        "$name": account.name,
        "domain": account.domain,
        "$last_seen": account.updated_at.strftime("%Y-%m-%dT%H:%M:%S"),
        "segment": account.segment,
    }
    if account.number % WITHOUT_CRM_ID:
        properties["crm_id"] = crm_id(account.number)
    shown = {name: value for name, value in properties.items() if wanted is None or name in wanted}
    return {"$distinct_id": f"acct-{account.number}", "$properties": shown}


def _authorized(request: Request, token: str) -> bool:
    kind, _, credential = request.headers.get("authorization", "").partition(" ")
    try:
        user, _, secret = base64.b64decode(credential, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return False
    return kind == "Basic" and bool(user) and hmac.compare_digest(secret.encode(), token.encode())


def _error(request: Request, status: int, message: str) -> Response:
    return JSONResponse({"request": request.url.path, "error": message}, status)


def _limited(faults: Faults) -> Response:
    headers = {"Retry-After": str(faults.retry_after)} if faults.retry_after else {}
    return JSONResponse({"error": "Project has exceeded its rate limit", "status": "error"}, 429, headers)
