"""The receiver of Slack's requests: buttons at /slack/interactivity, /cshub at /slack/commands, events at /slack/events.

Every request is checked over its raw bytes before anything is read from it. What is genuine is kept in the inbox and answered
at once, as Slack wants it within three seconds; the work comes after. The same request twice is answered and done once.
Without a signing secret there is nothing here (404).
"""

import hashlib
from collections.abc import Awaitable, Callable, Iterator, Mapping
from datetime import datetime
from typing import Any, Protocol
from urllib.parse import parse_qs

import orjson
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from hub.web.receiving import Routes, TooLargeError, body_of, content_type
from hub.web.slack_signature import is_genuine

LARGEST_BODY = 1_000_000
FORM, JSON = "application/x-www-form-urlencoded", "application/json"
PREFIX = "cshub."
Handler = Callable[[bytes, str], Awaitable[Response]]


class Takes(Protocol):
    """The inbox: keeps a request and sees to it; False where it came before."""

    async def take(self, id_: str, *, kind: str, payload: Mapping[str, Any]) -> bool: ...


class _NotUnderstoodError(Exception):
    """Genuine, and of no shape that we know."""


def routes(inbox: Takes, *, signing_secret: str, clock: Callable[[], datetime]) -> Routes:
    receiver = _Receiver(inbox, signing_secret, clock)
    return [
        Route("/slack/interactivity", receiver.endpoint(receiver.interaction, FORM), methods=["POST"]),
        Route("/slack/commands", receiver.endpoint(receiver.command, FORM), methods=["POST"]),
        Route("/slack/events", receiver.endpoint(receiver.event, JSON), methods=["POST"]),
    ]


class _Receiver:
    def __init__(self, inbox: Takes, secret: str, clock: Callable[[], datetime]) -> None:
        self._inbox, self._secret, self._clock = inbox, secret, clock

    def endpoint(self, handler: Handler, type_: str) -> Callable[[Request], Awaitable[Response]]:
        async def receive(request: Request) -> Response:
            try:
                body = await body_of(request, most=LARGEST_BODY)
            except TooLargeError:
                return PlainTextResponse("too large", 413)
            if not is_genuine(self._secret, request.headers, body, now=self._clock()):
                return PlainTextResponse("the signature does not fit, or is too old", 401)
            if content_type(request) != type_:
                return PlainTextResponse(f"must be {type_}", 415)
            try:
                return await handler(body, request.headers["x-slack-signature"])
            except (_NotUnderstoodError, ValueError):  # no JSON, no UTF-8, more fields than Slack sends
                return PlainTextResponse("not understood", 400)

        return receive

    async def interaction(self, body: bytes, signature: str) -> Response:
        payload = _object(orjson.loads(_field(body, "payload")))
        if payload.get("type") == "block_actions":
            for number, (action, kept) in enumerate(_actions(payload)):
                id_ = _id("trigger", payload.get("trigger_id"), signature, more=f":{number}:{action}")
                await self._inbox.take(id_, kind="action", payload=kept)
        return Response(status_code=200)

    async def command(self, body: bytes, signature: str) -> Response:
        if _field(body, "ssl_check", "") == "1":
            return Response(status_code=200)
        kept = {
            "user": _field(body, "user_id"),
            "text": _field(body, "text", "")[:1_000],
            "response_url": _field(body, "response_url"),
        }
        await self._inbox.take(_id("trigger", _field(body, "trigger_id", ""), signature), kind="command", payload=kept)
        return Response(status_code=200)

    async def event(self, body: bytes, signature: str) -> Response:
        payload = _object(orjson.loads(body))
        if payload.get("type") == "url_verification":
            return JSONResponse({"challenge": str(payload.get("challenge", ""))})
        event = payload.get("event")
        if isinstance(event, dict) and event.get("type") == "app_home_opened" and event.get("tab", "home") == "home":
            id_ = _id("event", payload.get("event_id"), signature)
            await self._inbox.take(id_, kind="event", payload={"user": str(event.get("user", ""))})
        return Response(status_code=200)


def _actions(payload: Mapping[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Our buttons among what was pressed: (name, what is needed of it). A button that is only a link needs nothing done."""
    user = payload.get("user")
    actions = payload.get("actions") or ()
    if not isinstance(actions, list | tuple):
        raise _NotUnderstoodError("actions")
    for action in actions:
        name = str(_object(action).get("action_id", ""))
        if not name.startswith(PREFIX) or name == f"{PREFIX}open" or not isinstance(user, dict):
            continue
        option = action.get("selected_option")
        value = option.get("value") if isinstance(option, dict) else action.get("value")
        yield (
            name,
            {
                "user": str(user.get("id", "")),
                "name": name.removeprefix(PREFIX),
                "block": str(action.get("block_id", "")),
                "value": str(value or ""),
                "chosen": action.get("selected_user"),
                "response_url": payload.get("response_url"),
            },
        )


def _id(kind: str, given: object, signature: str, *, more: str = "") -> str:
    """What Slack calls the request; where it calls it nothing, its signature."""
    name = f"{kind}:{given}" if given else f"signature:{signature}"
    return f"{kind}:{hashlib.sha256(f'{name}{more}'.encode()).hexdigest()}"


def _field(body: bytes, name: str, default: str | None = None) -> str:
    values = parse_qs(body.decode(), keep_blank_values=True, max_num_fields=50).get(name)
    if values is None and default is None:
        raise _NotUnderstoodError(name)
    return values[0] if values else default or ""


def _object(value: object) -> Mapping[str, Any]:
    if not isinstance(value, dict):
        raise _NotUnderstoodError
    return value
