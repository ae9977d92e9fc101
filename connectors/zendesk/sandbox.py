"""Zendesk's stand-in: exports by cursor and by time, sideloads, both CSAT features, and the account's rate limits.

    GET /api/v2/incremental/{users,tickets}/cursor    start_time, then cursor; end_of_stream, after_cursor
    GET /api/v2/incremental/organizations             start_time; all rows of a second on one page
    GET /api/v2/organizations                         the ordinary listing, page[size], page[after]
    GET /api/v2/satisfaction_ratings                  legacy CSAT, or 404 when the account has the new one
    GET /api/v2/guide/survey_responses                the new one, or 404
    GET /api/v2/{tickets,users,organizations}/show_many  ids, up to 100

What changed in the last minute before the World's end is not exported yet. Basic auth takes any address, as
"<address>/token", with `token`. A cursor is a place in the order (second, id), so it never goes stale.
"""

import base64
import binascii
from bisect import bisect_left, bisect_right
from collections.abc import Awaitable, Callable, Iterable, Sequence
from datetime import UTC, datetime
from typing import Any, Literal

import orjson
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from connectors.kit.sandbox import Faults, Limiter, Rendered, assemble
from connectors.kit.simulated import World
from connectors.zendesk.hooks import event, signed
from connectors.zendesk.sandbox_answers import as_json, authorized, error, is_here, too_recent
from connectors.zendesk.sandbox_jobs import Jobs
from connectors.zendesk.wire import Row, iso, tables, truth

__all__ = ["app", "event", "settings", "signed", "truth"]
LAG = 60  # seconds
SHOWN_AT_ONCE = 100
Stamped = Sequence[tuple[int, Row]]
Answer = Callable[[Request], Response]
Endpoint = Callable[[Request], Awaitable[Response]]


def app(
    world: Callable[[], World],
    *,
    token: str,
    faults: Faults,
    csat: Literal["legacy", "survey", "both", "none"] = "legacy",
    role: Literal["admin", "agent"] = "admin",
    exports_per_minute: int = 30,
    requests_per_minute: int = 400,
    rows_a_second: int = 1_000,
    page_size: int = 100,
    written: dict[str, dict[str, Any]] | None = None,
) -> Starlette:
    """Its limits are those of a Growth plan with the High Volume add-on.

    `rows_a_second`: the most rows of one second that a page of the organizations' export can hold; `page_size`: the most
    rows a page of an ordinary listing has.
    """
    served = _Served(world, token, csat, role, rows_a_second, faults, page_size)
    served.exports, served.requests = Limiter(exports_per_minute, 60), Limiter(requests_per_minute, 60)
    served.jobs = Jobs({} if written is None else written)
    v2 = "/api/v2"
    routes = [
        Route(f"{v2}/incremental/organizations", served.export(served.by_time)),
        Route(f"{v2}/incremental/users/cursor", served.export(lambda request: served.by_cursor(request, "users"))),
        Route(f"{v2}/incremental/tickets/cursor", served.export(lambda request: served.by_cursor(request, "tickets"))),
        Route(f"{v2}/organizations/update_many", served.update, methods=["PUT"]),
        Route(f"{v2}/job_statuses/{{job}}", served.plain(served.job)),
        Route(f"{v2}/organizations", served.plain(served.organizations)),
        Route(f"{v2}/satisfaction_ratings", served.plain(served.ratings)),
        Route(f"{v2}/guide/survey_responses", served.plain(served.surveys)),
        Route(f"{v2}/tickets/show_many", served.plain(lambda request: served.show_many(request, "tickets"))),
        Route(
            f"{v2}/organizations/show_many", served.plain(lambda request: served.show_many(request, "organizations"))
        ),
        Route(f"{v2}/users/show_many", served.plain(lambda request: served.show_many(request, "users"))),
    ]
    return assemble(routes, faults=faults, limited=served.limited)


def settings(base_url: str, *, token: str) -> dict[str, Any]:
    """Small pages of exports, and all of the past."""
    return {"base_url": base_url, "email": "ada@ourco.example", "token": token, "page_size": 5, "history_days": 3_650}


class _Served:
    jobs: Jobs
    exports: Limiter
    requests: Limiter

    def __init__(
        self,
        world: Callable[[], World],
        token: str,
        csat: str,
        role: str,
        rows_a_second: int,
        faults: Faults,
        page_size: int,
    ) -> None:
        self._world, self._token, self._csat, self._role = world, token, csat, role
        self._rows_a_second, self._faults, self._page_size = rows_a_second, faults, page_size
        self._tables, self._refused = Rendered(world, tables), 0

    def export(self, answer: Answer) -> Endpoint:
        """`answer` for administrators, within the exports' own limit."""

        def limited(request: Request) -> Response:
            if self._role != "admin":
                return error(403, "Forbidden", "You do not have access to this page. Please contact the account owner.")
            allowed, left, reset = self.exports.hit()
            response = answer(request) if allowed else self.limited(Faults(retry_after=round(reset) + 1))
            cursor = "-cursor" if request.url.path.endswith("/cursor") else ""
            response.headers[f"zendesk-ratelimit-incremental-exports{cursor}"] = (
                f"total={self.exports.requests}; remaining={left}; resets={round(reset)}"
            )
            return response

        return self.plain(limited)

    def plain(self, answer: Answer) -> Endpoint:
        """`answer` behind the login and the account's limit."""

        async def guarded(request: Request) -> Response:
            if not authorized(request, self._token):
                return JSONResponse({"error": "Couldn't authenticate you"}, 401)
            allowed, left, reset = self.requests.hit()
            response = answer(request) if allowed else self.limited(Faults(retry_after=round(reset) + 1))
            limit = str(self.requests.requests)
            response.headers.update({"x-rate-limit": limit, "x-rate-limit-remaining": str(left)})
            response.headers.update({"ratelimit-limit": limit, "ratelimit-remaining": str(left)})
            response.headers["ratelimit-reset"] = str(round(reset))
            return response

        return guarded

    async def update(self, request: Request) -> Response:
        rows = orjson.loads(await request.body())["organizations"]
        there = {row["id"] for _, row in self._tables().organizations}
        answer = self.plain(lambda _: JSONResponse(self.jobs.submit(rows, there)))
        return await answer(request)

    def job(self, request: Request) -> Response:
        told = self.jobs.look(request.path_params["job"])
        return error(404, "RecordNotFound", "Not found") if told is None else JSONResponse(told)

    def limited(self, faults: Faults) -> Response:
        """429 as the API says it and as its edge says it, in turn; neither is the API's error JSON."""
        self._refused += 1
        headers = {"Retry-After": str(faults.retry_after)}
        if self._refused % 2:
            return PlainTextResponse("Number of allowed API requests per minute exceeded", 429, headers)
        edge = {"detail": "Rate limited by Zendesk edge protection", "status": "429", "title": "Automated response"}
        return JSONResponse(edge, 429, headers)

    def by_cursor(self, request: Request, name: str) -> Response:
        query, rows = request.query_params, self._visible(getattr(self._tables(), name))
        if "cursor" in query:
            place = _place(query["cursor"])
            if place is None:
                return error(400, "InvalidCursor", "cursor is invalid")
            begin = bisect_right(rows, place, key=_order)
        else:
            start = int(query["start_time"])
            if start > self._now() - LAG:
                return too_recent()
            begin = bisect_left(rows, start, key=lambda item: item[0])
        size = int(query.get("per_page", "1000"))
        again = 1 if "cursor" in query and begin and self._faults.take("duplicate_rows") else 0
        page = rows[begin - again : begin + size]
        after = _cursor(page[-1]) if page else query.get("cursor")
        sideloads = query.get("include", "").split(",")
        return as_json(
            {
                name: [self._shown(row, sideloads) for _, row in page],
                "after_cursor": after,
                "after_url": f"https://ourco.zendesk.com{request.url.path}?cursor={after}" if after else None,
                "before_cursor": None,
                "end_of_stream": begin + size >= len(rows),
                **({"users": self._people(row for _, row in page)} if "users" in sideloads else {}),
            }
        )

    def by_time(self, request: Request) -> Response:
        start = int(request.query_params["start_time"])
        if start > self._now() - LAG:
            return too_recent()
        rows = self._visible(self._tables().organizations)
        begin = bisect_left(rows, start, key=lambda item: item[0])
        page = self._whole_seconds(rows, begin, int(request.query_params.get("per_page", "1000")))
        end = page[-1][0] if page else None
        return JSONResponse(
            {
                "organizations": [row for _, row in page],
                "count": len(page),
                "end_time": end,
                "next_page": f"https://ourco.zendesk.com{request.url.path}?start_time={end}" if end else None,
                "end_of_stream": begin + len(page) >= len(rows),
            }
        )

    def organizations(self, request: Request) -> Response:
        rows = [row for _, row in self._tables().organizations if row["deleted_at"] is None]
        return self._listed(request, "organizations", rows)

    def ratings(self, request: Request) -> Response:
        if self._csat not in ("legacy", "both"):
            return error(404, "InvalidEndpoint", "Not found")
        start = int(request.query_params.get("start_time", "0"))
        since, received = _iso(start), request.query_params.get("score") == "received"
        rows = [row for row in self._tables().ratings if row["created_at"] >= since]
        return self._listed(
            request, "satisfaction_ratings", [r for r in rows if not received or r["score"] != "offered"]
        )

    def surveys(self, request: Request) -> Response:
        if self._csat not in ("survey", "both"):
            return error(404, "InvalidEndpoint", "Not found")
        since = _iso(int(request.query_params.get("filter[created_at_start]", "0")) // 1000)
        rows = [row for row in self._tables().surveys if row["made_at"][:19] >= since[:19]]
        shown = [{name: value for name, value in row.items() if name != "made_at"} for row in rows]
        return self._listed(request, "survey_responses", shown)

    def show_many(self, request: Request, name: str) -> Response:
        ids = {int(key) for key in request.query_params.get("ids", "").split(",") if key}
        if len(ids) > SHOWN_AT_ONCE:
            return error(400, "TooManyValues", f"ids: at most {SHOWN_AT_ONCE}")
        include = request.query_params.get("include", "").split(",")
        found = [row for _, row in getattr(self._tables(), name) if row["id"] in ids and is_here(row)]
        rows = [self._shown(row, include) for row in found]
        users = {"users": self._people(rows)} if "users" in include else {}
        return JSONResponse({name: rows, "count": len(rows), **users})

    def _listed(self, request: Request, name: str, rows: Sequence[Row]) -> Response:
        """A page of a listing by cursor."""
        size = min(int(request.query_params.get("page[size]", "100")), self._page_size)
        begin = int(base64.b64decode(request.query_params.get("page[after]", "")) or b"0")
        again = 1 if begin and self._faults.take("duplicate_rows") else 0
        end = begin if begin and self._faults.take("empty_pages") else begin + size
        more = end < len(rows)
        mark = f"{end} " if end == begin else str(end)  # an empty page leads on, by another token
        after = base64.b64encode(mark.encode()).decode() if more else None
        meta = {"has_more": more, "after_cursor": after, "before_cursor": None}
        path = f"https://ourco.zendesk.com{request.url.path}"
        links = {"next": f"{path}?page[size]={size}&page[after]={after}" if more else None, "prev": None}
        return JSONResponse({name: rows[begin - again : end], "meta": meta, "links": links})

    def _shown(self, row: Row, sideloads: Sequence[str]) -> Row:
        if "metric_sets" in sideloads:
            return row
        return {name: value for name, value in row.items() if name != "metric_set"}

    def _people(self, tickets: Iterable[Row]) -> list[Row]:
        wanted = {row["requester_id"] for row in tickets}
        return [row for _, row in self._tables().users if row["id"] in wanted]

    def _whole_seconds(self, rows: Stamped, begin: int, size: int) -> Stamped:
        """`size` rows from `begin`, and the rest of the second they end in; always beyond the first second, if it fits."""
        if begin >= len(rows):
            return []
        first = rows[begin][0]
        end = bisect_right(rows, rows[min(begin + size, len(rows)) - 1][0], key=lambda item: item[0])
        if rows[end - 1][0] == first and end < len(rows):
            if end - begin > self._rows_a_second:
                return rows[begin : begin + self._rows_a_second]
            end = bisect_right(rows, rows[end][0], key=lambda item: item[0])
        return rows[begin:end]

    def _visible(self, rows: Stamped) -> Stamped:
        return rows[: bisect_right(rows, self._now() - LAG, key=lambda item: item[0])]

    def _now(self) -> int:
        return int(self._world().until.timestamp())


def _order(item: tuple[int, Row]) -> tuple[int, int]:
    return item[0], item[1]["id"]


def _cursor(item: tuple[int, Row]) -> str:
    second, key = _order(item)
    return base64.urlsafe_b64encode(f"{second}.{key}".encode()).decode()


def _place(cursor: str) -> tuple[int, int] | None:
    try:
        second, key = base64.urlsafe_b64decode(cursor).decode().split(".")
        return int(second), int(key)
    except (binascii.Error, ValueError):
        return None


def _iso(second: int) -> str:
    return iso(datetime.fromtimestamp(second, UTC)) or ""
