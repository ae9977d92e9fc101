"""Webhooks of Intercom: X-Hub-Signature is "sha1=" and the HMAC of the raw body by the app's client secret.

A notification names its topic and holds the row as `data.item`; it is a hint only, what stands in the row is fetched. No
time is signed, so what is sent again is known by its id. `ping` tries the address, and so does a HEAD request.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import orjson

from connectors.intercom.connector import Settings
from connectors.intercom.mapping import TICKET
from connectors.kit.base import BadRowError
from connectors.kit.signing import Hint, header, hmac_hex, require, secret_of
from connectors.kit.values import given, moment

STREAMS = {
    "company": ("companies",),
    "contact": ("contacts",),
    "user": ("contacts",),
    "lead": ("contacts",),
    "conversation": ("conversations",),
    "ticket": ("tickets",),
}
RATED = "conversation.rating."


def verified(
    headers: Mapping[str, str], body: bytes, *, settings: Settings, method: str, url: str, now: datetime
) -> None:
    secret = secret_of(settings.webhook_secret)
    require(header(headers, "x-hub-signature"), "sha1=" + hmac_hex(secret, body, "sha1"))


def hints(headers: Mapping[str, str], body: bytes) -> Sequence[Hint]:
    told = _object(body)
    item = (told.get("data") or {}).get("item")
    if not isinstance(item, Mapping) or item.get("type") not in STREAMS:
        return ()
    if not given(item.get("id")):
        raise BadRowError("is empty", field="data.item.id")
    stamp, topic = told.get("created_at"), str(told.get("topic"))
    streams = (*STREAMS[item["type"]], *(("ratings",) if topic.startswith(RATED) else ()))
    event = str(told.get("id") or f"{topic} {item['id']} {stamp}")
    return [
        Hint(
            event_id=f"{event} {stream}",
            stream=stream,
            key=(TICKET if stream == "tickets" else "") + str(item["id"]),
            at=moment(stamp, field="created_at") if given(stamp) else None,
        )
        for stream in streams
    ]


def answer(method: str, headers: Mapping[str, str], body: bytes) -> bytes | None:
    """An address is tried with HEAD before it is taken."""
    return b"" if method == "HEAD" else None


def _object(body: bytes) -> Mapping[str, Any]:
    try:
        told = orjson.loads(body)
    except orjson.JSONDecodeError:
        raise BadRowError("is no JSON", field="body") from None
    if not isinstance(told, Mapping) or not isinstance(told.get("data") or {}, Mapping):
        raise BadRowError("is no notification", field="body")
    return told
