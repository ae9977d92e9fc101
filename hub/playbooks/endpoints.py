"""Addresses that fail and fail are sent nothing more, people are told once, and a person enables them again.

An *outage* begins with the first failure after a success and lasts until the next success. When it is older than the
channel allows and has had MIN_FAILURES failures (two attempts a weekend apart are no outage), or when the other side says
that it is no more, the address is disabled. What is then due to it fails in the ledger, nothing is sent, and a person may
resend it after enabling. What was refused for its own sake, such as a body too large, is no failure of the address.
"""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import blake2b

from hub.delivery import Refusal, Rejected, Uncertain
from hub.delivery.notice import payload
from hub.errors import NotFoundError, RefusedError
from hub.model.actions import Delivery, DeliveryState
from hub.store import Connection, Store, deliveries
from hub.store import endpoints as rows
from hub.store.endpoints import Endpoint, endpoint_id

log = logging.getLogger(__name__)

MIN_FAILURES = 3


@dataclass(frozen=True, slots=True)
class Told:
    """Where messages about the hub itself go: a channel ("slack", "email") and an address of it."""

    channel: str
    to: str


class Endpoints:
    """What the ledger knows of addresses that may be disabled."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def closed(self) -> dict[tuple[str, str], str]:
        """{channel and address: why nothing may be sent there}."""
        async with self._store.reading() as connection:
            found = await rows.find_endpoints(connection, disabled=True)
        return {
            (
                each.channel,
                each.address,
            ): f"{each.channel} {each.address} is disabled since {each.disabled_at:%Y-%m-%d %H:%M} UTC; "
            f"nothing was sent. When it works again: cshub delivery enable {each.address}, then resend"
            for each in found
        }

    async def note_taken(self, connection: Connection, sent: Sequence[Delivery]) -> None:
        """These arrived, so whatever was wrong with their addresses is over."""
        await rows.note_success(connection, sorted({endpoint_id(each.channel, each.address) for each in sent}))

    async def note(
        self, sent: Delivery, failure: Rejected | Uncertain, *, disabled_after: timedelta, now: datetime
    ) -> None:
        """What came of an attempt that failed; disables the address where that was one too many."""
        gone = isinstance(failure, Rejected) and failure.gone
        if isinstance(failure, Rejected) and failure.kind is not Refusal.TRANSIENT and not gone:
            return
        async with self._store.transaction() as connection:
            found = await rows.note_failure(connection, sent.channel, sent.address, error=failure.reason, now=now)
            lasted = now - (found.failing_since or now)
            over = gone or (found.failures >= MIN_FAILURES and lasted >= disabled_after)
            if over and await rows.disable(connection, found.id, now=now):
                log.warning("%s %s is disabled: %s", sent.channel, sent.address, failure.reason)


async def enable(store: Store, address: str, *, channel: str = "webhook", by: str, now: datetime) -> Endpoint:
    """Let messages go to an address again; NotFoundError, or RefusedError where it is not disabled."""
    id_ = endpoint_id(channel, address)
    async with store.transaction() as connection:
        enabled = await rows.enable(connection, id_, by=by, now=now)
        found = await rows.find_endpoints(connection, ids=[id_])
        disabled = await rows.find_endpoints(connection, disabled=True)
    if enabled:
        return found[0]
    there = ", ".join(each.address for each in disabled if each.channel == channel) or "none"
    if found:
        raise RefusedError(f"{channel} {address} is not disabled; disabled are: {there}")
    raise NotFoundError(f"no {channel} {address!r} has ever failed; disabled are: {there}")


async def tell_of_disabled(store: Store, told: Told, *, hub_url: str, now: datetime) -> list[str]:
    """Reserve the message about every disabled address, once each time it was disabled; return the deliveries' ids."""
    async with store.transaction() as connection:
        disabled = await rows.find_endpoints(connection, disabled=True)
        return await deliveries.reserve(connection, [_row(each, told, hub_url=hub_url, now=now) for each in disabled])


def _row(endpoint: Endpoint, told: Told, *, hub_url: str, now: datetime) -> dict[str, object]:
    assert endpoint.disabled_at is not None, "it was found for that"
    # what people can read of it, and a digest, for an address may be longer than a key
    key = (
        f"disabled.{blake2b(f'{endpoint.id} {endpoint.disabled_at.isoformat()}'.encode(), digest_size=16).hexdigest()}"
    )
    subject, text = words(endpoint, hub_url=hub_url)
    return {
        "id": f"del_{key.rpartition('.')[2]}",
        "dedup_key": key,
        "channel": told.channel,
        "address": told.to,
        "subject": subject,
        "payload": payload(told.channel, subject, text),
        "state": DeliveryState.RESERVED.value,
        "attempts": 0,
        "reserved_at": now,
    }


def words(endpoint: Endpoint, *, hub_url: str) -> tuple[str, str]:
    """(subject, text) of the message."""
    since = endpoint.failing_since
    subject = f"{endpoint.channel.capitalize()} {endpoint.address} is disabled"
    lines = [
        f"It has failed since {since:%Y-%m-%d %H:%M} UTC, {endpoint.failures} times without a single success."
        if since
        else "It failed.",
        f"The last time: {endpoint.error}.",
        "Nothing more is sent there; what is due fails in the delivery ledger and can be resent.",
        f"When it works again: cshub delivery enable {endpoint.address}. The hub: {hub_url}",
    ]
    return subject, "\n".join([f"{subject}.", "", *lines])
