"""The demo's PagerDuty: the Events API v2, with its incidents, its limits and its ways of saying no.

    POST /v2/enqueue
    GET /_incidents             {dedup_key: state}
    GET or POST /_faults        what goes wrong: see PagerDutyFaults

An event that is taken is in the outbox before it is answered with 202. A trigger of an open incident, and an acknowledgement
or a resolution that changes nothing, are kept as such: they are no second incident.
"""

import asyncio
import hmac
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from hub.clock import utc_now
from hub.demo.faults import Countdown, faults_route
from hub.demo.outbox import Outbox

KEY_LENGTH = 32
STATES: Mapping[str, str] = {"trigger": "triggered", "acknowledge": "acknowledged", "resolve": "resolved"}
CHANGES = frozenset(
    {
        ("trigger", None),
        ("trigger", "resolved"),
        ("acknowledge", "triggered"),
        ("resolve", "triggered"),
        ("resolve", "acknowledged"),
    }
)
"""(event_action, state of the incident) that make something new; everything else changes or does nothing."""
SEVERITIES = ("critical", "error", "warning", "info")
MOST_BYTES = 512 * 1024


@dataclass(slots=True, kw_only=True)
class PagerDutyFaults(Countdown):
    """What goes wrong with the next n events; each counts down as it strikes.

    rate_limited     429, with `retry_after` seconds
    server_errors    500, and nothing is taken
    lost_answers     it is taken, and the answer is 502: something between lost it
    delay            seconds before every answer
    """

    rate_limited: int = 0
    retry_after: int = 1
    server_errors: int = 0
    lost_answers: int = 0
    delay: float = 0.0


def app(
    outbox: Outbox,
    *,
    services: Mapping[str, str],
    faults: PagerDutyFaults | None = None,
    clock: Callable[[], datetime] = utc_now,
) -> Starlette:
    """services: {name as people know it: integration key}."""
    front = _Front(outbox, services=services, faults=faults or PagerDutyFaults(), clock=clock)
    return Starlette(
        routes=[
            Route("/v2/enqueue", front.enqueue, methods=["POST"]),
            Route("/_incidents", front.incidents),
            faults_route(front.faults),
        ]
    )


class _Front:
    def __init__(
        self, outbox: Outbox, *, services: Mapping[str, str], faults: PagerDutyFaults, clock: Callable[[], datetime]
    ) -> None:
        self._outbox, self._services, self.faults, self._clock = outbox, services, faults, clock
        self._stand: dict[str, str] | None = None

    async def incidents(self, _: Request) -> Response:
        return JSONResponse(self._states())

    async def enqueue(self, request: Request) -> Response:
        await asyncio.sleep(self.faults.delay)
        if self.faults.take("rate_limited"):
            return PlainTextResponse("", 429, {"Retry-After": str(self.faults.retry_after)})
        if self.faults.take("server_errors"):
            return PlainTextResponse("Internal Server Error", 500)
        body = await request.body()
        if len(body) > MOST_BYTES:
            return _invalid("Event size exceeds 512 KB")
        try:
            event = orjson.loads(body)
        except orjson.JSONDecodeError:
            event = None
        if not isinstance(event, dict):
            return _invalid("JSON is invalid")
        if errors := complaints(event):
            return _invalid(*errors)
        key = str(event.get("dedup_key") or f"made-up-{self._outbox.counts()['pagerduty'] + 1}")
        lost = self.faults.take("lost_answers")
        self._keep(event, key, answered=not lost)
        if lost:
            return PlainTextResponse("", 502)
        return JSONResponse({"status": "success", "message": "Event processed", "dedup_key": key}, 202)

    def _keep(self, event: Mapping[str, Any], key: str, *, answered: bool) -> None:
        routing_key = str(event["routing_key"]).encode()
        known = [name for name, own in self._services.items() if hmac.compare_digest(own.encode(), routing_key)]
        if not known:
            return  # as PagerDuty does: 202, and nobody is ever called
        action, state = str(event["event_action"]), self._states().get(key)
        changes = (action, state) in CHANGES
        payload = event.get("payload") or {}
        self._outbox.add(
            "pagerduty" if changes else "pagerduty_repeat",
            at=self._clock(),
            address=known[0],
            shown=known[0],
            subject=str(payload.get("summary") or f"{action} {key}"),
            answered=answered,
            body={
                "dedup_key": key,
                "event_action": action,
                "state": STATES[action] if changes else state,
                "payload": payload,
                "links": event.get("links") or [],
            },
        )
        if changes:
            self._states()[key] = STATES[action]

    def _states(self) -> dict[str, str]:
        """The incidents there have been, and how each stands; nobody else writes them, so they are read once."""
        if self._stand is None:
            events = [each for each in self._outbox.arrivals(limit=-1) if each.kind == "pagerduty"]
            self._stand = {each.body["dedup_key"]: each.body["state"] for each in reversed(events)}
        return self._stand


def complaints(event: Mapping[str, Any]) -> list[str]:
    """What PagerDuty would say of an event it cannot take; empty where it would take it."""
    found = []
    routing_key, action, payload = event.get("routing_key"), event.get("event_action"), event.get("payload")
    if not isinstance(routing_key, str) or len(routing_key) != KEY_LENGTH:
        found.append(f"Length of 'routing_key' is incorrect (should be {KEY_LENGTH} characters)")
    if action not in STATES:
        found.append("'event_action' is missing or invalid (should be one of trigger, acknowledge, resolve)")
    key = event.get("dedup_key")
    if key is not None and (not isinstance(key, str) or len(key) > 255):
        found.append("'dedup_key' is too long (should be at most 255 characters)")
    if action in ("acknowledge", "resolve") and not key:
        found.append("'dedup_key' is missing or blank")
    if action == "trigger":
        given = payload if isinstance(payload, dict) else {}
        found += [f"'payload.{name}' is missing or blank" for name in ("summary", "source") if not given.get(name)]
        if given.get("severity") not in SEVERITIES:
            found.append(f"'payload.severity' is invalid (must be one of the following: {', '.join(SEVERITIES)})")
    return found


def _invalid(*errors: str) -> Response:
    return JSONResponse({"status": "invalid event", "message": "Event object is invalid", "errors": list(errors)}, 400)
