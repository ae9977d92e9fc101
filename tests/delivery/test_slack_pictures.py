"""Messages with pictures, threads, updates and answers, against the demo's Slack over real HTTP."""

import base64
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from hub.delivery import Message, Refusal, Rejected
from hub.delivery.slack import PICTURES_READY_IN, SlackChannel, SlackHomes, SlackUpdates
from hub.delivery.slack_answer import answer
from hub.demo import slack as sandbox
from hub.demo.outbox import Outbox
from hub.demo.workspace import user_id
from hub.errors import TransientError
from tests.fakes.serving import serving

PNG = b"\x89PNG\r\n\x1a\n and what follows"
PICTURE = {"name": "health.png", "bytes": base64.b64encode(PNG).decode(), "alt": "Health by month", "title": "Health"}
TEXT = {"type": "section", "text": {"type": "mrkdwn", "text": "The month"}}


@dataclass
class Sent:
    channel: SlackChannel
    outbox: Outbox
    faults: sandbox.SlackFaults


@pytest.fixture
async def sent(tmp_path: Path) -> AsyncIterator[Sent]:
    outbox, faults = Outbox(tmp_path / "outbox.db"), sandbox.SlackFaults()
    people = {"ann@example.com": "Ann Archer"}
    app = sandbox.app(outbox, token="xoxb-test", people=lambda: people, channels=("cs",), faults=faults)
    async with serving(app) as url:
        yield Sent(SlackChannel("xoxb-test", base_url=f"{url}/api/"), outbox, faults)
    outbox.close()


def message(**payload: Any) -> Message:
    given = {"text": "The month", "blocks": [TEXT], **payload}
    return Message(dedup_key="k", address="#cs", payload=given, at=datetime(2026, 11, 22, tzinfo=UTC))


async def test_a_picture_follows_the_blocks(sent: Sent) -> None:
    await sent.channel.send(message(files=[PICTURE]))
    posted, file = sent.outbox.arrivals()
    assert base64.b64decode(file.body["bytes"]) == PNG
    assert posted.body["blocks"] == [
        TEXT,
        {
            "type": "image",
            "slack_file": {"id": file.address},
            "alt_text": "Health by month",
            "title": {"type": "plain_text", "text": "Health"},
        },
    ]


async def test_a_picture_stands_where_its_block_is(sent: Sent) -> None:
    other = {**PICTURE, "name": "nps.png"}
    blocks = [{"type": "image", "file": "nps.png"}, TEXT]
    await sent.channel.send(message(blocks=blocks, files=[PICTURE, other]))
    posted, *files = sent.outbox.arrivals()
    ids = {each.shown: each.address for each in files}
    shown = [(block["type"], block.get("slack_file", {}).get("id")) for block in posted.body["blocks"]]
    assert shown == [("image", ids["nps.png"]), ("section", None), ("image", ids["health.png"])]


async def test_pictures_that_slack_still_looks_at_are_tried_again_later() -> None:
    calls: list[str] = []

    async def method(request: Request) -> Response:
        calls.append(request.path_params["method"])
        if calls[-1] == "files.getUploadURLExternal":
            return JSONResponse({"ok": True, "upload_url": f"{request.base_url}upload", "file_id": "F1"})
        refused = {"ok": False, "error": "invalid_blocks"}
        return JSONResponse(refused if calls[-1] == "chat.postMessage" else {"ok": True})

    async def upload(_: Request) -> Response:
        return Response("OK")

    app = Starlette(
        routes=[Route("/api/{method}", method, methods=["POST"]), Route("/upload", upload, methods=["POST"])]
    )
    async with serving(app) as url:
        channel = SlackChannel("xoxb-test", base_url=f"{url}/api/")
        with pytest.raises(Rejected) as caught:
            await channel.send(message(files=[PICTURE]))
        assert (caught.value.kind, caught.value.retry_after) == (Refusal.TRANSIENT, PICTURES_READY_IN)
        assert calls == ["files.getUploadURLExternal", "files.completeUploadExternal", "chat.postMessage"]
        with pytest.raises(Rejected) as caught:
            await channel.send(message())
        assert caught.value.kind is Refusal.PERMANENT, "of blocks without pictures it is final"


async def test_a_refused_upload_posts_nothing(sent: Sent) -> None:
    with pytest.raises(Rejected, match="invalid_arguments"):
        await sent.channel.send(message(files=[{**PICTURE, "bytes": ""}]))
    assert sent.outbox.arrivals() == []


async def test_a_reply_stands_in_its_thread(sent: Sent) -> None:
    parent = await sent.channel.send(message())
    await sent.channel.send(message(thread_ts=parent["ts"]))
    await sent.channel.send(message(thread_ts=parent["ts"], reply_broadcast=True))
    shown = [(each.body["thread_ts"], each.body["reply_broadcast"]) for each in reversed(sent.outbox.arrivals())]
    assert shown == [(None, False), (parent["ts"], False), (parent["ts"], True)]
    with pytest.raises(Rejected, match="thread_not_found"):
        await sent.channel.send(message(thread_ts="1.000000"))


async def test_an_update_changes_the_message_and_no_other(sent: Sent) -> None:
    parent = await sent.channel.send(message())
    await sent.channel.send(message())
    updates = SlackUpdates(sent.channel.web)
    assert updates.manners.recognises
    payload = {"channel": parent["channel"], "ts": parent["ts"], "text": "Closed", "blocks": [TEXT]}
    changed = Message(dedup_key="u", address="#cs", payload=payload, at=datetime(2026, 11, 22, tzinfo=UTC))
    assert await updates.send(changed) == parent
    await updates.send(changed)
    assert [each.body["text"] for each in sent.outbox.messages()] == ["The month", "Closed"]
    gone = Message(dedup_key="u", address="#cs", payload={**payload, "ts": "1.000000"}, at=changed.at)
    with pytest.raises(Rejected, match="somebody deleted it"):
        await updates.send(gone)


async def test_a_home_is_published(sent: Sent) -> None:
    homes, user = SlackHomes(sent.channel.web), user_id("ann@example.com")
    home = Message(dedup_key="h", address=user, payload={"blocks": [TEXT]}, at=datetime(2026, 11, 22, tzinfo=UTC))
    receipt = await homes.send(home)
    [arrival] = sent.outbox.arrivals()
    assert (arrival.kind, arrival.address, arrival.body) == (
        "slack_home",
        user,
        {"view_id": receipt["view"], "blocks": [TEXT]},
    )


@pytest.mark.parametrize(
    "url",
    [
        "https://hooks.slack.example/x",
        "http://hooks.slack.com/x",
        "https://hooks.slack.com:444/x",
        "https://hooks.slack.com@127.0.0.1/x",
        "http://127.0.0.1:1/x",
        "file:///etc/passwd",
        "https://[",
        "",
    ],
)
async def test_answers_go_to_slack_alone(url: str) -> None:
    assert await answer(url, {"text": "x"}, base_url="http://127.0.0.1:9/api/") is False


async def test_an_answer_is_for_one_person_and_tried_again_by_who_asked() -> None:
    got: list[Any] = []
    statuses = [200, 404, 500, 429]

    async def take(request: Request) -> Response:
        got.append(await request.json())
        return Response(status_code=statuses[len(got) - 1])

    app = Starlette(routes=[Route("/response", take, methods=["POST"])])
    async with serving(app) as url:
        base = f"{url}/api/"
        assert await answer(f"{url}/response", {"text": "Done"}, base_url=base) is True
        assert got == [{"response_type": "ephemeral", "text": "Done"}]
        assert await answer(f"{url}/response", {"text": "Done"}, base_url=base) is False, "used up"
        for _ in range(2):
            with pytest.raises(TransientError):
                await answer(f"{url}/response", {"text": "Done"}, base_url=base)
