"""The demo's webhook receiver: a service of somebody else's that checks signatures, and takes each event once.

    POST /{name}                an event for endpoint `name`
    GET or POST /_faults        what goes wrong: see HookFaults

It does what the Standard Webhooks specification asks of receivers: the signature over the raw bytes first, then the age of
the timestamp, then whether it has had the id before. An event that is taken is in the outbox before it is answered.
"""

import asyncio
import base64
import hmac
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

import orjson
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from hub.clock import utc_now
from hub.demo.faults import Countdown, faults_route
from hub.demo.outbox import Outbox

TOLERANCE_SECONDS = 300


@dataclass(slots=True, kw_only=True)
class HookFaults(Countdown):
    """What goes wrong with the next n events; each counts down as it strikes.

    rate_limited     429, with `retry_after` seconds
    unavailable      503, and nothing is taken
    server_errors    500, and nothing is taken
    redirects        302 to another place
    gone             410
    lost_answers     it is taken, and the answer is 502: something between lost it
    delay            seconds before every answer
    """

    rate_limited: int = 0
    retry_after: int = 1
    unavailable: int = 0
    server_errors: int = 0
    redirects: int = 0
    gone: int = 0
    lost_answers: int = 0
    delay: float = 0.0


def app(
    outbox: Outbox,
    *,
    secrets: Mapping[str, str],
    faults: HookFaults | None = None,
    clock: Callable[[], datetime] = utc_now,
) -> Starlette:
    """secrets: {endpoint: the secret its events are signed with}."""
    front = _Front(outbox, secrets=secrets, faults=faults or HookFaults(), clock=clock)
    return Starlette(routes=[faults_route(front.faults), Route("/{name}", front.take, methods=["POST"])])


class _Front:
    def __init__(
        self, outbox: Outbox, *, secrets: Mapping[str, str], faults: HookFaults, clock: Callable[[], datetime]
    ) -> None:
        self._outbox, self._secrets, self.faults, self._clock = outbox, secrets, faults, clock
        self._seen = {arrival.body["id"] for arrival in outbox.arrivals(limit=-1) if arrival.kind == "webhook"}

    async def take(self, request: Request) -> Response:
        await asyncio.sleep(self.faults.delay)
        if (fault := self._fault()) is not None:
            return fault
        name, body = request.path_params["name"], await request.body()
        if name not in self._secrets:
            return PlainTextResponse("no such endpoint", 404)
        if (reason := self._unsigned(name, request.headers, body)) is not None:
            return PlainTextResponse(reason, 401)
        try:
            event = orjson.loads(body)
        except orjson.JSONDecodeError:
            return PlainTextResponse("no JSON", 400)
        id_ = request.headers["webhook-id"]
        lost = self.faults.take("lost_answers")
        again = id_ in self._seen
        self._seen.add(id_)
        self._outbox.add(
            "webhook_repeat" if again else "webhook",
            at=self._clock(),
            address=name,
            shown=name,
            subject=str(event.get("type", "")) if isinstance(event, dict) else "",
            dedup=None if again else id_,
            answered=not lost,
            body={"id": id_, "event": event},
        )
        return PlainTextResponse("", 502 if lost else 204)

    def _fault(self) -> Response | None:
        if self.faults.take("rate_limited"):
            return PlainTextResponse("", 429, {"Retry-After": str(self.faults.retry_after)})
        if self.faults.take("redirects"):
            return PlainTextResponse("", 302, {"Location": "/elsewhere"})
        for name, status in (("unavailable", 503), ("server_errors", 500), ("gone", 410)):
            if self.faults.take(name):
                return PlainTextResponse("", status)
        return None

    def _unsigned(self, name: str, headers: Mapping[str, str], body: bytes) -> str | None:
        """Why the event is not believed; None where it is."""
        id_, timestamp = headers.get("webhook-id", ""), headers.get("webhook-timestamp", "")
        if not id_ or not timestamp.isdecimal():
            return "webhook-id or webhook-timestamp is missing"
        key = base64.b64decode(self._secrets[name].removeprefix("whsec_"))
        wanted = base64.b64encode(hmac.digest(key, f"{id_}.{timestamp}.".encode() + body, "sha256"))
        given = [each.removeprefix("v1,").encode() for each in headers.get("webhook-signature", "").split()]
        if not any(hmac.compare_digest(each, wanted) for each in given):
            return "no signature matches"
        if abs(self._clock().timestamp() - int(timestamp)) > TOLERANCE_SECONDS:
            return "the timestamp is too old or too new"
        return None
