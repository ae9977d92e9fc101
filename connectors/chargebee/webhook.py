"""Chargebee's webhooks: nothing is signed, a user and a password go with each (HTTP basic authentication); in no order."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import orjson
from pydantic import SecretStr

from connectors.chargebee.connector import Settings
from connectors.kit.base import BadRowError
from connectors.kit.signing import Hint, require_basic, secret_of
from connectors.kit.values import moment

STREAMS = {"customer": "customers", "subscription": "subscriptions", "invoice": "invoices"}


def verified(
    headers: Mapping[str, str], body: bytes, *, settings: Settings, method: str, url: str, now: datetime
) -> None:
    secret = secret_of(settings.webhook_secret)
    require_basic(headers, settings.webhook_user, SecretStr(secret))


def hints(headers: Mapping[str, str], body: bytes) -> Sequence[Hint]:
    """An event shows everything it touched; each is fetched again."""
    try:
        event: Any = orjson.loads(body)
    except orjson.JSONDecodeError:
        raise BadRowError("the body is no JSON") from None
    if not isinstance(event, dict) or not event.get("id") or not isinstance(event.get("content"), dict):
        raise BadRowError("the body is no event", field="content")
    at = moment(event["occurred_at"], field="occurred_at") if event.get("occurred_at") else None
    found = []
    for name, stream in STREAMS.items():
        part = event["content"].get(name)
        if part is None:
            continue
        if not isinstance(part, dict) or not part.get("id"):
            raise BadRowError(f"an event with a {name} without id", field=f"content.{name}.id")
        found.append(Hint(event_id=f"{event['id']}/{stream}", stream=stream, key=str(part["id"]), at=at))
    return found
