"""Signed links: only ours are read, for their purpose and in their time."""

import hashlib
import hmac
from base64 import urlsafe_b64encode
from datetime import UTC, datetime, timedelta

import pytest

from hub.access.links import LinkError, Links
from hub.store import Store

NOW = datetime(2026, 11, 22, 9, tzinfo=UTC)
LINKS = Links("a secret of at least thirty-two letters")


def test_what_is_signed_is_read() -> None:
    token = LINKS.sign("unsubscribe", {"email": "jo@example.com", "n": 3})
    assert LINKS.read("unsubscribe", token, now=NOW) == {"email": "jo@example.com", "n": 3}
    assert token == LINKS.sign("unsubscribe", {"n": 3, "email": "jo@example.com"})
    assert set(token) <= set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.")


def test_the_signature_is_an_hmac_of_purpose_and_data() -> None:
    payload = b'{"d":{"a":"b"}}'
    mac = hmac.new(b"k" * 32, b"vote\x1f" + payload, hashlib.sha256).digest()[:20]
    text = b".".join(urlsafe_b64encode(each).rstrip(b"=") for each in (payload, mac)).decode()
    assert Links("k" * 32).sign("vote", {"a": "b"}) == text


@pytest.mark.parametrize("token", ["", ".", "abc", "a.b.c", "!!.??", "é.é", "eyJkIjp7fX0"])
def test_what_is_no_token_is_refused(token: str) -> None:
    with pytest.raises(LinkError):
        LINKS.read("vote", token, now=NOW)


def test_a_token_is_for_one_purpose_and_one_key() -> None:
    token = LINKS.sign("vote", {"a": "b"})
    with pytest.raises(LinkError, match="not valid"):
        LINKS.read("unsubscribe", token, now=NOW)
    with pytest.raises(LinkError, match="not valid"):
        Links("another secret of at least 32 letters").read("vote", token, now=NOW)


def test_no_letter_of_a_token_can_be_changed() -> None:
    token = LINKS.sign("vote", {"a": "b"})
    for place, letter in enumerate(token):
        forged = token[:place] + ("A" if letter != "A" else "B") + token[place + 1 :]
        with pytest.raises(LinkError):
            LINKS.read("vote", forged, now=NOW)


def test_a_token_expires() -> None:
    token = LINKS.sign("survey", {"a": "b"}, expires_at=NOW + timedelta(days=1))
    assert LINKS.read("survey", token, now=NOW + timedelta(hours=23)) == {"a": "b"}
    with pytest.raises(LinkError, match="good until 2026-11-23 09:00 UTC"):
        LINKS.read("survey", token, now=NOW + timedelta(days=1))


async def test_the_store_keeps_a_key_for_all_processes(store: Store) -> None:
    one, other = Links(), Links()
    await one.open(store, now=NOW)
    await other.open(store, now=NOW)
    assert other.read("vote", one.sign("vote", {"a": "b"}), now=NOW) == {"a": "b"}
    with pytest.raises(LinkError):
        Links("a configured secret goes before the store's").read("vote", one.sign("vote", {"a": "b"}), now=NOW)


def test_the_key_is_not_shown() -> None:
    assert "thirty" not in repr(LINKS)
