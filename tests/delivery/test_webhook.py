"""Webhooks over real HTTP: what is signed, what becomes of each answer, and where nothing is ever sent."""

import asyncio
import base64
import hashlib
import hmac
import json
import logging
from datetime import UTC, datetime, timedelta
from ipaddress import ip_network
from typing import Any

import pytest

from hub.delivery import Message, Refusal, Rejected, Uncertain
from hub.delivery.webhook import MAX_BODY, Endpoint, WebhookChannel, event, key_of, new_secret, signed
from tests.delivery.conftest import Receiver

AT = datetime(2026, 11, 1, 12, tzinfo=UTC)
SECRET = "whsec_" + base64.b64encode(b"a secret of thirty-two bytes, ok").decode()
LOOPBACK = [ip_network("127.0.0.0/8"), ip_network("::1/128")]
EVENT = event("customer.at_risk", {"customer": "Acme"}, at=AT)


def channel(url: str, *secrets: str, **options: Any) -> WebhookChannel:
    endpoint = Endpoint(url=url, secrets=secrets or (SECRET,))
    return WebhookChannel({"crm": endpoint}, **{"allowed": LOOPBACK, **options})


def message(payload: Any = EVENT, **changes: Any) -> Message:
    return Message(
        **{"id": "del_1", "dedup_key": "save.1.0.a", "address": "crm", "payload": payload, "at": AT} | changes
    )


def wanted(secret: str, id_: str, stamp: str, body: bytes) -> str:
    """The signature, worked out by hand."""
    key = base64.b64decode(secret[len("whsec_") :])
    return "v1," + base64.b64encode(hmac.new(key, f"{id_}.{stamp}.".encode() + body, hashlib.sha256).digest()).decode()


async def test_an_event_is_signed_over_id_time_and_body(receiver: Receiver) -> None:
    receipt = await channel(f"{receiver.url}/hook?x=1").send(message())
    assert receipt == {"webhook_id": "del_1", "status": 200}
    [(headers, body)] = receiver.got
    assert json.loads(body) == {
        "type": "customer.at_risk",
        "timestamp": "2026-11-01T12:00:00+00:00",
        "data": {"customer": "Acme"},
    }
    assert (headers["webhook-id"], headers["webhook-timestamp"]) == ("del_1", "1793534400")
    assert headers["webhook-signature"] == wanted(SECRET, "del_1", "1793534400", body)
    assert headers["content-type"] == "application/json"
    assert headers["host"] == receiver.url.removeprefix("http://")


def test_a_signature_as_the_specification_shows_it() -> None:
    """The example of the Standard Webhooks specification."""
    body = b'{"test": 2432232314}'
    at = datetime.fromtimestamp(1614265330, tz=UTC)
    made = signed(["whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"], id_="msg_p5jXN8AQM9LWM0D4loKWxJek", at=at, body=body)
    assert made["webhook-signature"] == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


async def test_two_secrets_sign_while_one_is_replaced(receiver: Receiver) -> None:
    new = new_secret()
    await channel(receiver.url, new, SECRET).send(message())
    [(headers, body)] = receiver.got
    assert headers["webhook-signature"].split(" ") == [
        wanted(new, "del_1", "1793534400", body),
        wanted(SECRET, "del_1", "1793534400", body),
    ]


async def test_another_attempt_has_the_same_id_and_body_and_its_own_time(receiver: Receiver) -> None:
    receiver.answers = [(503, {}, "")]
    with pytest.raises(Rejected):
        await channel(receiver.url).send(message())
    await channel(receiver.url).send(message(at=AT + timedelta(seconds=30)))
    (first, body), (second, again) = receiver.got
    assert (first["webhook-id"], body) == (second["webhook-id"], again)
    assert int(second["webhook-timestamp"]) - int(first["webhook-timestamp"]) == 30
    assert first["webhook-signature"] != second["webhook-signature"]


@pytest.mark.parametrize(
    ("answer", "kind", "retry_after", "words"),
    [
        ((429, {"Retry-After": "7"}, ""), Refusal.TRANSIENT, 7, "asks to wait"),
        ((503, {"Retry-After": "86400000"}, ""), Refusal.TRANSIENT, 3600, "asks to wait"),
        ((503, {"Retry-After": "nan"}, ""), Refusal.TRANSIENT, None, "asks to wait"),
        ((404, {}, ""), Refusal.TRANSIENT, None, "refuses us"),
        ((401, {}, ""), Refusal.TRANSIENT, None, "refuses us"),
        ((400, {}, "secret whsec_"), Refusal.PERMANENT, None, "refuses the event"),
        ((422, {}, ""), Refusal.PERMANENT, None, "refuses the event"),
        ((410, {}, ""), Refusal.PERMANENT, None, "no more"),
    ],
)
async def test_surely_not_taken(
    receiver: Receiver, answer: Any, kind: Refusal, retry_after: int | None, words: str
) -> None:
    receiver.answers = [answer]
    with pytest.raises(Rejected, match=words) as caught:
        await channel(receiver.url).send(message())
    assert caught.value.kind is kind
    assert caught.value.gone is (answer[0] == 410)
    assert caught.value.retry_after == (None if retry_after is None else timedelta(seconds=retry_after))
    assert "whsec_" not in str(caught.value)
    assert receiver.url not in str(caught.value)
    assert len(receiver.got) == 1, "tried once, not again"


@pytest.mark.parametrize("status", [301, 302, 307, 308])
async def test_a_redirect_is_not_followed(receiver: Receiver, status: int) -> None:
    receiver.answers = [(status, {"Location": f"{receiver.url}/elsewhere"}, "")]
    with pytest.raises(Rejected, match="redirects are not followed"):
        await channel(f"{receiver.url}/here").send(message())
    assert receiver.paths == ["/here"]


async def test_a_server_error_may_have_been_taken(receiver: Receiver) -> None:
    receiver.answers = [(500, {}, "")]
    with pytest.raises(Uncertain, match="failed with 500"):
        await channel(receiver.url).send(message())


async def test_an_answer_that_never_comes_is_uncertain(receiver: Receiver) -> None:
    receiver.gate = asyncio.Event()
    with pytest.raises(Uncertain, match="did not answer"):
        await channel(receiver.url, timeout_seconds=0.2).send(message())
    assert len(receiver.got) == 1
    receiver.gate.set()


async def test_a_refusal_that_drips_is_cut_off() -> None:
    ended = asyncio.Event()

    async def drip(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 400 Bad Request\r\ncontent-length: 100000\r\n\r\n")
        try:
            while True:
                writer.write(b".")
                await writer.drain()
                await asyncio.sleep(0.02)
        except ConnectionError:
            ended.set()
        finally:
            writer.close()

    server = await asyncio.start_server(drip, "127.0.0.1", 0)
    url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    with pytest.raises(Uncertain, match="did not answer"):
        await channel(url, timeout_seconds=0.3).send(message())
    await asyncio.wait_for(ended.wait(), 10)
    server.close()


async def test_nobody_there_is_surely_not_sent() -> None:
    with pytest.raises(Rejected, match="webhook crm cannot be reached") as caught:
        await channel("http://127.0.0.1:1/").send(message())
    assert caught.value.kind is Refusal.TRANSIENT


async def test_what_is_too_large_or_meant_for_nobody_is_not_sent(receiver: Receiver) -> None:
    with pytest.raises(Rejected, match="more than 262,144") as caught:
        await channel(receiver.url).send(message({"type": "x", "data": "y" * MAX_BODY}))
    assert caught.value.kind is Refusal.PERMANENT
    with pytest.raises(Rejected, match="no webhook 'erp' is set up; there are: crm"):
        await channel(receiver.url).send(message(address="erp"))
    assert receiver.got == []


@pytest.mark.parametrize(
    ("url", "addresses", "words"),
    [
        ("https://hooks.example/x", ["127.0.0.1"], "private address"),
        ("https://hooks.example/x", ["10.1.2.3"], "private address"),
        ("https://hooks.example/x", ["192.168.0.1", "93.184.216.34"], "private address"),
        ("https://metadata.example/latest", ["169.254.169.254"], "private address"),
        ("https://hooks.example/x", ["100.64.0.1"], "private address"),
        ("https://hooks.example/x", ["0.0.0.0"], "private address"),
        ("https://hooks.example/x", ["224.0.0.1"], "private address"),
        ("https://hooks.example/x", ["::1"], "private address"),
        ("https://hooks.example/x", ["fe80::1%eth0"], "private address"),
        ("https://hooks.example/x", ["fd00::1"], "private address"),
        ("https://hooks.example/x", ["::ffff:10.0.0.1"], "private address"),
        ("https://hooks.example/x", ["64:ff9b::a00:1"], "private address"),
        ("https://hooks.example/x", ["64:ff9b:1::a00:1"], "private address"),
        ("https://hooks.example/x", ["::7f00:1"], "private address"),
        ("https://hooks.example/x", ["2002:a00:1::"], "private address"),
        ("http://hooks.example/x", ["93.184.216.34"], "over https"),
        ("ftp://hooks.example/x", ["93.184.216.34"], "must be https"),
        ("https://user:pass@hooks.example/x", ["93.184.216.34"], "must be https"),
        ("https://hooks.example:0x50/x", ["93.184.216.34"], "must be https"),
    ],
)
async def test_where_nothing_is_sent(
    receiver: Receiver, url: str, addresses: list[str], words: str, caplog: pytest.LogCaptureFixture
) -> None:
    async def lookup(host: str, port: int) -> list[str]:
        return addresses

    with pytest.raises(Rejected, match=words) as caught:
        await channel(url, allowed=[], lookup=lookup).send(message())
    assert caught.value.kind is Refusal.PERMANENT
    assert "hooks.example" not in str(caught.value)
    assert receiver.got == []


async def test_a_private_network_that_is_named_may_be_called_by_name(receiver: Receiver) -> None:
    asked = []

    async def lookup(host: str, port: int) -> list[str]:
        asked.append((host, port))
        return ["127.0.0.1"]

    port = receiver.url.rpartition(":")[2]
    await channel(f"http://hooks.internal.example:{port}/x", lookup=lookup).send(message())
    assert asked == [("hooks.internal.example", int(port))], "looked up once: a second answer could be another"
    assert receiver.got[0][0]["host"] == f"hooks.internal.example:{port}"


async def test_a_name_that_is_nobodys_is_tried_again_later() -> None:
    async def lookup(host: str, port: int) -> list[str]:
        raise OSError("no such name")

    with pytest.raises(Rejected, match="cannot be looked up") as caught:
        await channel("https://hooks.example/x", lookup=lookup).send(message())
    assert caught.value.kind is Refusal.TRANSIENT


async def test_neither_secret_nor_address_is_shown(receiver: Receiver, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    hook = channel(f"{receiver.url}/hooks/catch/s3cr3t")
    await hook.send(message())
    receiver.answers = [(500, {}, "")]
    with pytest.raises(Uncertain) as caught:
        await hook.send(message())
    shown = f"{hook!r} {Endpoint(url='https://x.example/s3cr3t', secrets=(SECRET,))!r} {caught.value} {caplog.text}"
    assert "s3cr3t" not in shown
    assert SECRET not in shown
    assert repr(hook) == "WebhookChannel(crm)"


@pytest.mark.parametrize(
    "secret", ["", "whsec_", "whsec_short", "hunter2hunter2hunter2hunter2hunter2", "whsec_!!!" * 9]
)
def test_what_is_no_secret(secret: str) -> None:
    with pytest.raises(ValueError, match="cshub delivery secret") as caught:
        key_of(secret)
    assert not secret or secret == "whsec_" or secret not in str(caught.value)


def test_a_new_secret_is_one() -> None:
    assert len(key_of(new_secret())) == 32
    assert new_secret() != new_secret()
