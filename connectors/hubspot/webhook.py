"""HubSpot's webhooks: version 3 of its signature, and what its events say has changed.

Signed are method, address, body and time together: base64 of an HMAC-SHA256 under the app's client secret, in
X-HubSpot-Signature-v3, and the milliseconds in X-HubSpot-Request-Timestamp, which may be five minutes old. In the address a
few escaped characters are signed as they read unescaped.

A body is a list of up to 100 events. An event names an object and not what it is now, so it is a hint. What is merged away is
named beside the survivor; associations name both ends.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

import orjson

from connectors.hubspot.connector import Settings
from connectors.kit.base import BadRowError
from connectors.kit.signing import Hint, header, hmac_base64, require, require_fresh, secret_of
from connectors.kit.values import moment

UNESCAPED = {"%3A": ":", "%2F": "/", "%3F": "?", "%40": "@", "%21": "!", "%24": "$", "%27": "'", "%28": "(", "%29": ")",
             "%2A": "*", "%2C": ",", "%3B": ";"}  # fmt: skip
STREAMS = {"company": "companies", "contact": "contacts", "deal": "deals"}
TYPE_IDS = {"0-1": "contacts", "0-2": "companies", "0-3": "deals"}
OBJECT_IDS = ("objectId", "primaryObjectId", "mergedObjectIds", "fromObjectId")


def verified(
    headers: Mapping[str, str], body: bytes, *, settings: Settings, method: str, url: str, now: datetime
) -> None:
    secret = secret_of(settings.webhook_secret)
    stamp = header(headers, "x-hubspot-request-timestamp")
    require_fresh(stamp, now=now, unit="ms")
    for escaped, plain in UNESCAPED.items():
        url = url.replace(escaped, plain).replace(escaped.lower(), plain)
    signed = f"{method.upper()}{url}".encode() + body + stamp.encode()
    require(header(headers, "x-hubspot-signature-v3"), hmac_base64(secret, signed))


def hints(headers: Mapping[str, str], body: bytes) -> Sequence[Hint]:
    try:
        events = orjson.loads(body)
    except orjson.JSONDecodeError:
        raise BadRowError("the body is no JSON") from None
    if not isinstance(events, list) or not all(isinstance(event, dict) for event in events):
        raise BadRowError("the body is no list of events")
    return [hint for event in events for hint in _hints(event)]


def _hints(event: Mapping[str, Any]) -> Iterator[Hint]:
    kind = str(event.get("subscriptionType", "")).partition(".")[0]
    stream = STREAMS.get(kind) or TYPE_IDS.get(str(event.get("objectTypeId", "")))
    if stream is None:
        return
    at = moment(event["occurredAt"], field="occurredAt") if event.get("occurredAt") else None
    named = [key for name in OBJECT_IDS for key in _keys(event.get(name))]
    if not named:
        raise BadRowError("an event without an object", field="objectId")
    for key in dict.fromkeys(named):
        told = (event.get("subscriptionType"), event.get("eventId"), event.get("occurredAt"), key)
        yield Hint(event_id=":".join(map(str, told)), stream=stream, key=key, at=at)


def _keys(value: Any) -> list[str]:
    values = value if isinstance(value, list) else [] if value is None else [value]
    return [str(each) for each in values]
