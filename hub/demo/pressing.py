"""What people do in the demo's Slack: press a button, choose from a menu, type a command, open the App Home.

    POST /press     {user, action_id, channel, ts | answer: number | home: true, value?, block_id?}
    POST /command   {user, text}
    POST /home      {user}
    POST /response/<token>   where the hub answers them (five times within half an hour, as Slack has it)

Bodies are JSON or forms. Each sends the hub a request signed as Slack signs. A button must stand where it is said to be
pressed, a choice must be one of the menu's. Answers to JSON are {status: the hub's, or 0 where it cannot be reached}; a form
leads back to the outbox.
"""

import asyncio
import hashlib
import hmac
import http.client
import json
import secrets
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.parse import parse_qsl, quote, urlencode, urlsplit
from urllib.request import Request as HttpRequest
from urllib.request import urlopen

import orjson
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from hub.demo.outbox import Arrival, Outbox
from hub.demo.uploads import Refused
from hub.demo.workspace import TEAM, Workspace

USES, OPEN_FOR = 5, timedelta(minutes=30)


@dataclass(slots=True)
class _Ear:
    """Where an answer to one press goes."""

    user: str
    channel: str
    until: datetime
    left: int = USES
    answer: int | None = None  # the ephemeral message that was pressed in


class Hand:
    """hub_url: where the hub listens. prefix: below which path this workspace is served."""

    def __init__(
        self,
        workspace: Workspace,
        outbox: Outbox,
        *,
        hub_url: str,
        signing_secret: str,
        prefix: str,
        clock: Callable[[], datetime],
    ) -> None:
        self._workspace, self._outbox, self._clock = workspace, outbox, clock
        self._hub_url, self._secret, self._prefix = hub_url.rstrip("/"), signing_secret, prefix
        self._ears: dict[str, _Ear] = {}

    def routes(self) -> list[Route]:
        return [
            Route("/press", self._endpoint(self.press), methods=["POST"]),
            Route("/command", self._endpoint(self.command), methods=["POST"]),
            Route("/home", self._endpoint(self.home), methods=["POST"]),
            Route("/response/{token}", self.respond, methods=["POST"]),
        ]

    def _endpoint(self, do: Callable[[Mapping[str, Any], str], Any]) -> Callable[[Request], Any]:
        async def receive(request: Request) -> Response:
            body = await request.body()
            is_form = "json" not in request.headers.get("content-type", "")
            given = dict(parse_qsl(body.decode())) if is_form else orjson.loads(body)
            try:
                if given.get("user") not in self._workspace.members():
                    raise Refused("user_not_found")
                status = await do(given, str(request.base_url).rstrip("/") + self._prefix)
            except Refused as refused:
                return JSONResponse(refused.answer, 400)
            if is_form:
                await asyncio.sleep(0.8)  # the hub's work comes after its answer: let the page show it
                return RedirectResponse(_back(request, given["user"]), 303)
            return JSONResponse({"status": status})

        return receive

    async def press(self, given: Mapping[str, Any], url: str) -> int:
        arrival = self._pressed(given)
        block, element = _element(arrival.body["blocks"], given)
        action = {key: element[key] for key in ("type", "action_id")} | {
            "block_id": block.get("block_id", ""),
            "action_ts": f"{self._clock().timestamp():.6f}",
        }
        action |= self._chosen(element, given)
        user = str(given["user"])
        payload: dict[str, Any] = {
            "type": "block_actions",
            "team": {"id": TEAM, "domain": "northbeam-demo"},
            "user": {"id": user, "name": self._workspace.name_of(user), "team_id": TEAM},
            "api_app_id": "A0CSHUBDEMO",
            "trigger_id": _trigger(),
            "actions": [action],
        }
        if arrival.kind == "slack_home":
            payload |= {
                "container": {"type": "view", "view_id": arrival.body["view_id"]},
                "view": {"id": arrival.body["view_id"], "type": "home"},
            }
        else:
            answer = arrival.number if arrival.kind == "slack_answer" else None
            ts = str(arrival.body.get("ts") or f"{arrival.number}.000000")
            payload |= {
                "container": {"type": "message", "message_ts": ts, "channel_id": arrival.address}
                | {"is_ephemeral": answer is not None},
                "channel": {"id": arrival.address, "name": arrival.shown.lstrip("#@")},
                "message": {"ts": ts, "text": arrival.body.get("text", ""), "blocks": arrival.body["blocks"]},
                "response_url": self._listen(user, arrival.address, url, answer=answer),
            }
        return await self._send("/slack/interactivity", {"payload": json.dumps(payload)})

    def _pressed(self, given: Mapping[str, Any]) -> Arrival:
        found = None
        if given.get("home"):
            found = self._outbox.newest("slack_home", str(given["user"]))
        elif given.get("answer"):
            found = self._outbox.numbered(int(given["answer"]))
        else:
            found = self._outbox.current(address=str(given.get("channel")), ts=str(given.get("ts")))
        if found is None:
            raise Refused("message_not_found")
        return found

    def _chosen(self, element: Mapping[str, Any], given: Mapping[str, Any]) -> Mapping[str, Any]:
        value = str(given.get("value", ""))
        if element["type"] == "users_select":
            if value not in self._workspace.members():
                raise Refused("user_not_found")
            return {"selected_user": value}
        if element["type"] in ("static_select", "overflow"):
            options = [each for each in element["options"] if each["value"] == value]
            if not options:
                raise Refused("no_such_option", options=[each["value"] for each in element["options"]])
            return {"selected_option": options[0]}
        return {"value": element["value"]} if "value" in element else {}

    async def command(self, given: Mapping[str, Any], url: str) -> int:
        user = str(given["user"])
        form = {
            "command": "/cshub",
            "text": str(given.get("text", "")),
            "user_id": user,
            "user_name": self._workspace.name_of(user),
            "team_id": TEAM,
            "channel_id": "C0000000000",
            "channel_name": "anywhere",
            "trigger_id": _trigger(),
            "response_url": self._listen(user, "C0000000000", url),
        }
        return await self._send("/slack/commands", form)

    async def home(self, given: Mapping[str, Any], url: str) -> int:
        event = {"type": "app_home_opened", "user": given["user"], "channel": "D0000000000", "tab": "home"}
        body = {"type": "event_callback", "team_id": TEAM, "event_id": f"Ev{secrets.token_hex(6)}", "event": event}
        return await self._send("/slack/events", body)

    async def respond(self, request: Request) -> Response:
        """What the hub tells who pressed."""
        ear = self._ears.get(request.path_params["token"])
        if ear is None or ear.left == 0 or ear.until <= self._clock():
            return JSONResponse({"ok": False, "error": "used_url" if ear else "invalid_url"}, 404)
        ear.left -= 1
        message = orjson.loads(await request.body())
        replaces = ear.answer if message.get("replace_original") or message.get("delete_original") else None
        body = {
            "text": message.get("text", ""),
            "blocks": message.get("blocks") or [],
            "replaces": replaces,
            "deleted": bool(message.get("delete_original")),
        }
        name = self._workspace.name_of(ear.user)
        shown = f"only {name}"
        number = self._outbox.add(
            "slack_answer", at=self._clock(), address=ear.user, shown=shown, subject=str(body["text"])[:200], body=body
        )
        return JSONResponse({"ok": True, "number": number})

    def _listen(self, user: str, channel: str, url: str, *, answer: int | None = None) -> str:
        token = secrets.token_urlsafe(18)
        self._ears[token] = _Ear(user, channel, self._clock() + OPEN_FOR, answer=answer)
        return f"{url}/response/{token}"

    async def _send(self, path: str, body: Mapping[str, Any]) -> int:
        """Signed as Slack signs: forms, but JSON for events."""
        as_json = path.endswith("/events")
        raw = json.dumps(body).encode() if as_json else urlencode(body).encode()
        stamp = str(int(self._clock().timestamp()))
        mac = hmac.new(self._secret.encode(), f"v0:{stamp}:".encode() + raw, hashlib.sha256).hexdigest()
        headers = {
            "Content-Type": "application/json" if as_json else "application/x-www-form-urlencoded",
            "X-Slack-Request-Timestamp": stamp,
            "X-Slack-Signature": f"v0={mac}",
        }
        request = HttpRequest(f"{self._hub_url}{path}", data=raw, headers=headers)  # noqa: S310  the demo's own hub
        return await asyncio.to_thread(_status, request)


def _back(request: Request, user: str) -> str:
    """To the outbox as it was looked at, where the browser says how that was."""
    came = urlsplit(request.headers.get("referer", ""))
    if came.path == "/outbox" and f"as={quote(user)}" in came.query.split("&"):
        return f"/outbox?{came.query}"
    return f"/outbox?as={quote(user)}"


def _status(request: HttpRequest) -> int:
    try:
        with urlopen(request, timeout=10) as answer:  # noqa: S310  the same
            return int(answer.status)
    except HTTPError as error:
        error.close()
        return error.code
    except (URLError, OSError, http.client.HTTPException):
        return 0


def _element(blocks: list[Mapping[str, Any]], given: Mapping[str, Any]) -> tuple[Mapping[str, Any], Mapping[str, Any]]:
    """The block and the element that were pressed."""
    for block, element in elements(blocks):
        same_block = not given.get("block_id") or given["block_id"] == block.get("block_id")
        if same_block and element.get("action_id") == given.get("action_id"):
            return block, element
    there = [f"{element.get('action_id')}" for _, element in elements(blocks)]
    raise Refused("no_such_button", there=there)


def elements(blocks: list[Mapping[str, Any]]) -> Iterator[tuple[Mapping[str, Any], Mapping[str, Any]]]:
    """What can be pressed, with its block."""
    for block in blocks:
        found = block.get("elements") if block["type"] == "actions" else [block.get("accessory")]
        yield from ((block, each) for each in found or () if each)


def _trigger() -> str:
    return f"{secrets.randbelow(10**12)}.{secrets.randbelow(10**12)}.{secrets.token_hex(8)}"
