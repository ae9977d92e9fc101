"""What becomes of a message to Slack, over real HTTP: taken, surely not taken, or nobody knows."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from hub.delivery import Message, Refusal, Rejected, Uncertain
from hub.delivery.slack import SlackChannel
from tests.fakes.slack import serving_slack

BLOCKS = [{"type": "section", "text": {"type": "mrkdwn", "text": "*hi*"}}]
MESSAGE = Message(
    dedup_key="churn_save.1.0.abc",
    address="#cs-alerts",
    payload={"text": "hi", "blocks": BLOCKS},
    at=datetime(2026, 11, 1, tzinfo=UTC),
)


async def test_a_message_arrives_once_and_carries_our_key() -> None:
    async with serving_slack() as slack:
        receipt = await SlackChannel("xoxb-test", base_url=slack.url).send(MESSAGE)
        assert receipt == {"channel": "C0000001", "ts": "1700000000.000001"}
        assert slack.tokens == ["Bearer xoxb-test"]
        assert slack.posted == [
            {
                "channel": "#cs-alerts",
                "text": "hi",
                "blocks": BLOCKS,
                "metadata": {
                    "event_type": "cshub_delivery",
                    "event_payload": {"dedup_key": "churn_save.1.0.abc"},
                },
                "unfurl_links": False,
                "unfurl_media": False,
            }
        ]


@pytest.mark.parametrize(
    ("answer", "kind", "retry_after", "reason"),
    [
        ((429, {"Retry-After": "7"}, {"ok": False, "error": "ratelimited"}), "transient", 7, "asks to wait"),
        ((429, {"Retry-After": "7"}, "<html>slow down</html>"), "transient", 7, "asks to wait"),
        ((503, {}, "<html>"), "transient", None, "asks to wait"),
        ((200, {}, {"ok": False, "error": "service_unavailable"}), "transient", None, "asks to wait"),
        ((200, {}, {"ok": False, "error": "channel_not_found"}), "permanent", None, "check the name, and invite"),
        ((200, {}, {"ok": False, "error": "msg_too_long"}), "permanent", None, "msg_too_long"),
        ((200, {}, {"ok": False, "error": "invalid_auth"}), "denied", None, "renew it"),
        ((200, {}, {"ok": False, "error": "token_revoked"}), "denied", None, "renew it"),
        (
            (
                200,
                {},
                {"ok": False, "error": "invalid_blocks", "response_metadata": {"messages": ["[ERROR] too long"]}},
            ),
            "permanent",
            None,
            "too long",
        ),
    ],
)
async def test_surely_not_sent(answer: Any, kind: str, retry_after: int | None, reason: str) -> None:
    async with serving_slack() as slack:
        slack.answers = [answer]
        with pytest.raises(Rejected, match=reason) as caught:
            await SlackChannel("xoxb-secret", base_url=slack.url).send(MESSAGE)
        assert caught.value.kind is Refusal(kind)
        assert caught.value.retry_after == (None if retry_after is None else timedelta(seconds=retry_after))
        assert "xoxb-secret" not in str(caught.value)
        assert (len(slack.received), slack.posted) == (1, []), "tried once, not again"


@pytest.mark.parametrize(
    "answer",
    [
        (500, {}, "<html>oops</html>"),
        (502, {}, "bad gateway"),
        (200, {}, "<html>no JSON</html>"),
        (200, {}, {"ok": False, "error": "fatal_error"}),
        (200, {}, {"ok": False, "error": "internal_error"}),
    ],
)
async def test_nobody_knows(answer: Any) -> None:
    async with serving_slack() as slack:
        slack.answers = [answer]
        with pytest.raises(Uncertain):
            await SlackChannel("xoxb-test", base_url=slack.url).send(MESSAGE)
        assert len(slack.received) == 1


async def test_no_server_is_surely_not_sent() -> None:
    with pytest.raises(Rejected, match="cannot be reached") as caught:
        await SlackChannel("xoxb-test", base_url="http://127.0.0.1:1/api/").send(MESSAGE)
    assert caught.value.kind is Refusal.TRANSIENT


async def test_an_answer_that_never_comes_is_uncertain() -> None:
    async with serving_slack() as slack:
        slack.gate = asyncio.Event()
        with pytest.raises(Uncertain, match="did not answer"):
            await SlackChannel("xoxb-test", base_url=slack.url, timeout_seconds=1).send(MESSAGE)
        assert len(slack.received) == 1
        slack.gate.set()


async def test_a_connection_dropped_after_the_request_is_uncertain() -> None:
    bodies = []

    async def drop(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
        length = int(head.partition("content-length: ")[2].partition("\r")[0])
        bodies.append(await reader.readexactly(length))
        writer.transport.abort()

    server = await asyncio.start_server(drop, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    try:
        with pytest.raises(Uncertain, match="did not answer"):
            await SlackChannel("xoxb-test", base_url=f"http://127.0.0.1:{port}/api/").send(MESSAGE)
        assert len(bodies) == 1, "asked once"
    finally:
        server.close()


def test_the_token_is_shown_nowhere() -> None:
    assert repr(SlackChannel("xoxb-secret", base_url="http://h/api")) == "SlackChannel(http://h/api/)"
