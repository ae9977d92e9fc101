"""Pressing in the demo's Slack: requests signed as Slack signs, from buttons that really stand there."""

import hashlib
import hmac
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Mount, Route

from hub.demo import page, slack
from hub.demo.outbox import Outbox
from hub.demo.workspace import user_id
from tests.fakes.serving import serving

PEOPLE = {"ines.costa@northbeam.example": "Ines Costa", "leo@northbeam.example": "Leo <Lang>"}
INES, LEO = map(user_id, PEOPLE)
SECRET = "what-slack-signs-with"
BLOCKS = [
    {
        "type": "actions",
        "block_id": "cshub.run:1",
        "elements": [
            {"type": "button", "action_id": "cshub.acknowledge", "text": {"type": "plain_text", "text": "Acknowledge"}},
            {
                "type": "static_select",
                "action_id": "cshub.snooze",
                "placeholder": {"type": "plain_text", "text": "Snooze"},
                "options": [{"text": {"type": "plain_text", "text": "1 day"}, "value": "1d"}],
            },
            {
                "type": "users_select",
                "action_id": "cshub.assign",
                "placeholder": {"type": "plain_text", "text": "Assign"},
            },
        ],
    }
]


class Desk:
    """A hub that keeps what it was sent."""

    def __init__(self) -> None:
        self.got: list[tuple[str, dict[str, str], bytes]] = []

    async def take(self, request: Request) -> Response:
        self.got.append((request.url.path, dict(request.headers), await request.body()))
        return Response(status_code=200)

    def payload(self) -> dict[str, Any]:
        made: dict[str, Any] = json.loads(parse_qs(self.got[-1][2].decode())["payload"][0])
        return made


class Place:
    def __init__(self, client: httpx.AsyncClient, outbox: Outbox, desk: Desk) -> None:
        self.client, self.outbox, self.desk = client, outbox, desk

    async def posted(self) -> dict[str, str]:
        body = {"channel": "#cs", "text": "Hello", "blocks": BLOCKS}
        answer = (await self.client.post("/slack/api/chat.postMessage", json=body)).json()
        return {"channel": answer["channel"], "ts": answer["ts"]}


@pytest.fixture
async def place(tmp_path: Path) -> AsyncIterator[Place]:
    desk, outbox = Desk(), Outbox(tmp_path / "outbox.db")
    hub = Starlette(routes=[Route("/slack/{what}", desk.take, methods=["POST"])])
    async with serving(hub) as hub_url:
        inner = slack.app(
            outbox, token="t", people=lambda: PEOPLE, hub_url=hub_url, signing_secret=SECRET, prefix="/slack"
        )
        app = Starlette(routes=[Mount("/slack", inner), *page.routes(outbox, people=lambda: PEOPLE)])
        headers = {"Authorization": "Bearer t"}
        async with serving(app) as url, httpx.AsyncClient(base_url=url, headers=headers) as client:
            yield Place(client, outbox, desk)
    outbox.close()


async def test_a_press_is_what_slack_would_send(place: Place) -> None:
    where = await place.posted()
    pressed = await place.client.post("/slack/press", json={"user": INES, "action_id": "cshub.acknowledge", **where})
    assert pressed.json() == {"status": 200}
    [(path, headers, body)] = place.desk.got
    assert path == "/slack/interactivity"
    stamp = headers["x-slack-request-timestamp"]
    mac = hmac.new(SECRET.encode(), f"v0:{stamp}:".encode() + body, hashlib.sha256).hexdigest()
    assert headers["x-slack-signature"] == f"v0={mac}"
    payload = place.desk.payload()
    assert (payload["type"], payload["user"]["id"]) == ("block_actions", INES)
    assert payload["container"] == {
        "type": "message",
        "message_ts": where["ts"],
        "channel_id": where["channel"],
        "is_ephemeral": False,
    }
    [action] = payload["actions"]
    assert (action["action_id"], action["block_id"]) == ("cshub.acknowledge", "cshub.run:1")


async def test_choices_are_the_menu_s(place: Place) -> None:
    where = await place.posted()
    await place.client.post("/slack/press", json={"user": INES, "action_id": "cshub.snooze", "value": "1d", **where})
    assert place.desk.payload()["actions"][0]["selected_option"]["value"] == "1d"
    await place.client.post("/slack/press", json={"user": INES, "action_id": "cshub.assign", "value": LEO, **where})
    assert place.desk.payload()["actions"][0]["selected_user"] == LEO


@pytest.mark.parametrize(
    ("changed", "error"),
    [
        ({"action_id": "cshub.other"}, "no_such_button"),
        ({"action_id": "cshub.snooze", "value": "9d"}, "no_such_option"),
        ({"action_id": "cshub.assign", "value": "U0"}, "user_not_found"),
        ({"user": "U0"}, "user_not_found"),
        ({"ts": "1.0"}, "message_not_found"),
        ({"answer": 99}, "message_not_found"),
        ({"home": True}, "message_not_found"),
    ],
)
async def test_what_is_not_there_can_not_be_pressed(place: Place, changed: dict[str, Any], error: str) -> None:
    where = await place.posted()
    body = {"user": INES, "action_id": "cshub.acknowledge", **where, **changed}
    refused = await place.client.post("/slack/press", json=body)
    assert (refused.status_code, refused.json()["error"]) == (400, error)
    assert place.desk.got == []


async def test_an_answer_is_taken_five_times(place: Place) -> None:
    where = await place.posted()
    await place.client.post("/slack/press", json={"user": INES, "action_id": "cshub.acknowledge", **where})
    url = place.desk.payload()["response_url"]
    statuses = [(await place.client.post(url, json={"text": f"{n}"})).status_code for n in range(6)]
    assert statuses == [200] * 5 + [404]
    told = [each for each in place.outbox.arrivals() if each.kind == "slack_answer"]
    assert [(each.shown, each.body["text"]) for each in told][:1] == [("only Ines Costa", "4")]
    assert (await place.client.post("/slack/response/made-up", json={"text": "x"})).status_code == 404


async def test_commands_and_homes(place: Place) -> None:
    await place.client.post("/slack/command", json={"user": INES, "text": "Acme & Co"})
    form = parse_qs(place.desk.got[-1][2].decode())
    assert (form["command"], form["text"], form["user_id"]) == (["/cshub"], ["Acme & Co"], [INES])
    await place.client.post("/slack/home", json={"user": LEO})
    path, headers, body = place.desk.got[-1]
    assert (path, headers["content-type"]) == ("/slack/events", "application/json")
    assert json.loads(body)["event"] == {
        "type": "app_home_opened",
        "user": LEO,
        "channel": "D0000000000",
        "tab": "home",
    }


async def test_the_page_has_buttons_that_press(place: Place) -> None:
    where = await place.posted()
    shown = (await place.client.get("/outbox", params={"as": LEO})).text
    assert "<strong>Leo &lt;Lang&gt;</strong>" in shown
    assert 'action="/slack/press"' in shown
    assert f'name="ts" value="{where["ts"]}"' in shown
    form = {"user": LEO, "action_id": "cshub.acknowledge", **where}
    back = await place.client.post("/slack/press", data=form)
    assert (back.status_code, back.headers["location"]) == (303, f"/outbox?as={LEO}")
    assert place.desk.payload()["user"]["id"] == LEO


async def test_a_hub_that_is_not_there(tmp_path: Path) -> None:
    outbox = Outbox(tmp_path / "outbox.db")
    app = slack.app(outbox, token="t", people=lambda: PEOPLE, hub_url="http://127.0.0.1:1", signing_secret=SECRET)
    async with serving(app) as url, httpx.AsyncClient(base_url=url) as client:
        assert (await client.post("/command", json={"user": INES, "text": "x"})).json() == {"status": 0}
    outbox.close()
