"""SurveyMonkey's stand-in.

    GET /v3/surveys                              page, per_page
    GET /v3/surveys/{id}/details
    GET /v3/surveys/{id}/responses/bulk          page, per_page, start_modified_at, sort_by, sort_order, status
    GET /v3/surveys/{id}/responses/{id}/details

A private app's limits: 120 calls a minute, and so many a day as the option says; 500 is what the smallest plan gives.
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
from connectors.surveymonkey.connector import Settings
from connectors.surveymonkey.wire import CSAT_QUESTION, DETAILS, NPS, nps_id, responses, truth

__all__ = ["app", "event", "settings", "signed", "truth"]
HEADER = "X-Ratelimit-App-Global"
RESPONSES = {"nps": (NPS, nps_id)}


def app(
    world: Callable[[], World],
    *,
    token: str,
    faults: Faults,
    scopes: bool = True,
    calls_a_minute: int = 120,
    calls_a_day: int = 50_000,
) -> Starlette:
    """scopes: whether the app has those it needs."""
    served = _Served(world, token, faults, scopes)
    served.minute, served.day = Limiter(calls_a_minute, 60.0), Limiter(calls_a_day, 86_400.0)
    survey = "/v3/surveys/{survey}"
    routes = [
        Route("/v3/surveys", served.guarded(served.surveys)),
        Route(f"{survey}/details", served.guarded(served.details)),
        Route(f"{survey}/responses/bulk", served.guarded(served.bulk)),
        Route(f"{survey}/responses/{{response}}/details", served.guarded(served.single)),
    ]
    return assemble(routes, faults=faults, limited=served.limited, expired=lambda some: _unknown_token())


def settings(base_url: str, *, token: str) -> dict[str, Any]:
    return {
        "base_url": base_url, "token": token, "page_size": 3, "questions": {CSAT_QUESTION: "csat"},
        "client_id": "sandbox-client", "webhook_secret": f"{token}-hook",
    }  # fmt: skip


def event(what: str, number: int) -> bytes:
    """What a webhook tells of an answer to the NPS survey."""
    survey, key = RESPONSES[what]
    return orjson.dumps(
        {
            "name": "cshub",
            "filter_type": "survey",
            "filter_id": survey,
            "event_type": "response_completed",
            "event_id": f"9{number:07d}",
            "object_type": "response",
            "object_id": key(number),
            "event_datetime": "2026-11-22T10:00:00.000000+00:00",
            "resources": {"survey_id": survey, "collector_id": "5001", "user_id": "7", "recipient_id": "0"},
        }
    )


def signed(body: bytes, *, settings: Settings, method: str, url: str, now: datetime) -> dict[str, str]:
    secret = f"{settings.client_id}&{secret_of(settings.webhook_secret)}"
    return {"sm-apikey": str(settings.client_id), "sm-signature": hmac_base64(secret, body, "sha1")}


class _Served:
    minute: Limiter
    day: Limiter

    def __init__(self, world: Callable[[], World], token: str, faults: Faults, scopes: bool) -> None:
        self._responses = Rendered(world, responses)
        self._expected, self._faults, self._scopes = f"Bearer {token}", faults, scopes

    def guarded(self, answer: Callable[[Request], Response]) -> Callable[[Request], Awaitable[Response]]:
        async def handle(request: Request) -> Response:
            if not authorized(request, self._expected):
                return _unknown_token()
            if not self._scopes:
                return _error(403, "1014", "Permission Error", "Permission has not been granted by the user.")
            minute, in_minute, minute_reset = self.minute.hit()
            day, in_day, day_reset = self.day.hit()
            response = answer(request) if minute and day else _error(429, "1040", "Rate limit", "Too many requests.")
            response.headers.update(
                {
                    f"{HEADER}-Minute-Limit": str(self.minute.requests),
                    f"{HEADER}-Minute-Remaining": str(in_minute),
                    f"{HEADER}-Minute-Reset": str(round(minute_reset) + 1),
                    f"{HEADER}-Day-Limit": str(self.day.requests),
                    f"{HEADER}-Day-Remaining": str(in_day),
                    f"{HEADER}-Day-Reset": str(round(day_reset) + 1),
                }
            )
            return response

        return handle

    def limited(self, faults: Faults) -> Response:
        """429 of the minute: no Retry-After, the seconds until its reset."""
        response = _error(429, "1040", "Rate limit", "Too many requests.")
        response.headers[f"{HEADER}-Minute-Remaining"] = "0"
        response.headers[f"{HEADER}-Minute-Reset"] = str(faults.retry_after)
        response.headers[f"{HEADER}-Day-Remaining"] = "100"
        response.headers[f"{HEADER}-Day-Reset"] = "40000"
        return response

    def surveys(self, request: Request) -> Response:
        rows = [{name: one[name] for name in ("id", "title", "date_modified")} for one in DETAILS.values()]
        return _page(request, rows, len(rows))

    def details(self, request: Request) -> Response:
        survey = request.path_params["survey"]
        return JSONResponse(DETAILS[survey]) if survey in DETAILS else _not_found()

    def bulk(self, request: Request) -> Response:
        query, survey = request.query_params, request.path_params["survey"]
        if survey not in DETAILS:
            return _not_found()
        rows = [row for row in self._responses()[survey] if row["date_modified"] >= query.get("start_modified_at", "")]
        if query.get("sort_by") != "date_modified" or query.get("sort_order") != "ASC":
            rows.reverse()
        size, number = min(int(query.get("per_page", "50")), 100), int(query.get("page", "1"))
        again = 1 if number > 1 and self._faults.take("duplicate_rows") else 0
        return _page(request, rows[(number - 1) * size - again : number * size], len(rows))

    def single(self, request: Request) -> Response:
        rows = self._responses().get(request.path_params["survey"], ())
        row = next((row for row in rows if row["id"] == request.path_params["response"]), None)
        return JSONResponse(row) if row else _not_found()


def _page(request: Request, rows: list[dict[str, Any]], total: int) -> Response:
    number, size = int(request.query_params.get("page", "1")), int(request.query_params.get("per_page", "50"))
    links = {"self": str(request.url)}
    if number * size < total:
        links["next"] = str(request.url.include_query_params(page=number + 1))
    told = {"data": rows, "page": number, "per_page": size, "total": total, "links": links}
    return Response(orjson.dumps(told), media_type="application/json")


def _unknown_token() -> Response:
    return _error(401, "1012", "Authorization Error", "The authorization token provided was invalid.")


def _not_found() -> Response:
    return _error(404, "1020", "Resource Not Found", "There was an error retrieving the requested resource.")


def _error(status: int, number: str, name: str, message: str) -> Response:
    told = {"id": number, "name": name, "docs": "", "message": message, "http_status_code": status}
    return JSONResponse({"error": told}, status)
