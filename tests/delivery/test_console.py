"""The console stands in for any channel."""

import io
from datetime import UTC, datetime

from hub.delivery import Message
from hub.delivery.console import ConsoleChannel


async def test_it_writes_what_it_is_given() -> None:
    stream = io.StringIO()
    channel = ConsoleChannel("email", stream=stream)
    at = datetime(2026, 11, 1, tzinfo=UTC)
    message = Message(dedup_key="k", address="ann@example.com", subject="Hello", payload={"text": "there"}, at=at)
    assert (channel.name, await channel.send(message)) == ("email", {"console": True})
    assert stream.getvalue() == "[email] to ann@example.com\nHello\nthere\n\n"
