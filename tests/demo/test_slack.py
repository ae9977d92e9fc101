"""The demo's Slack over real HTTP: what it takes, what it refuses, and what it loses on purpose."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest

from hub.demo import slack
from hub.demo.outbox import Outbox
from hub.demo.slack import Pace, SlackFaults
from hub.demo.workspace import Workspace
from tests.fakes.serving import serving

TOKEN = "xoxb-demo"
PEOPLE = {"ines.costa@northbeam.example": "Ines Costa"}


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


class Place:
    """The workspace, served, and a client that holds its token."""

    def __init__(self, client: httpx.AsyncClient, outbox: Outbox, faults: SlackFaults, clock: Clock) -> None:
        self.client, self.outbox, self.faults, self.clock = client, outbox, faults, clock

    async def call(self, method: str, **arguments: Any) -> dict[str, Any]:
        response = await self.client.post(f"/api/{method}", json=arguments)
        assert response.status_code == 200
        answer: dict[str, Any] = response.json()
        return answer


@pytest.fixture
async def place(tmp_path: Path) -> AsyncIterator[Place]:
    outbox, faults, clock = Outbox(tmp_path / "outbox.db"), SlackFaults(), Clock()
    app = slack.app(
        outbox, token=TOKEN, people=lambda: PEOPLE, channels=("cs", "renewals"), faults=faults, burst=3, monotonic=clock
    )
    headers = {"Authorization": f"Bearer {TOKEN}"}
    async with serving(app) as url, httpx.AsyncClient(base_url=url, headers=headers) as client:
        yield Place(client, outbox, faults, clock)


async def test_a_message_is_kept_and_answered(place: Place) -> None:
    metadata = {"event_type": "cshub_delivery", "event_payload": {"dedup_key": "run-1/step-2"}}
    blocks = [{"type": "divider"}]
    answer = await place.call("chat.postMessage", channel="#cs", text="Hello", blocks=blocks, metadata=metadata)
    assert answer["ok"]
    [arrival] = place.outbox.arrivals()
    assert (arrival.kind, arrival.shown, arrival.dedup, arrival.answered) == ("slack", "#cs", "run-1/step-2", True)
    assert (arrival.address, arrival.body["ts"]) == (answer["channel"], answer["ts"])
    assert (arrival.body["text"], arrival.body["blocks"]) == ("Hello", blocks)
    again = await place.call("chat.postMessage", channel=answer["channel"], text="Again")
    assert again["channel"] == answer["channel"]
    assert again["ts"] > answer["ts"]


async def test_forms_are_taken_too(place: Place) -> None:
    form = {"channel": "cs", "text": "Hello", "blocks": '[{"type":"divider"}]'}
    answer = (await place.client.post("/api/chat.postMessage", data=form)).json()
    assert answer["message"]["blocks"] == [{"type": "divider"}]
    assert "warning" not in answer


async def test_json_without_a_charset_is_warned_about(place: Place) -> None:
    assert (await place.call("chat.postMessage", channel="cs", text="x"))["response_metadata"] == {
        "warnings": ["missing_charset"]
    }


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        ({"channel": "#nowhere", "text": "x"}, "channel_not_found"),
        ({"channel": "", "text": "x"}, "channel_not_found"),
        ({"channel": "cs"}, "no_text"),
        ({"channel": "cs", "text": "x" * 40_001}, "msg_too_long"),
        ({"channel": "cs", "text": "x", "blocks": [{"type": "divider"}] * 51}, "invalid_blocks"),
        ({"channel": "cs", "text": "x", "metadata": {"event_type": "e"}}, "invalid_metadata_format"),
    ],
)
async def test_what_is_refused_is_not_kept(place: Place, arguments: dict[str, Any], error: str) -> None:
    answer = await place.call("chat.postMessage", **arguments)
    assert (answer["ok"], answer["error"]) == (False, error)
    assert place.outbox.arrivals() == []


async def test_invalid_blocks_say_where(place: Place) -> None:
    answer = await place.call("chat.postMessage", channel="cs", text="x", blocks=[{"type": "section"}])
    assert answer["response_metadata"]["messages"] == [
        "[ERROR] missing required field: text or fields [json-pointer:/blocks/0]"
    ]


@pytest.mark.parametrize(
    ("headers", "body", "error"),
    [
        ({"Authorization": "Bearer xoxb-other"}, b'{"channel":"cs","text":"x"}', "invalid_auth"),
        ({"Authorization": ""}, b'{"channel":"cs","text":"x"}', "not_authed"),
        ({}, b"{", "invalid_json"),
        ({}, b"[]", "json_not_object"),
        ({"Content-Type": "text/plain"}, b"x", "invalid_post_type"),
    ],
)
async def test_calls_that_are_none(place: Place, headers: dict[str, str], body: bytes, error: str) -> None:
    headers = {"Content-Type": "application/json; charset=utf-8", **headers}
    response = await place.client.post("/api/chat.postMessage", content=body, headers=headers)
    assert (response.status_code, response.json()["error"]) == (200, error)
    assert place.outbox.arrivals() == []


async def test_unknown_methods_and_the_tests(place: Place) -> None:
    assert (await place.call("chat.shout"))["error"] == "unknown_method"
    assert (await place.client.get("/api/api.test", params={"foo": "bar"})).json() == {
        "ok": True,
        "args": {"foo": "bar"},
    }
    assert (await place.call("auth.test"))["user"] == "cshub"


async def test_a_person_is_found_and_written_to(place: Place) -> None:
    user = (await place.client.get("/api/users.lookupByEmail", params={"email": "ines.costa@northbeam.example"})).json()
    assert user["user"]["real_name"] == "Ines Costa"
    opened = await place.call("conversations.open", users=user["user"]["id"])
    posted = await place.call("chat.postMessage", channel=opened["channel"]["id"], text="Hi")
    assert posted["channel"] == opened["channel"]["id"]
    assert place.outbox.arrivals()[0].shown == "@Ines Costa"
    assert (await place.call("users.lookupByEmail", email="nobody@x.example"))["error"] == "users_not_found"
    assert (await place.call("conversations.open", users="U0"))["error"] == "user_not_found"
    assert (await place.call("conversations.open"))["error"] == "users_list_not_supplied"


async def test_an_update_needs_its_message(place: Place) -> None:
    posted = await place.call("chat.postMessage", channel="cs", text="open")
    where = {"channel": posted["channel"], "ts": posted["ts"]}
    assert (await place.call("chat.update", **where, text="closed"))["text"] == "closed"
    assert place.outbox.messages()[0].body["text"] == "closed"
    unknown = await place.call("chat.update", channel=posted["channel"], ts="1.0", text="x")
    assert unknown["error"] == "message_not_found"
    by_name = await place.call("chat.update", channel="#cs", ts=posted["ts"], text="x")
    assert by_name["error"] == "channel_not_found", "unlike chat.postMessage it takes ids alone"
    assert place.outbox.counts()["slack_update"] == 1


async def test_a_channel_fills_up_and_empties(place: Place) -> None:
    for _ in range(3):
        assert (await place.call("chat.postMessage", channel="cs", text="x"))["ok"]
    full = await place.client.post("/api/chat.postMessage", json={"channel": "#cs", "text": "x"})
    assert (full.status_code, full.headers["retry-after"], full.json()["error"]) == (429, "1", "ratelimited")
    assert (await place.call("chat.postMessage", channel="renewals", text="x"))["ok"]
    place.clock.now += 1
    assert (await place.call("chat.postMessage", channel="cs", text="x"))["ok"]
    assert place.outbox.counts()["slack"] == 5


async def test_faults_are_switched_on_and_count_down(place: Place) -> None:
    switched = await place.client.post("/_faults", json={"rate_limited": 1, "retry_after": 7, "server_errors": 1})
    assert switched.json()["retry_after"] == 7
    answers = [await place.client.post("/api/chat.postMessage", json={"channel": "cs", "text": "x"}) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [429, 503, 200]
    assert answers[0].headers["retry-after"] == "7"
    assert place.outbox.counts()["slack"] == 1
    refused = await place.client.post("/_faults", json={"explosions": 1})
    assert (refused.status_code, "dropped_answers" in refused.json()["error"]) == (400, True)


async def test_an_answer_can_be_lost_after_the_message_was_taken(place: Place) -> None:
    place.faults.dropped_answers = 1
    with pytest.raises(httpx.RemoteProtocolError):
        await place.call("chat.postMessage", channel="cs", text="x")
    [arrival] = place.outbox.arrivals()
    assert not arrival.answered
    assert (await place.call("chat.postMessage", channel="cs", text="y"))["ok"]


def test_the_pace_of_a_channel() -> None:
    """A burst, then the steady rate, never more than the burst saved up."""
    clock = Clock()
    pace = Pace(burst=2, per_second=0.5, monotonic=clock)
    assert [pace.wait("c"), pace.wait("c"), pace.wait("c")] == [0.0, 0.0, 2.0]
    clock.now += 1
    assert pace.wait("c") == 1.0
    clock.now += 1_000
    assert [pace.wait("c"), pace.wait("c"), pace.wait("c")] == [0.0, 0.0, 2.0]


async def test_channels_are_known_after_a_restart(tmp_path: Path) -> None:
    path = tmp_path / "outbox.db"
    outbox = Outbox(path)
    first = Workspace(outbox, people=dict, channels=None, clock=lambda: datetime(2026, 11, 2, tzinfo=UTC))
    posted = first.post({"channel": "#cs-alerts", "text": "one", "metadata": None}, answered=True)
    outbox.close()
    outbox = Outbox(path)
    again = Workspace(outbox, people=dict, channels=None, clock=lambda: datetime(2026, 11, 3, tzinfo=UTC))
    updated = again.update({"channel": posted["channel"], "ts": posted["ts"], "text": "two"})
    assert (updated["channel"], updated["ts"]) == (posted["channel"], posted["ts"])
    assert [each.shown for each in outbox.arrivals()] == ["#cs-alerts", "#cs-alerts"]
    outbox.close()
