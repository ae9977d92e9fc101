"""Zendesk's webhooks: how they are signed, and which rows their events are about.

Signed are time and body together: base64 of an HMAC-SHA256 under the webhook's signing secret, in X-Zendesk-Webhook-Signature,
with the time in X-Zendesk-Webhook-Signature-Timestamp. A body is one event:

    {"type": "zen:event-type:ticket.created", "id": …, "time": …, "subject": "zen:ticket:5158", "detail": {"id": "5158", …}}

The webhook's subscriptions decide which come. A webhook that a trigger calls has a body of its author's making; one that names
`ticket_id` is a hint, too.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import orjson

from connectors.kit.base import BadRowError
from connectors.kit.signing import Hint, header, hmac_base64, require, require_fresh, secret_of
from connectors.kit.values import moment
from connectors.zendesk.connector import Settings

STREAMS = {"ticket": "tickets", "user": "users", "organization": "organizations"}


def verified(
    headers: Mapping[str, str], body: bytes, *, settings: Settings, method: str, url: str, now: datetime
) -> None:
    secret = secret_of(settings.webhook_secret)
    stamp = header(headers, "x-zendesk-webhook-signature-timestamp")
    require_fresh(stamp, now=now)
    require(header(headers, "x-zendesk-webhook-signature"), hmac_base64(secret, stamp.encode() + body))


def hints(headers: Mapping[str, str], body: bytes) -> Sequence[Hint]:
    try:
        event = orjson.loads(body)
    except orjson.JSONDecodeError:
        raise BadRowError("the body is no JSON") from None
    if not isinstance(event, dict):
        raise BadRowError("the body is no event")
    about = _about(event)
    if about is None:
        return ()
    stream, key = about
    at = moment(event["time"], field="time") if event.get("time") else None
    told = event.get("id") or headers.get("x-zendesk-webhook-invocation-id") or f"{stream}:{key}:{event.get('time')}"
    return (Hint(event_id=str(told), stream=stream, key=key, at=at),)


def _about(event: Mapping[str, Any]) -> tuple[str, str] | None:
    """(stream, key) of what an event is about; None for what is no row of ours."""
    if event.get("ticket_id"):
        return "tickets", str(event["ticket_id"])
    kind, _, deed = str(event.get("type", "")).removeprefix("zen:event-type:").partition(".")
    if kind not in STREAMS or not deed:
        return None
    detail = event.get("detail")
    key = detail.get("id") if isinstance(detail, dict) else None
    key = key or str(event.get("subject", "")).rpartition(":")[2]
    if not key:
        raise BadRowError("an event without the id of what it is about", field="detail.id")
    return STREAMS[kind], str(key)
