"""Signed links: what a button in a mail says of itself, so that nobody can make one up or use one for another purpose.

    token = links.sign("unsubscribe", {"email": "jo@example.com"})
    links.read("unsubscribe", token, now=now)            {"email": "jo@example.com"}

A token is URL-safe text: the data (readable by whoever has it: put no secret in), and an HMAC-SHA256 of purpose and data.
The key is hub.yaml's `secret`, or one that the hub makes itself and keeps in the store. The same data makes the same
token, so a message that is rendered twice is the same message; what may be used once is up to whoever reads it.
"""

import base64
import binascii
import hashlib
import hmac
import secrets
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import TypeAlias

import orjson

from hub.errors import RefusedError
from hub.store import Store
from hub.store.signing import keep_key

NAME = "links"
LONGEST = 2_000
MAC_BYTES = 20
"""Of the 32 of an HMAC-SHA256: RFC 2104 takes half of them for enough, and links are short."""
Data: TypeAlias = Mapping[str, str | int]


class LinkError(RefusedError):
    """A link that is not one of ours, or not any more; the message is fit to show."""


class Links:
    """Signs and reads. `secret`: the configured one; None: `open` gets the store's before anything is signed."""

    def __init__(self, secret: str | None = None) -> None:
        self._key = None if secret is None else secret.encode()

    def __repr__(self) -> str:
        return "Links()"

    async def open(self, store: Store, *, now: datetime) -> None:
        """Take the store's key where none is configured."""
        if self._key is None:
            async with store.transaction() as connection:
                kept = await keep_key(connection, NAME, proposed=secrets.token_urlsafe(32), now=now)
            self._key = kept.encode()

    def sign(self, purpose: str, data: Data, *, expires_at: datetime | None = None) -> str:
        """A token for `data`. `purpose`: small words; a token is read only by who expects the same."""
        body: dict[str, object] = {"d": dict(data)}
        if expires_at is not None:
            body["x"] = int(expires_at.timestamp())
        payload = orjson.dumps(body, option=orjson.OPT_SORT_KEYS)
        return f"{_encoded(payload)}.{_encoded(self._mac(purpose, payload))}"

    def read(self, purpose: str, token: str, *, now: datetime) -> dict[str, str | int]:
        """The data of a token; LinkError where it is forged, for something else, or expired."""
        head, dot, tail = token.partition(".")
        payload, given = _decoded(head), _decoded(tail)
        if not dot or len(token) > LONGEST or payload is None or given is None:
            raise LinkError("this link is not complete: copy the whole of it from the message")
        if not hmac.compare_digest(self._mac(purpose, payload), given):
            raise LinkError("this link is not valid")
        body = orjson.loads(payload)  # ours, as its signature says
        if "x" in body and body["x"] <= now.timestamp():
            raise LinkError(f"this link was good until {datetime.fromtimestamp(body['x'], UTC):%Y-%m-%d %H:%M} UTC")
        data: dict[str, str | int] = body["d"]
        return data

    def _mac(self, purpose: str, payload: bytes) -> bytes:
        assert self._key is not None, "open() first: there is no key yet"
        return hmac.digest(self._key, purpose.encode() + b"\x1f" + payload, hashlib.sha256)[:MAC_BYTES]


def _encoded(value: bytes) -> str:
    return base64.urlsafe_b64encode(value).rstrip(b"=").decode()


def _decoded(text: str) -> bytes | None:
    """None where it is no base64 as `_encoded` writes it: of two spellings of one token only ours is taken."""
    try:
        value = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        return None
    return value if value and _encoded(value) == text else None
