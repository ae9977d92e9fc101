"""Webhooks of Freshdesk's automations: not signed, so the automation is told to send a secret in X-Webhook-Secret.

The body is what the automation's author made of it. Two shapes are read: the one Freshdesk proposes,
`{"freshdesk_webhook": {"ticket_id": 12, …}}`, and the same without the wrapping. Nothing in it names the event, unless the
author added `event_id`: without one each that arrives is another event, and fetching a ticket twice does no harm.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import orjson

from connectors.freshdesk.connector import Settings
from connectors.kit.base import BadRowError
from connectors.kit.signing import Hint, header, require, secret_of, sha256_hex
from connectors.kit.values import given

KEYS = {"ticket_id": "tickets", "contact_id": "contacts", "company_id": "companies"}
HEADER = "x-webhook-secret"
RECEIVED_AT = ":received-at"  # said by the hub


def verified(
    headers: Mapping[str, str], body: bytes, *, settings: Settings, method: str, url: str, now: datetime
) -> None:
    sent = header(headers, HEADER)
    require(sent, secret_of(settings.webhook_secret), otherwise=f"{HEADER} is not the source's webhook_secret")


def hints(headers: Mapping[str, str], body: bytes) -> Sequence[Hint]:
    try:
        told: Any = orjson.loads(body)
    except orjson.JSONDecodeError:
        raise BadRowError("is no JSON", field="body") from None
    told = told.get("freshdesk_webhook", told) if isinstance(told, Mapping) else told
    if not isinstance(told, Mapping):
        raise BadRowError("is no object", field="body")
    event = str(told.get("event_id") or f"{sha256_hex(body)[:16]} {headers.get(RECEIVED_AT, '')}")
    return [
        Hint(event_id=f"{event} {stream}", stream=stream, key=_number(told[name], name))
        for name, stream in KEYS.items()
        if given(told.get(name))
    ][:1]


def _number(value: Any, field: str) -> str:
    """The id; a placeholder that was not filled in is no id. A ticket's may have the account's prefix: INC-12."""
    digits = str(value).strip().rpartition("-")[2]
    if not digits.isdecimal():
        raise BadRowError(f"{str(value)[:40]!r} is no id", field=field)
    return digits
