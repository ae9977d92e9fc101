"""Slack's signatures: only what Slack signed lately is taken, once, and read only after that."""

import hashlib
import hmac
import json
from collections.abc import AsyncIterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

import httpx
import pytest
from starlette.applications import Starlette

from hub.web.slack import LARGEST_BODY, routes
from hub.web.slack_signature import is_genuine
from tests.fakes.serving import serving

SECRET = "8f742231b10e8888abcd99yyyzzz85a5"
NOW = datetime(2026, 11, 22, 9, tzinfo=UTC)
FORM = "application/x-www-form-urlencoded"
PRESS = {
    "type": "block_actions",
    "user": {"id": "U1"},
    "trigger_id": "1.2.a",
    "response_url": "https://hooks.slack.com/actions/x",
    "actions": [{"action_id": "cshub.acknowledge", "block_id": "cshub.run:run_1", "value": ""}],
}


class Inbox:
    def __init__(self) -> None:
        self.taken: dict[str, tuple[str, Mapping[str, Any]]] = {}

    async def take(self, id_: str, *, kind: str, payload: Mapping[str, Any]) -> bool:
        return self.taken.setdefault(id_, (kind, payload)) is not None


class Receiver:
    def __init__(self, client: httpx.AsyncClient, inbox: Inbox) -> None:
        self.client, self.inbox = client, inbox

    @property
    def got(self) -> list[Mapping[str, Any]]:
        return [payload for _, payload in self.inbox.taken.values()]

    async def send(
        self, path: str, body: bytes, *, kind: str = FORM, at: datetime = NOW, secret: str = SECRET, **changed: str
    ) -> httpx.Response:
        stamp = str(int(at.timestamp()))
        mac = hmac.new(secret.encode(), b"v0:" + stamp.encode() + b":" + body, hashlib.sha256).hexdigest()
        headers = {"content-type": kind, "x-slack-request-timestamp": stamp, "x-slack-signature": f"v0={mac}"}
        headers |= {name.replace("_", "-"): value for name, value in changed.items()}
        return await self.client.post(path, content=body, headers=headers)


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    inbox = Inbox()
    app = Starlette(routes=routes(inbox, signing_secret=SECRET, clock=lambda: NOW))
    async with serving(app) as url, httpx.AsyncClient(base_url=url) as client:
        yield Receiver(client, inbox)


def press(**changed: Any) -> bytes:
    return urlencode({"payload": json.dumps({**PRESS, **changed})}).encode()


def test_the_signature_that_slack_documents() -> None:
    """The example of Slack's own documentation; its digest was computed with OpenSSL."""
    body = (
        b"token=xyzz0WbapA4vBCDEFasx0q6G&team_id=T1DC2JH3J&team_domain=testteamnow&channel_id=G8PSS9T3V"
        b"&channel_name=foobar&user_id=U2CERLKJA&user_name=roadrunner&command=%2Fwebhook-collect&text="
        b"&response_url=https%3A%2F%2Fhooks.slack.com%2Fcommands%2FT1DC2JH3J%2F397700885554%2F96rGlfmibIGlgcZRskXaIFfN"
        b"&trigger_id=398738663015.47445629121.803a0bc887a14d10d2c447fce8b6703c"
    )
    headers = {
        "x-slack-request-timestamp": "1531420618",
        "x-slack-signature": "v0=a2114d57b48eac39b9ad189dd8316235a7b4a8d21a10bd27519666489c69b503",
    }
    at = datetime.fromtimestamp(1531420618, UTC)
    assert is_genuine(SECRET, headers, body, now=at)
    assert not is_genuine(SECRET, headers, body + b" ", now=at)
    assert not is_genuine(SECRET[:-1], headers, body, now=at)


async def test_a_press_is_taken_with_what_is_needed_of_it(receiver: Receiver) -> None:
    response = await receiver.send("/slack/interactivity", press())
    assert (response.status_code, response.content) == (200, b"")
    assert receiver.got == [
        {
            "user": "U1",
            "name": "acknowledge",
            "block": "cshub.run:run_1",
            "value": "",
            "chosen": None,
            "response_url": "https://hooks.slack.com/actions/x",
        }
    ]


@pytest.mark.parametrize("age", [timedelta(minutes=5, seconds=1), -timedelta(minutes=5, seconds=1)])
async def test_old_and_future_requests_are_refused(receiver: Receiver, age: timedelta) -> None:
    response = await receiver.send("/slack/interactivity", press(), at=NOW - age)
    assert response.status_code == 401
    assert receiver.got == []
    assert (await receiver.send("/slack/interactivity", press(), at=NOW - timedelta(minutes=5))).status_code == 200


@pytest.mark.parametrize(
    "changed",
    [
        {"x_slack_signature": "v0="},
        {"x_slack_signature": "v1=" + "0" * 64},
        {"x_slack_signature": "\u00e9"},
        {"x_slack_request_timestamp": ""},
        {"x_slack_request_timestamp": "1e9"},
        {"x_slack_request_timestamp": "\u0661"},
        {"x_slack_request_timestamp": "-5"},
        {"x_slack_request_timestamp": "9" * 400},
    ],
)
async def test_headers_that_do_not_fit_are_refused(receiver: Receiver, changed: dict[str, Any]) -> None:
    sent = {name: value.encode() for name, value in changed.items()}
    response = await receiver.send("/slack/interactivity", press(), **sent)
    assert response.status_code == 401
    assert receiver.got == []


async def test_another_secret_is_refused_and_not_repeated(receiver: Receiver) -> None:
    response = await receiver.send("/slack/commands", b"user_id=U1&response_url=x", secret="another secret")
    assert response.status_code == 401
    assert SECRET not in response.text
    assert (await receiver.client.post("/slack/commands", content=b"x")).status_code == 401
    assert receiver.got == []


async def test_the_same_request_twice_is_answered_and_taken_once(receiver: Receiver) -> None:
    for _ in range(2):
        assert (await receiver.send("/slack/interactivity", press())).status_code == 200
    assert len(receiver.got) == 1
    later = NOW + timedelta(seconds=30)  # sent anew by Slack: other bytes of signature, the same trigger
    assert (await receiver.send("/slack/interactivity", press(), at=later)).status_code == 200
    assert len(receiver.got) == 1
    await receiver.send("/slack/interactivity", press(trigger_id="1.2.b"))
    assert len(receiver.got) == 2


async def test_a_body_is_read_to_its_limit(receiver: Receiver) -> None:
    response = await receiver.send("/slack/interactivity", b"x" * (LARGEST_BODY + 1))
    assert response.status_code == 413
    assert receiver.got == []


async def test_a_wrong_content_type_is_refused(receiver: Receiver) -> None:
    assert (await receiver.send("/slack/interactivity", press(), kind="application/json")).status_code == 415
    assert (await receiver.send("/slack/events", b"{}", kind=FORM)).status_code == 415
    assert receiver.got == []


@pytest.mark.parametrize(
    "body", [b"", b"payload=", b"payload=[]", b"payload={", b"payload=%FF", b"other=1", b"a=1&" * 60]
)
async def test_what_is_signed_and_makes_no_sense_is_refused(receiver: Receiver, body: bytes) -> None:
    assert (await receiver.send("/slack/interactivity", body)).status_code == 400
    assert receiver.got == []


@pytest.mark.parametrize("actions", [5, "abc", {"a": 1}, ["x"]])
async def test_actions_of_no_shape_that_we_know_are_refused(receiver: Receiver, actions: object) -> None:
    assert (await receiver.send("/slack/interactivity", press(actions=actions))).status_code == 400
    assert receiver.got == []


async def test_what_is_not_ours_is_answered_and_left(receiver: Receiver) -> None:
    for body in (
        press(actions=[{"action_id": "other.button"}]),
        press(actions=[{"action_id": "cshub.open", "block_id": "cshub.run:r"}]),
        press(type="view_closed"),
        press(actions=[]),
    ):
        assert (await receiver.send("/slack/interactivity", body)).status_code == 200
    assert receiver.got == []


async def test_the_address_of_events_is_verified(receiver: Receiver) -> None:
    body = json.dumps({"type": "url_verification", "challenge": "abc"}).encode()
    assert (await receiver.send("/slack/events", body, kind="application/json")).json() == {"challenge": "abc"}
    refused = await receiver.send("/slack/events", body, kind="application/json", secret="another secret")
    assert refused.status_code == 401


async def test_an_opened_home_is_taken_once_an_event(receiver: Receiver) -> None:
    event = {
        "type": "event_callback",
        "event_id": "Ev1",
        "event": {"type": "app_home_opened", "user": "U1", "tab": "home"},
    }
    for tab in ("home", "home", "messages"):
        event["event"]["tab"] = tab  # type: ignore[index]  # a dict in a dict
        response = await receiver.send("/slack/events", json.dumps(event).encode(), kind="application/json")
        assert response.status_code == 200
    assert receiver.got == [{"user": "U1"}]


async def test_a_command_is_taken(receiver: Receiver) -> None:
    form = {"command": "/cshub", "text": "Acme", "user_id": "U1", "response_url": "https://h/x", "trigger_id": "t"}
    assert (await receiver.send("/slack/commands", urlencode(form).encode())).status_code == 200
    assert receiver.got == [{"user": "U1", "text": "Acme", "response_url": "https://h/x"}]
    assert (await receiver.send("/slack/commands", b"ssl_check=1")).status_code == 200
    assert len(receiver.got) == 1


async def test_only_posts_are_heard(receiver: Receiver) -> None:
    assert (await receiver.client.get("/slack/interactivity")).status_code == 405
