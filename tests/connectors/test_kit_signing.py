"""The helpers that webhooks are verified with, against values worked out elsewhere."""

from datetime import UTC, datetime, timedelta

import pytest
from pydantic import SecretStr

from connectors.kit.signing import (
    BadSignatureError,
    header,
    hmac_base64,
    hmac_hex,
    require,
    require_basic,
    require_fresh,
    secret_of,
    sha256_hex,
)

NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
KEY, MESSAGE = "key", b"The quick brown fox jumps over the lazy dog"


def test_digests_are_those_of_the_published_examples() -> None:
    assert hmac_hex(KEY, MESSAGE) == "f7bc83f430538424b13298e6aa6fb143ef4d59a14946175997479dbc2d1a3cd8"
    assert hmac_hex(KEY, MESSAGE, "sha1") == "de7c9b85b8b78aa6bc8a7a36f70a90701c9db4d9"
    assert hmac_base64(KEY.encode(), MESSAGE) == "97yD9DBThCSxMpjmqm+xQ+9NWaFJRhdZl0edvC0aPNg="
    assert hmac_base64(KEY, MESSAGE, "sha1") == "3nybhbi3iqa8ino29wqQcBydtNk="
    assert sha256_hex(b"abc") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"


def test_a_signature_matches_or_is_refused_without_being_shown() -> None:
    require("good", "good")
    require(["old", "good"], "good")
    for wrong in ("bad", "", "gööd", [], ["old", "older"]):
        with pytest.raises(BadSignatureError) as error:
            require(wrong, "good")
        assert "good" not in str(error.value)


def test_basic_authentication() -> None:
    require_basic({"authorization": "Basic aG9vazpzM2NyZXQ="}, "hook", SecretStr("s3cret"))
    for headers in ({}, {"authorization": "Basic aG9vazp3cm9uZw=="}):
        with pytest.raises(BadSignatureError) as error:
            require_basic(headers, "hook", SecretStr("s3cret"))
        assert "s3cret" not in str(error.value)


@pytest.mark.parametrize(
    ("stamp", "unit"),
    [(NOW.timestamp(), "s"), (str(int(NOW.timestamp() * 1000)), "ms"), ("2026-11-23T09:00:00Z", "s")],
)
def test_times_are_read_and_old_ones_refused(stamp: str | float, unit: str) -> None:
    for away in (timedelta(minutes=5), timedelta(minutes=-5)):
        require_fresh(stamp, now=NOW + away, unit=unit)  # type: ignore[arg-type]  # parametrised
    for away in (timedelta(minutes=5, seconds=1), timedelta(minutes=-5, seconds=-1)):
        with pytest.raises(BadSignatureError, match="replayed"):
            require_fresh(stamp, now=NOW + away, unit=unit)  # type: ignore[arg-type]  # parametrised


@pytest.mark.parametrize("stamp", ["", "yesterday", "2026-11-23T09:00:00", "nan", "inf"])
def test_a_time_that_is_none_is_refused(stamp: str) -> None:
    with pytest.raises(BadSignatureError):
        require_fresh(stamp, now=NOW)


def test_what_is_missing_is_named() -> None:
    assert header({"x-sig": " a "}, "x-sig") == "a"
    with pytest.raises(BadSignatureError, match="x-sig is missing"):
        header({"x-sig": ""}, "x-sig")
    assert secret_of(SecretStr("a")) == "a"
    for value in (None, SecretStr("")):
        with pytest.raises(BadSignatureError, match="webhook_secret is not set"):
            secret_of(value)
