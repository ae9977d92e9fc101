"""Webhooks of Typeform: Typeform-Signature is "sha256=" and the base64 HMAC-SHA256 of the raw body by the webhook's secret.

The body holds the response; it is a hint only, the response itself is fetched. No time is signed, so what is sent again is
known by its `event_id`.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import orjson

from connectors.kit.base import BadRowError
from connectors.kit.signing import Hint, header, hmac_base64, require, secret_of
from connectors.kit.values import given, moment
from connectors.typeform.connector import Settings

EVENT = "form_response"


def verified(
    headers: Mapping[str, str], body: bytes, *, settings: Settings, method: str, url: str, now: datetime
) -> None:
    secret = secret_of(settings.webhook_secret)
    require(header(headers, "typeform-signature"), "sha256=" + hmac_base64(secret, body))


def hints(headers: Mapping[str, str], body: bytes) -> Sequence[Hint]:
    try:
        told: Any = orjson.loads(body)
    except orjson.JSONDecodeError:
        raise BadRowError("is no JSON", field="body") from None
    if not isinstance(told, Mapping):
        raise BadRowError("is no object", field="body")
    if told.get("event_type") != EVENT:
        return ()
    response: Any = told.get(EVENT)
    if not isinstance(response, Mapping) or not given(response.get("form_id")) or not given(response.get("token")):
        raise BadRowError("names no form_id and token", field=EVENT)
    key, stamp = f"{response['form_id']}.{response['token']}", response.get("submitted_at")
    at = moment(stamp, field="submitted_at") if given(stamp) else None
    return (Hint(event_id=str(told.get("event_id") or key), stream="responses", key=key, at=at),)
