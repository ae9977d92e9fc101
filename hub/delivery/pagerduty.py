"""PagerDuty by its Events API v2: an incident is opened, acknowledged and resolved under one key.

    payload   an event without `routing_key`, as `trigger`, `acknowledge` and `resolve` make it
    address   the name of a service in the settings; its integration key is a secret and stands in no ledger

PagerDuty knows an incident by its `dedup_key`: a second trigger with an open one's key changes that one, and what speaks of a
closed one is dropped. So an event whose answer got lost is sent again with the same key. Answer 202 says that the event was
accepted, not that anybody was called; the receipt says no more.
"""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any, Literal

import orjson

from hub.delivery.base import Manners, Message, Receipt, Refusal, Rejected, Uncertain
from hub.delivery.posting import Answer, post

BASE_URL = "https://events.pagerduty.com"
TIMEOUT_SECONDS = 15.0
MANNERS = Manners(interval=timedelta(milliseconds=150), recognises=True)
"""Its throttle is dynamic, about 480 events a minute a key. In order: a resolve must not overtake its trigger."""
MAX_EVENT = 500_000
MAX_SUMMARY = 1_024
MAX_KEY = 255

Severity = Literal["critical", "error", "warning", "info"]
SEVERITIES: Mapping[str, Severity] = {"urgent": "critical", "high": "error", "normal": "warning", "low": "info"}
"""PagerDuty's word for the severity of an alert."""
ACTIONS = ("trigger", "acknowledge", "resolve")


def trigger(
    summary: str,
    *,
    source: str,
    severity: Severity,
    incident: str | None = None,
    details: Mapping[str, Any] | None = None,
    link: str | None = None,
) -> dict[str, Any]:
    """The event that opens an incident, or changes it where it is open.

    source    what it is about: the customer's name
    incident  the key to open it under; None: the dedup key of the message, which is what to acknowledge and resolve later
    link      where people look it up
    """
    event: dict[str, Any] = {
        "event_action": "trigger",
        "payload": {
            "summary": summary[:MAX_SUMMARY],
            "source": source,
            "severity": severity,
            "custom_details": dict(details or {}),
        },
        "client": "cshub",
    }
    if incident is not None:
        event["dedup_key"] = incident
    if link is not None:
        event |= {"client_url": link, "links": [{"href": link, "text": "Open in cshub"}]}
    return event


def acknowledge(incident: str) -> dict[str, Any]:
    """The event that says somebody has taken it."""
    return {"event_action": "acknowledge", "dedup_key": incident}


def resolve(incident: str) -> dict[str, Any]:
    """The event that closes it."""
    return {"event_action": "resolve", "dedup_key": incident}


class PagerDutyChannel:
    """Sends events for `services`, {name: integration key}. `base_url`: another one for the EU, or a proxy in front."""

    name = "pagerduty"

    def __init__(
        self,
        services: Mapping[str, str],
        *,
        base_url: str = BASE_URL,
        timeout_seconds: float = TIMEOUT_SECONDS,
        manners: Manners = MANNERS,
    ) -> None:
        self.manners = manners
        self._services = dict(services)
        self._base_url = base_url.rstrip("/")
        self._timeout = timeout_seconds

    @property
    def places(self) -> frozenset[str]:
        """The names a playbook may say."""
        return frozenset(self._services)

    def __repr__(self) -> str:
        return f"PagerDutyChannel({self._base_url}, {', '.join(sorted(self._services))})"

    async def send(self, message: Message) -> Receipt:
        routing_key = self._services.get(message.address)
        if routing_key is None:
            there = ", ".join(sorted(self._services)) or "none"
            raise Rejected(
                f"no PagerDuty service {message.address!r} is set up; there are: {there}", kind=Refusal.PERMANENT
            )
        event = _event(message)
        body = orjson.dumps({"routing_key": routing_key, **event})
        if len(body) > MAX_EVENT:
            raise Rejected(
                f"the event has {len(body):,} bytes, more than PagerDuty's {MAX_EVENT:,}", kind=Refusal.PERMANENT
            )
        answer = await post(
            f"{self._base_url}/v2/enqueue",
            body,
            to="PagerDuty",
            headers={"Content-Type": "application/json"},
            timeout_seconds=self._timeout,
        )
        if not answer.taken:
            raise _sorted(answer, secret=routing_key)
        return {"accepted": answer.status, "event_action": event["event_action"], "dedup_key": event["dedup_key"]}


def _event(message: Message) -> dict[str, Any]:
    event = dict(message.payload)
    action = event.get("event_action")
    if action not in ACTIONS:
        raise Rejected(f"event_action {action!r} is none of: {', '.join(ACTIONS)}", kind=Refusal.PERMANENT)
    if action == "trigger":
        event.setdefault("dedup_key", message.dedup_key)  # never without: PagerDuty would make up one of its own
    key = event.get("dedup_key")
    if not isinstance(key, str) or not 0 < len(key) <= MAX_KEY:
        raise Rejected(
            f"{action} needs the dedup_key of an incident, 1 to {MAX_KEY} characters", kind=Refusal.PERMANENT
        )
    return event


def _sorted(answer: Answer, *, secret: str) -> Rejected | Uncertain:
    if answer.status == 429:
        return Rejected("PagerDuty asks to wait (429)", kind=Refusal.TRANSIENT, retry_after=answer.retry_after)
    if answer.status >= 500:
        return Uncertain(f"PagerDuty failed with {answer.status} and may have taken the event")
    if answer.status in (401, 403):
        return Rejected(f"PagerDuty refuses our integration key ({answer.status}): renew it", kind=Refusal.DENIED)
    if answer.status < 400:
        return Rejected(
            f"PagerDuty's address answers with a redirect ({answer.status}), which is not followed: set base_url anew",
            kind=Refusal.DENIED,
        )
    told = _told(answer).replace(secret, "…")
    return Rejected(
        f"PagerDuty refuses the event ({answer.status})" + (f": {told}" if told else ""), kind=Refusal.PERMANENT
    )


def _told(answer: Answer) -> str:
    """Its own account of an event it cannot take."""
    try:
        said = orjson.loads(answer.body)
    except orjson.JSONDecodeError:
        return ""
    errors = said.get("errors") if isinstance(said, dict) else None
    return "; ".join(str(error)[:200] for error in errors[:3]) if isinstance(errors, list) else ""
