"""What becomes of a mail, over real SMTP; and what it looks like there."""

import asyncio
import base64
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from hub.delivery import Message, Refusal, Rejected, Uncertain
from hub.delivery.mail import SMTP_POLICY, Customers, MailChannel
from hub.delivery.mail_templates import UNSUBSCRIBE
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


CUSTOMERS = Customers(
    sender="success@cloud.example",
    sender_name="Cloud",
    reply_to="csm",
    link=lambda address, topic: f"{topic}.{'t' * 300}.{address.partition('@')[0]}",
    url="https://hub.example/unsubscribe/",
    mailbox="stop@cshub.example",
)
FOR_CUSTOMERS = {
    "text": f"Bye: {UNSUBSCRIBE}",
    "html": f'<a href="{UNSUBSCRIBE}">Bye</a>',
    "audience": "customer",
    "topic": "onboarding",
    "reply_to": "eve@cshub.example",
}


async def test_a_subject_has_nothing_that_cannot_be_seen() -> None:
    mail = make_channel(FakeSmtp(port=1)).compose(make_message(subject="a\x00b\x07 \u2028 c\x7f"))
    assert mail["Subject"] == "ab c"


async def test_customers_may_unsubscribe_and_the_team_is_not_asked() -> None:
    async with serving_smtp() as smtp:
        channel = make_channel(smtp, customers=CUSTOMERS)
        await channel.send(make_message(payload=FOR_CUSTOMERS))
        await channel.send(make_message())
    token = f"onboarding.{'t' * 300}.ann"
    mail, team = smtp.taken
    assert smtp.envelopes[0][0] == "success@cloud.example"
    assert (mail["From"], mail["Reply-To"]) == ("Cloud <success@cloud.example>", "eve@cshub.example")
    ways = f"<https://hub.example/unsubscribe/{token}>, <mailto:stop@cshub.example?subject=unsubscribe%20{token}>"
    assert mail["List-Unsubscribe"] == ways
    assert mail["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    text, html = (part.get_content() for part in mail.iter_parts())  # type: ignore[attr-defined]  # a part as the modern policy makes it
    assert text.strip() == f"Bye: https://hub.example/unsubscribe/{token}"
    assert html.strip() == f'<a href="https://hub.example/unsubscribe/{token}">Bye</a>'
    assert [team[name] for name in ("Reply-To", "List-Unsubscribe", "List-Unsubscribe-Post")] == [None] * 3
    assert team["From"] == "Customer hub <hub@cshub.example>"


def test_links_to_unsubscribe_go_over_the_wire_as_they_are() -> None:
    channel = make_channel(FakeSmtp(port=1), customers=CUSTOMERS)
    wire = channel.compose(make_message(payload=FOR_CUSTOMERS)).as_bytes(policy=SMTP_POLICY)
    assert (
        f"\r\nList-Unsubscribe: <https://hub.example/unsubscribe/onboarding.{'t' * 300}.ann>,\r\n <mailto:".encode()
        in wire
    )


def test_one_click_needs_https() -> None:
    channel = make_channel(FakeSmtp(port=1), customers=replace(CUSTOMERS, url="http://127.0.0.1/u/", mailbox=None))
    mail = channel.compose(make_message(payload=FOR_CUSTOMERS))
    assert str(mail["List-Unsubscribe"]).startswith("<http://127.0.0.1/u/")
    assert mail["List-Unsubscribe-Post"] is None


def test_without_a_hub_that_answers_people_can_still_write_back() -> None:
    mail = make_channel(FakeSmtp(port=1)).compose(make_message(payload=FOR_CUSTOMERS))
    assert mail["List-Unsubscribe"] is None
    assert "mailto:hub@cshub.example?subject=unsubscribe" in mail.as_string()
    assert UNSUBSCRIBE not in mail.as_string()


def test_every_attempt_is_the_same_to_the_byte() -> None:
    picture = base64.b64encode(b"\x89PNG\r\n pixels").decode()
    pictured = {**make_message().payload, "attachments": [{"name": "x", "type": "image/png", "content": picture}]}
    for message in (make_message(), make_message(payload=pictured)):
        first, second = (make_channel(FakeSmtp(port=1)).compose(message) for _ in range(2))
        assert first.as_bytes(policy=SMTP_POLICY) == second.as_bytes(policy=SMTP_POLICY)
        boundaries = [each.get_boundary() for each in first.walk() if each.is_multipart()]
        assert len(set(boundaries)) == len(boundaries) > 0
    other = make_channel(FakeSmtp(port=1)).compose(make_message(dedup_key="churn_save.1.1.abd"))
    assert other.get_boundary() not in boundaries


async def test_pictures_are_within_the_mail() -> None:
    picture = base64.b64encode(b"\x89PNG\r\n pixels").decode()
    payload = {
        "text": "[Health]",
        "html": '<img src="cid:health">',
        "attachments": [{"name": "health", "type": "image/png", "content": picture}],
    }
    async with serving_smtp() as smtp:
        await make_channel(smtp).send(make_message(payload=payload))
    text, related = smtp.taken[0].iter_parts()
    assert (text.get_content_type(), related.get_content_type()) == ("text/plain", "multipart/related")
    html, image = related.iter_parts()  # type: ignore[attr-defined]  # a part as the modern policy makes it
    assert html.get_content().strip() == '<img src="cid:health">'
    assert (image["Content-ID"], image.get_content_type()) == ("<health>", "image/png")
    assert (image.get_content_disposition(), image.get_filename()) == ("inline", "health.png")
    assert image.get_content() == b"\x89PNG\r\n pixels"


@pytest.mark.parametrize(
    ("options", "sender"),
    [
        ({"return_path": "bounces@cshub.example"}, "bounces@cshub.example"),
        ({"return_path": "bounces@cshub.example", "tagged": True}, "bounces+del_1@cshub.example"),
    ],
)
async def test_where_it_comes_back_to(options: dict[str, Any], sender: str) -> None:
    async with serving_smtp() as smtp:
        await make_channel(smtp, **options).send(make_message(id="del_1"))
    assert smtp.envelopes[0][0] == sender
    assert smtp.taken[0]["From"] == "Customer hub <hub@cshub.example>"


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


@pytest.mark.parametrize(
    "address",
    [
        "nobody",
        "a b@example.com",
        "x@example.com\r\nRCPT TO:<y@example.com>",
        "<a@b>",
        "a..b@example.com",
        "a[b@example.com",
        "a(b)@example.com",
        "a@b@example.com",
        "a@example..com",
        '"@example.com',
    ],
)
async def test_what_is_no_address_is_never_said(address: str) -> None:
    async with serving_smtp() as smtp:
        with pytest.raises(Rejected, match="no e-mail address") as caught:
            await make_channel(smtp).send(make_message(address=address))
    assert caught.value.kind is Refusal.PERMANENT
    assert smtp.taken == []


async def test_who_has_no_address_to_reply_to_is_left_out() -> None:
    channel = make_channel(FakeSmtp(port=1), customers=Customers(reply_to="csm"))
    for given, written in (("eve@hub.example", "eve@hub.example"), ("eve..x@hub.example", None), ('"@x', None)):
        mail = channel.compose(make_message(payload={**FOR_CUSTOMERS, "reply_to": given}))
        assert mail["Reply-To"] == written


async def test_a_server_without_login_is_told_apart_and_keeps_the_password() -> None:
    async with serving_smtp() as smtp:
        channel = make_channel(smtp, username="hub", password="secret-word")
        with pytest.raises(Rejected) as caught:
            await channel.send(make_message())
        assert smtp.taken == []
    assert "secret-word" not in f"{caught.value} {channel!r}"


@pytest.mark.parametrize(("most_on_one", "connections"), [(None, 1), (2, 3)])
async def test_while_there_is_more_a_connection_stays_open(most_on_one: int | None, connections: int) -> None:
    async with serving_smtp() as smtp:
        smtp.most_on_one = most_on_one  # the next message is told to a new connection, and nothing is lost
        channel = make_channel(smtp)
        with channel.staying():
            for number in range(5):
                await channel.send(make_message(dedup_key=f"save.1.{number}"))
        ids = [mail["Message-ID"] for mail in smtp.taken]
        assert ids == [f"<save.1.{number}@cshub.example>" for number in range(5)]
        assert smtp.connections == connections
        await channel.send(make_message(dedup_key="save.1.alone"))
        assert smtp.connections == connections + 1, "nothing stands open when all is sent"


async def test_a_connection_on_which_something_went_wrong_is_not_used_again() -> None:
    async with serving_smtp() as smtp:
        channel = make_channel(smtp)
        with channel.staying():
            await channel.send(make_message(dedup_key="a"))
            smtp.refuse["rcpt"] = "550 no such mailbox"
            with pytest.raises(Rejected):
                await channel.send(make_message(dedup_key="b"))
            smtp.refuse.clear()
            await channel.send(make_message(dedup_key="c"))
    assert [mail["Message-ID"] for mail in smtp.taken] == ["<a@cshub.example>", "<c@cshub.example>"]
    assert smtp.connections == 2
