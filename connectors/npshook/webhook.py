"""What is sent to /hooks/<source>: one row, a list of rows, or {"responses": [rows]}, as JSON.

The sender proves itself as the source's setting `signing` says; of the Standard Webhooks scheme webhook-id names the event and
webhook-timestamp must be of the last five minutes. Without an id of the event a row's content is one: sent again unchanged, it
is taken once. A row that does not say when it was given was given when it arrived.
"""

import base64
import binascii
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import orjson

from connectors.kit.base import BadRowError
from connectors.kit.signing import (
    BadSignatureError,
    Pushed,
    header,
    hmac_base64,
    hmac_hex,
    require,
    require_fresh,
    secret_of,
    sha256_hex,
)
from connectors.npshook.connector import Settings

STREAM = "responses"
MOST_ROWS = 1_000
PREFIX = "whsec_"
ANOTHER = "the secret of the request is not the source's webhook_secret"
RECEIVED_AT = ":received-at"  # said by the hub


def verified(
    headers: Mapping[str, str], body: bytes, *, settings: Settings, method: str, url: str, now: datetime
) -> None:
    secret = secret_of(settings.webhook_secret)
    if settings.signing == "standard":
        stamp = header(headers, "webhook-timestamp")
        require_fresh(stamp, now=now)
        message = f"{header(headers, 'webhook-id')}.{stamp}.".encode() + body
        require(header(headers, "webhook-signature").split(), "v1," + hmac_base64(key_of(secret), message))
    elif settings.signing == "hmac":
        require(header(headers, "x-signature").removeprefix("sha256="), hmac_hex(secret, body))
    else:
        bearer = headers.get("authorization", "").removeprefix("Bearer ").strip()
        require(bearer or header(headers, "x-webhook-secret"), secret, otherwise=ANOTHER)


def rows(headers: Mapping[str, str], body: bytes) -> Sequence[Pushed]:
    try:
        told: Any = orjson.loads(body)
    except orjson.JSONDecodeError:
        raise BadRowError("is no JSON", field="body") from None
    some = told.get(STREAM, told) if isinstance(told, Mapping) else told
    some = some if isinstance(some, list) else [some]
    if not some or not all(isinstance(row, Mapping) for row in some):
        raise BadRowError('is no row, list of rows or {"responses": [rows]}', field="body")
    if len(some) > MOST_ROWS:
        raise BadRowError(f"holds {len(some):,} rows; at most {MOST_ROWS:,} are taken at once", field="body")
    event = headers.get("webhook-id", "").strip()
    received = {"received_at": at} if (at := headers.get(RECEIVED_AT)) else {}
    return [
        Pushed(event_id=f"{event} {number}" if event else _content(row), stream=STREAM, raw={**received, **row})
        for number, row in enumerate(some)
    ]


def key_of(secret: str) -> bytes:
    """The bytes a Standard Webhooks secret stands for: base64 behind whsec_."""
    try:
        return base64.b64decode(secret.removeprefix(PREFIX), validate=True)
    except binascii.Error:
        raise BadSignatureError(
            "the source's webhook_secret is no base64, which the standard scheme asks for"
        ) from None


def _content(row: Mapping[str, Any]) -> str:
    return sha256_hex(orjson.dumps(row, option=orjson.OPT_SORT_KEYS))
