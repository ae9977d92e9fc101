"""What the simulated Zendesk sends as webhooks, and how it signs them."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import orjson

from connectors.kit.signing import hmac_base64, secret_of

TOLD = {
    "ticket": ("ticket", "ticket.status_changed", 0),
    "person": ("user", "user.last_login_changed", 500_000),
    "account": ("organization", "organization.name_changed", 70_000),
}


def event(what: str, number: int) -> bytes:
    """One row changed; KeyError for what is none of Zendesk's."""
    kind, told, base = TOLD[what]
    key = str(base + number)
    return orjson.dumps(
        {
            "account_id": 22129848,
            "detail": {"id": key, "updated_at": "2026-11-20T11:00:00Z"},
            "event": {},
            "id": f"cbe4028c-7239-495d-b020-{base + number:012}",
            "subject": f"zen:{kind}:{key}",
            "time": "2026-11-20T11:00:00Z",
            "type": f"zen:event-type:{told}",
            "zendesk_event_version": "2022-11-06",
        }
    )


def signed(body: bytes, *, settings: Any, method: str, url: str, now: datetime) -> Mapping[str, str]:
    stamp = now.strftime("%Y-%m-%dT%H:%M:%SZ")
    signature = hmac_base64(secret_of(settings.webhook_secret), stamp.encode() + body)
    return {"X-Zendesk-Webhook-Signature": signature, "X-Zendesk-Webhook-Signature-Timestamp": stamp}
