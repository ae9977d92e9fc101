"""POST /hooks/{name}: an event of another system, signed; kept, answered with 202, and then fired.

webhook-id, webhook-timestamp, webhook-signature   as the Standard Webhooks specification has them, over the raw bytes
202   it is kept: playbooks that heed it fire in a moment. The same id again is the same event
400   no JSON object            401   no signature of ours, or too old        404   no such hook
413   too large                 422   it names no customer we know: kept with the reason, and taken when it is sent again

A source whose vendor sends webhooks is heard at the same route, in the vendor's own way: see hub.web.source_hooks.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime
from types import MappingProxyType
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from hub.delivery.webhook import MAX_BODY, why_not
from hub.errors import RefusedError
from hub.sync.hearing import Ear
from hub.web.receiving import Routes, TooLargeError, body_of, json_object
from hub.web.source_hooks import receive_own, receive_source

Take = Callable[[str, str, Mapping[str, Any]], Awaitable[str | None]]
"""(hook, id of the event, payload) -> None where it is taken, or why not."""


def routes(
    secrets: Mapping[str, Sequence[str]],
    *,
    take: Take,
    clock: Callable[[], datetime],
    ears: Mapping[str, Ear] = MappingProxyType({}),
    public_url: str = "",
) -> Routes:
    """secrets: {hook: what its events may be signed with, the newest first}; ears: {source: who hears its vendor}."""

    async def receive(request: Request) -> Response:
        name = request.path_params["name"]
        if name in ears:
            return await receive_source(request, ears[name], public_url=public_url)
        if request.method != "POST" and name in secrets:
            return _says("webhooks are sent with POST", 405)
        if name not in secrets:
            return _says("there is no such hook", 404)
        try:
            body = await body_of(request, most=MAX_BODY)
        except TooLargeError:
            return _says(f"more than {MAX_BODY:,} bytes", 413)
        if (reason := why_not(secrets[name], request.headers, body, now=clock())) is not None:
            return _says(reason, 401)
        if (payload := json_object(body)) is None:
            return _says("the body is no JSON object, or one that is nested too deeply", 400)
        try:
            refusal = await take(name, request.headers["webhook-id"], payload)
        except RefusedError as error:
            return _says(str(error), 400)
        return JSONResponse({"accepted": True}, 202) if refusal is None else _says(refusal, 422)

    def own(path: str) -> Route:
        some = [ear for ear in ears.values() if path in ear.webhook.paths]

        async def receive_there(request: Request) -> Response:
            return await receive_own(request, some, public_url=public_url)

        return Route(path, receive_there, methods=["POST", "OPTIONS"])

    paths = dict.fromkeys(path for ear in ears.values() for path in ear.webhook.paths)
    return [Route("/hooks/{name}", receive, methods=["GET", "POST"]), *[own(path) for path in paths]]


def _says(reason: str, status: int) -> Response:
    return JSONResponse({"error": reason}, status)
