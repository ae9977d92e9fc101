"""Stripe's webhooks: `Stripe-Signature: t=…,v1=…`, of which v1 is the HMAC of "<t>.<body>"; several while a secret rotates."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import orjson

from connectors.kit.base import BadRowError
from connectors.kit.signing import BadSignatureError, Hint, header, hmac_hex, require, require_fresh, secret_of
from connectors.kit.values import moment
from connectors.stripe.connector import STREAM_OF, Settings


def verified(
    headers: Mapping[str, str], body: bytes, *, settings: Settings, method: str, url: str, now: datetime
) -> None:
    secret = secret_of(settings.webhook_secret)
    parts = [part.strip().partition("=") for part in header(headers, "stripe-signature").split(",")]
    stamps, given = [v for k, _, v in parts if k == "t"], [v for k, _, v in parts if k == "v1"]
    if len(stamps) != 1 or not given:
        raise BadSignatureError("header stripe-signature has no t, or no v1")
    require_fresh(stamps[0], now=now)
    require(given, hmac_hex(secret, f"{stamps[0]}.".encode() + body))


def hints(headers: Mapping[str, str], body: bytes) -> Sequence[Hint]:
    try:
        event: Any = orjson.loads(body)
    except orjson.JSONDecodeError:
        raise BadRowError("the body is no JSON") from None
    if not isinstance(event, dict) or not isinstance(event.get("type"), str) or not event.get("id"):
        raise BadRowError("the body is no event", field="type")
    stream = STREAM_OF.get(event["type"])
    if stream is None:
        return ()
    try:
        key = str(event["data"]["object"]["id"])
    except (KeyError, TypeError):
        raise BadRowError("an event without its object's id", field="data.object.id") from None
    at = moment(event["created"], field="created") if event.get("created") else None
    return (Hint(event_id=str(event["id"]), stream=stream, key=key, at=at),)
