"""Webhooks out, and the check of those that come in: events as JSON, signed after the Standard Webhooks specification.

    webhook-id         the ledger's id of the message, the same on every attempt: who has seen it leaves it alone
    webhook-timestamp  seconds since 1970, of this attempt; a receiver refuses what is older than a few minutes
    webhook-signature  v1,<base64 of HMAC-SHA256 over "id.timestamp.body">, one a secret with blanks between them

    payload   exactly what is sent: {"type": "customer.at_risk", "timestamp": "…", "data": {…}}, see `event`
    address   the name of an endpoint in the settings; its address and secrets stand in no ledger

While a secret is being replaced two of them sign, so a receiver may change over when it likes. Messages may overtake each
other: who needs an order has `timestamp`. Any 2xx is a receipt; 410 says that the endpoint is no more; 400, 413, 415 and 422
speak of this one message; everything else is tried again.
"""

import base64
import binascii
import hmac
import secrets
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson
from standardwebhooks import Webhook

from hub.delivery.base import Manners, Message, Receipt, Refusal, Rejected, Uncertain
from hub.delivery.posting import Answer, post
from hub.delivery.reach import Lookup, Network, judged, look_up

TIMEOUT_SECONDS = 15.0
DISABLED_AFTER = timedelta(days=3)
MANNERS = Manners(
    interval=timedelta(0),
    ordered=False,
    recognises=True,
    expiry=timedelta(days=1),
    disabled_after=DISABLED_AFTER,
)
MAX_BODY = 256 * 1024
TOLERANCE = timedelta(minutes=5)
"""How old an event may be that comes to us: an older one may be somebody's copy."""
MOST_DIGITS = 12
PREFIX = "whsec_"
SHORTEST_SECRET, LONGEST_SECRET = 24, 64
ABOUT_THIS_MESSAGE = frozenset({400, 413, 415, 422})


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """Where events go, and the secrets that sign them: the newest first, at least one."""

    url: str = field(repr=False)
    secrets: tuple[str, ...] = field(repr=False)


Find = Callable[[str], Awaitable[Endpoint | None]]


def event(kind: str, data: Mapping[str, Any], *, at: datetime) -> dict[str, Any]:
    """A payload: what happened (words with dots between them), when, and about what."""
    return {"type": kind, "timestamp": at.astimezone(UTC).isoformat(), "data": dict(data)}


class WebhookChannel:
    """Posts to `endpoints`, {name: Endpoint}. `allowed`: private networks they may be in; otherwise only public ones.

    find  looks up addresses that are no names of the settings: those of REST hooks
    """

    name = "webhook"

    def __init__(
        self,
        endpoints: Mapping[str, Endpoint],
        *,
        allowed: Sequence[Network] = (),
        find: Find | None = None,
        lookup: Lookup = look_up,
        timeout_seconds: float = TIMEOUT_SECONDS,
        manners: Manners = MANNERS,
    ) -> None:
        self.manners = manners
        self._endpoints = dict(endpoints)
        self._find = find
        self._allowed = tuple(allowed)
        self._lookup = lookup
        self._timeout = timeout_seconds

    @property
    def places(self) -> frozenset[str]:
        """The names a playbook may say."""
        return frozenset(self._endpoints)

    def __repr__(self) -> str:
        return f"WebhookChannel({', '.join(sorted(self._endpoints))})"

    async def send(self, message: Message) -> Receipt:
        endpoint = self._endpoints.get(message.address)
        if endpoint is None and self._find is not None:
            endpoint = await self._find(message.address)
        if endpoint is None:
            there = ", ".join(sorted(self._endpoints)) or "none"
            raise Rejected(f"no webhook {message.address!r} is set up; there are: {there}", kind=Refusal.PERMANENT)
        body = orjson.dumps(dict(message.payload))
        if len(body) > MAX_BODY:
            raise Rejected(f"the event has {len(body):,} bytes, more than {MAX_BODY:,}", kind=Refusal.PERMANENT)
        to = f"webhook {message.address}"
        place = await judged(endpoint.url, to=to, allowed=self._allowed, lookup=self._lookup)
        id_ = message.id or message.dedup_key.replace(".", "_")  # a dot would be ambiguous in what is signed
        answer = await post(
            place.url,
            body,
            to=to,
            headers={
                "Host": place.host,
                "Content-Type": "application/json",
                **signed(endpoint.secrets, id_=id_, at=message.at, body=body),
            },
            timeout_seconds=self._timeout,
            extensions={"sni_hostname": place.name},
        )
        if not answer.taken:
            raise _sorted(answer, to)
        return {"webhook_id": id_, "status": answer.status}


def signed(with_secrets: Sequence[str], *, id_: str, at: datetime, body: bytes) -> dict[str, str]:
    """The three headers, as the specification's own library signs. ValueError for a secret that is none."""
    text = body.decode()
    signatures = [Webhook(key_of(secret)).sign(id_, at.astimezone(UTC), text) for secret in with_secrets]
    return {
        "webhook-id": id_,
        "webhook-timestamp": str(int(at.timestamp())),
        "webhook-signature": " ".join(signatures),
    }


def why_not(with_secrets: Sequence[str], headers: Mapping[str, str], body: bytes, *, now: datetime) -> str | None:
    """Why an event that came to us is not to be believed; None where it is. `headers` by names in small letters.

    The signature is made over the raw bytes, by any of the secrets; its age is at most TOLERANCE, in both directions.
    """
    id_, timestamp = headers.get("webhook-id", ""), headers.get("webhook-timestamp", "")
    if not id_ or "." in id_ or not timestamp.isascii() or not timestamp.isdecimal() or len(timestamp) > MOST_DIGITS:
        return "webhook-id or webhook-timestamp is missing, or is none"
    if abs(now.timestamp() - int(timestamp)) > TOLERANCE.total_seconds():
        return "the timestamp is too old or too new"
    at = datetime.fromtimestamp(int(timestamp), UTC)
    try:
        wanted = signed(with_secrets, id_=id_, at=at, body=body)["webhook-signature"].split()
    except UnicodeDecodeError:  # JSON is text
        return "no signature matches"
    given = headers.get("webhook-signature", "").split()
    if not any(hmac.compare_digest(ours.encode(), theirs.encode()) for theirs in given for ours in wanted):
        return "no signature matches"
    return None


def new_secret() -> str:
    """A secret for an endpoint, made here and now."""
    return PREFIX + base64.b64encode(secrets.token_bytes(32)).decode()


def key_of(secret: str) -> bytes:
    """The bytes a secret stands for; ValueError, without the secret in it, where it is none."""
    try:
        key = base64.b64decode(secret.removeprefix(PREFIX), validate=True)
    except (binascii.Error, ValueError):
        key = b""
    if not secret.startswith(PREFIX) or not SHORTEST_SECRET <= len(key) <= LONGEST_SECRET:
        raise ValueError(
            f"a webhook's secret is {PREFIX} and {SHORTEST_SECRET} to {LONGEST_SECRET} bytes in base64; "
            "`cshub delivery secret` makes one"
        )
    return key


def _sorted(answer: Answer, to: str) -> Rejected | Uncertain:
    status = answer.status
    if status == 410:
        return Rejected(f"{to} says that it is no more (410)", kind=Refusal.PERMANENT, gone=True)
    if status in ABOUT_THIS_MESSAGE:
        return Rejected(f"{to} refuses the event ({status})", kind=Refusal.PERMANENT)
    if status < 400:
        return Rejected(
            f"{to} answers with {status}; redirects are not followed: set its final address", kind=Refusal.TRANSIENT
        )
    if status in (429, 503):
        return Rejected(f"{to} asks to wait ({status})", kind=Refusal.TRANSIENT, retry_after=answer.retry_after)
    if status >= 500:
        return Uncertain(f"{to} failed with {status} and may have taken the event")
    return Rejected(f"{to} refuses us ({status})", kind=Refusal.TRANSIENT)
