"""What the simulated HubSpot sends as webhooks, and how it signs them."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import orjson

from connectors.hubspot.portal import CONTACT_IDS, DEAL_IDS
from connectors.kit.signing import hmac_base64, secret_of
from connectors.kit.simulated import crm_id

KINDS = {"account": "company", "person": "contact", "deal": "deal"}


def event(what: str, number: int) -> bytes:
    """A property of one object changed; KeyError for what a portal has not."""
    key = {"account": crm_id(number), "person": str(CONTACT_IDS + number), "deal": str(DEAL_IDS + number)}[what]
    told = {
        "eventId": 3_000 + number,
        "subscriptionId": 22,
        "portalId": 1_160,
        "appId": 54_321,
        "occurredAt": 1_795_000_000_000 + number,
        "subscriptionType": f"{KINDS[what]}.propertyChange",
        "attemptNumber": 0,
        "objectId": int(key),
        "changeSource": "CRM",
        "propertyName": "name",
        "propertyValue": "other",
    }
    return orjson.dumps([told])


def signed(body: bytes, *, settings: Any, method: str, url: str, now: datetime) -> Mapping[str, str]:
    stamp = str(int(now.timestamp() * 1000))
    message = f"{method}{url}".encode() + body + stamp.encode()
    signature = hmac_base64(secret_of(settings.webhook_secret), message)
    return {"X-HubSpot-Request-Timestamp": stamp, "X-HubSpot-Signature-v3": signature}
