"""What webhook.py of a connector is written with: proof that the vendor sent a webhook, and what it hints at.

A folder that has a `webhook.py` is heard at /hooks/<source>. The module defines `verified`, and `hints` or `rows`:

    verified(headers, body, *, settings, method, url, now)   returns, or raises BadSignatureError
    hints(headers, body) -> Sequence[Hint]                   what to fetch again; a type of event it does not know gives none
    rows(headers, body) -> Sequence[Pushed]                  instead of hints, where the vendor (or whoever sends) cannot be
                                                             asked: the rows themselves, which land through their stream's
                                                             mapping as a page of a pull would
    answer(method, headers, body) -> bytes | None            optional: what a vendor wants back when it tries the address (a
                                                             challenge); None for an ordinary webhook. Called for HEAD and
                                                             GET too, and before `verified`

    PATHS = ("/v1/batch", …)                                 optional: paths of its own, for programs that can be told a host
                                                             and no path; a call there is for the source that verifies it
    ANSWER = b'{"success": true}'                            optional: what the sender wants to hear when all is kept

Header names are lower case, and beside them `:path` is the path that was called and `:received-at` when; `body` is what came
over the wire, `url` the public address and `now` the hub's time. `hints` and `rows` raise BadRowError for a body they cannot
read. The hub stores what they give before it answers, takes the same event id once, and fetches in batches, through
`Stream.fetch` where there is one and by a sync of the source where there is none.

    secret = settings.webhook_secret.get_secret_value()
    stamp = header(headers, "x-acme-timestamp")
    require_fresh(stamp, now=now)
    require(header(headers, "x-acme-signature"), hmac_base64(secret, stamp.encode() + body))
"""

import base64
import hashlib
import hmac
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal

from pydantic import SecretStr

from connectors.kit.errors import ConnectorError

Algorithm = Literal["sha1", "sha256"]
REPLAY_WINDOW = timedelta(minutes=5)


class BadSignatureError(ConnectorError):
    """A webhook that cannot be shown to be the vendor's: nothing of it is kept. The message shows no secret."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Hint:
    """Something changed at the vendor.

    event_id  the vendor's id of the event; the same id twice is one event. Where it sends none, what makes it another one
              (kind, key and time of the change, say)
    stream    of this connector, by name
    key       of the stream's main record (`Record.key`); None: the event tells no key, and the stream is pulled
    at        when it happened, where the event says
    """

    event_id: str
    stream: str
    key: str | None = None
    at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Pushed:
    """A row as it was sent. `event_id` as above: sent again, it is taken once. `raw` is what the stream's mapping reads."""

    event_id: str
    stream: str
    raw: Mapping[str, Any]


def header(headers: Mapping[str, str], name: str) -> str:
    """The value of a header, `name` in lower case; BadSignatureError where it is missing or empty."""
    value = headers.get(name, "").strip()
    if not value:
        raise BadSignatureError(f"header {name} is missing")
    return value


def hmac_digest(secret: str | bytes, message: bytes, algorithm: Algorithm = "sha256") -> bytes:
    """HMAC of `message`: 32 bytes, or 20 with sha1."""
    key = secret if isinstance(secret, bytes) else secret.encode()
    return hmac.digest(key, message, algorithm)


def hmac_hex(secret: str | bytes, message: bytes, algorithm: Algorithm = "sha256") -> str:
    """HMAC of `message` in lower-case hexadecimal digits."""
    return hmac_digest(secret, message, algorithm).hex()


def hmac_base64(secret: str | bytes, message: bytes, algorithm: Algorithm = "sha256") -> str:
    """HMAC of `message` in standard base64, padded."""
    return base64.b64encode(hmac_digest(secret, message, algorithm)).decode()


def sha256_hex(message: bytes) -> str:
    """For vendors that hash the secret together with the body instead of an HMAC."""
    return hashlib.sha256(message).hexdigest()


UNSIGNED = "the signature does not match; is the secret the one the vendor shows?"


def require(given: str | Iterable[str], expected: str, *, otherwise: str = UNSIGNED) -> None:
    """`given` (or one of several, while a vendor rotates secrets) is `expected`, compared in constant time.

    otherwise  what BadSignatureError says, where it is no signature that is compared
    """
    several = [given] if isinstance(given, str) else given
    if not sum(hmac.compare_digest(one.encode(), expected.encode()) for one in several):  # all are compared
        raise BadSignatureError(otherwise)


def require_basic(headers: Mapping[str, str], user: str, password: SecretStr) -> None:
    """HTTP basic authentication, for vendors that sign nothing."""
    pair = f"{user}:{password.get_secret_value()}".encode()
    expected = "Basic " + base64.b64encode(pair).decode()
    require(
        header(headers, "authorization"),
        expected,
        otherwise="the user or the password of the request is not the source's",
    )


def require_fresh(
    stamp: str | float, *, now: datetime, unit: Literal["s", "ms"] = "s", window: timedelta = REPLAY_WINDOW
) -> None:
    """The time a webhook says it was sent is within `window` of now, either way: clocks differ.

    stamp  seconds (or ms) since 1970, as a number or text; an ISO 8601 time with a zone is read, too
    """
    try:
        seconds = float(stamp) / (1000 if unit == "ms" else 1)
    except ValueError:
        seconds = _iso(str(stamp))
    if not abs(now.timestamp() - seconds) <= window.total_seconds():
        raise BadSignatureError(f"it was sent more than {window.total_seconds() / 60:g} minutes from now; replayed?")


def secret_of(value: SecretStr | None, *, setting: str = "webhook_secret") -> str:
    """A secret of the settings; BadSignatureError where it is not set: without it nothing can be believed."""
    if value is None or not value.get_secret_value():
        raise BadSignatureError(f"the source's {setting} is not set, so no webhook can be believed")
    return value.get_secret_value()


def _iso(stamp: str) -> float:
    try:
        when = datetime.fromisoformat(stamp)
    except ValueError:
        raise BadSignatureError("the time it was sent cannot be read") from None
    if when.tzinfo is None:
        raise BadSignatureError("the time it was sent names no zone")
    return when.timestamp()
