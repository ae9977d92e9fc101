"""What becomes of a mail, over real SMTP; and what it looks like there."""

import asyncio
from datetime import UTC, datetime
from typing import Any

import pytest

from hub.delivery import Message, Refusal, Rejected, Uncertain
from hub.delivery.mail import MailChannel
from tests.fakes.smtp import FakeSmtp, serving_smtp

AT = datetime(2026, 11, 1, 9, 30, tzinfo=UTC)


def make_message(**changes: Any) -> Message:
    values: dict[str, Any] = {
        "dedup_key": "churn_save.1.1.abc",
        "address": "ann@example.com",
        "subject": "Ünal & Söhne is at risk",
        "payload": {"text": "Plain é text\n.\nend", "html": "<p>Rich é text</p>"},
        "at": AT,
    }
    return Message(**(values | changes))


def make_channel(smtp: FakeSmtp, **options: Any) -> MailChannel:
    return MailChannel(
        host="127.0.0.1", port=smtp.port, sender="hub@cshub.example", sender_name="Customer hub", **options
    )


async def test_both_texts_arrive_under_a_stable_id() -> None:
    async with serving_smtp() as smtp:
        receipts = [await make_channel(smtp).send(make_message()) for _ in range(2)]
    assert receipts[0] == {"message_id": "<churn_save.1.1.abc@cshub.example>", "answer": "taken"}
    assert receipts[0] == receipts[1], "the same message has the same id"
    mail = smtp.taken[0]
    assert smtp.envelopes[0] == ("hub@cshub.example", ["ann@example.com"])
    assert (mail["From"], mail["To"]) == ("Customer hub <hub@cshub.example>", "ann@example.com")
    assert mail["Subject"] == "Ünal & Söhne is at risk"
    assert mail["Date"] == "Sun, 01 Nov 2026 09:30:00 +0000"
    assert mail["List-Unsubscribe"] is None
    assert mail.get_content_type() == "multipart/alternative"
    parts = [(part.get_content_type(), part.get_content().replace("\r\n", "\n")) for part in mail.iter_parts()]  # type: ignore[attr-defined]  # a part as the modern policy makes it
    assert parts == [("text/plain", "Plain é text\n.\nend\n"), ("text/html", "<p>Rich é text</p>\n")]


async def test_a_subject_begins_no_second_header() -> None:
    async with serving_smtp() as smtp:
        await make_channel(smtp).send(make_message(subject="Hello\r\nBcc: everybody@example.com"))
    assert smtp.taken[0]["Subject"] == "Hello Bcc: everybody@example.com"
    assert smtp.taken[0]["Bcc"] is None
    assert smtp.envelopes[0][1] == ["ann@example.com"]


async def test_customers_may_unsubscribe_and_the_team_is_not_asked() -> None:
    payload = {"text": "t", "html": "h", "audience": "customer"}
    async with serving_smtp() as smtp:
        channel = make_channel(smtp, unsubscribe="stop@cshub.example")
        await channel.send(make_message(payload=payload))
        await channel.send(make_message())
    assert [mail["List-Unsubscribe"] for mail in smtp.taken] == ["<mailto:stop@cshub.example>", None]


@pytest.mark.parametrize(
    ("step", "answer", "kind"),
    [
        ("rcpt", "550 no such mailbox", "permanent"),
        ("rcpt", "451 try later", "transient"),
        ("mail", "452 full", "transient"),
        ("data", "554 no spam", "permanent"),
        ("data", "452 full", "transient"),
    ],
)
async def test_surely_not_sent(step: str, answer: str, kind: str) -> None:
    async with serving_smtp() as smtp:
        smtp.refuse[step] = answer
        with pytest.raises(Rejected, match=f"the mail server says {answer}") as caught:
            await make_channel(smtp).send(make_message())
    assert caught.value.kind is Refusal(kind)
    assert smtp.taken == []


async def test_a_connection_lost_after_the_data_is_uncertain() -> None:
    async with serving_smtp() as smtp:
        smtp.hang_up_after_data = True
        with pytest.raises(Uncertain, match="after the data"):
            await make_channel(smtp).send(make_message())
    assert len(smtp.taken) == 1, "and it did arrive"


async def test_no_server_is_surely_not_sent() -> None:
    async with serving_smtp() as smtp:
        pass
    with pytest.raises(Rejected, match="cannot be reached") as caught:
        await make_channel(smtp).send(make_message())
    assert caught.value.kind is Refusal.TRANSIENT


async def test_a_connection_lost_before_the_data_is_surely_not_sent() -> None:
    async def drop(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 hello\r\n")
        await reader.readline()
        writer.transport.abort()

    server = await asyncio.start_server(drop, "127.0.0.1", 0)
    try:
        channel = make_channel(FakeSmtp(port=server.sockets[0].getsockname()[1]))
        with pytest.raises(Rejected) as caught:
            await channel.send(make_message())
        assert caught.value.kind is Refusal.TRANSIENT
    finally:
        server.close()


@pytest.mark.parametrize("address", ["nobody", "a b@example.com", "x@example.com\r\nRCPT TO:<y@example.com>", "<a@b>"])
async def test_what_is_no_address_is_never_said(address: str) -> None:
    async with serving_smtp() as smtp:
        with pytest.raises(Rejected, match="no e-mail address") as caught:
            await make_channel(smtp).send(make_message(address=address))
    assert caught.value.kind is Refusal.PERMANENT
    assert smtp.taken == []


async def test_a_server_without_login_is_told_apart_and_keeps_the_password() -> None:
    async with serving_smtp() as smtp:
        channel = make_channel(smtp, username="hub", password="secret-word")
        with pytest.raises(Rejected) as caught:
            await channel.send(make_message())
        assert smtp.taken == []
    assert "secret-word" not in f"{caught.value} {channel!r}"
