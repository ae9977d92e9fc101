"""Pipedrive's webhooks, version 2: nothing is signed, a user and a password go with each (HTTP basic authentication)."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import orjson
from pydantic import SecretStr

from connectors.kit.base import BadRowError
from connectors.kit.signing import Hint, require_basic, secret_of
from connectors.kit.values import moment
from connectors.pipedrive.connector import Settings

STREAMS = {"organization": "organizations", "person": "persons", "deal": "deals"}


def verified(
    headers: Mapping[str, str], body: bytes, *, settings: Settings, method: str, url: str, now: datetime
) -> None:
    secret = secret_of(settings.webhook_secret)
    require_basic(headers, settings.webhook_user, SecretStr(secret))


def hints(headers: Mapping[str, str], body: bytes) -> Sequence[Hint]:
    try:
        told: Any = orjson.loads(body)
    except orjson.JSONDecodeError:
        raise BadRowError("the body is no JSON") from None
    meta = told.get("meta") if isinstance(told, dict) else None
    if not isinstance(meta, dict) or not meta.get("entity"):
        raise BadRowError("the body has no meta that names an entity", field="meta.entity")
    stream = STREAMS.get(str(meta["entity"]))
    if stream is None:
        return ()
    key = meta.get("entity_id")
    if not key:
        raise BadRowError("an event without its row's id", field="meta.entity_id")
    at = moment(meta["timestamp"], field="meta.timestamp") if meta.get("timestamp") else None
    event_id = meta.get("id") or f"{meta['entity']} {key} {meta.get('action')} {meta.get('timestamp')}"
    return (Hint(event_id=str(event_id), stream=stream, key=str(key), at=at),)
