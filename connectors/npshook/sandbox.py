"""A tool that sends answers: it serves nothing, and signs what it sends by the Standard Webhooks scheme."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

import orjson
from starlette.applications import Starlette

from connectors.kit.sandbox import Faults, assemble
from connectors.kit.signing import hmac_base64, hmac_hex
from connectors.kit.simulated import World
from connectors.npshook.connector import Settings
from connectors.npshook.webhook import key_of

WHAT = ("nps",)


def app(world: Callable[[], World], *, token: str, faults: Faults) -> Starlette:
    return assemble([], faults=faults)


def settings(base_url: str, *, token: str) -> dict[str, Any]:
    return {
        "base_url": base_url,
        "signing": "hmac",
        "webhook_secret": f"{token}-hook-secret",
        "constants": {"type": "nps"},
    }


def truth(world: World) -> Mapping[str, Sequence[str]]:
    """Nothing, as long as nobody sends anything."""
    return {"responses": []}


def event(what: str, number: int) -> bytes:
    """An answer to the NPS survey as a tool might send it."""
    if what not in WHAT:
        raise LookupError(what)
    answer = {"id": f"nps-{number}", "score": number % 11, "respondent_email": f"kim{number}@acme{number}.example"}
    return orjson.dumps({**answer, "comment": "Good, fast", "responded_at": "2026-11-19T10:00:00Z"})


def signed(body: bytes, *, settings: Settings, method: str, url: str, now: datetime) -> dict[str, str]:
    secret = settings.webhook_secret.get_secret_value()
    if settings.signing == "hmac":
        return {"x-signature": "sha256=" + hmac_hex(secret, body)}
    if settings.signing == "secret":
        return {"x-webhook-secret": secret}
    stamp, key = str(int(now.timestamp())), f"msg_{hmac_hex('id', body)[:24]}"
    signature = hmac_base64(key_of(secret), f"{key}.{stamp}.".encode() + body)
    return {"webhook-id": key, "webhook-timestamp": stamp, "webhook-signature": f"v1,{signature}"}
