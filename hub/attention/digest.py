"""One message a CSM and slot that lists what was held, those with the most at stake first.

A digest is a delivery under a key of CSM and slot: whoever makes it, and however often, it is made once, in the transaction
that says of each message it lists where it is told. What comes to be held for a slot that had its digest already waits for
the next one. A template that cannot be rendered leaves everything as it was.
"""

import logging
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import blake2b
from typing import Any

from hub.attention.budget import Attention, Rate
from hub.attention.concerns import CSM
from hub.attention.ranking import stake
from hub.attention.rules import weight
from hub.attention.slots import newest_slot, next_slot
from hub.delivery import Renderer, RenderError
from hub.model.actions import DeliveryState
from hub.model.records import Severity
from hub.model.team import Member
from hub.store import Connection, Store, deliveries
from hub.store import attention as lock
from hub.store import digests as rows
from hub.store.digests import Waiting

log = logging.getLogger(__name__)

TEMPLATE = "attention_digest"
MOST_SHOWN = 40
MOST_IN_SLACK = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class Digest:
    """A digest: made, or as it would be."""

    owner_email: str
    slot: datetime
    items: Sequence[Waiting]
    deliveries: Sequence[Mapping[str, Any]] = ()

    @property
    def id(self) -> str:
        return str(self.deliveries[0]["id"])


class Digests:
    """Makes them. channels: the kinds that are set up."""

    def __init__(
        self,
        attention: Attention,
        renderer: Renderer,
        *,
        channels: Collection[str],
        hub_url: str,
    ) -> None:
        self._attention = attention
        self._renderer = renderer
        self._channels = channels
        self._hub_url = hub_url.rstrip("/")
        self._rate: Rate | None = attention.rate

    async def make(self, store: Store, *, now: datetime) -> list[Digest]:
        """Reserve the digests that are due; those that are new."""
        async with store.reading() as connection:
            if not await rows.find_waiting(connection, book=None, due_by=now):
                return []
        made = []
        async with store.transaction() as connection:
            await lock.begin(connection)
            waiting = await rows.find_waiting(connection, book=None, due_by=now, lock=True)
            for owner, items in _by_owner(waiting).items():
                try:
                    digest = self.of(owner, items, now=now)
                except RenderError:
                    log.exception("the digest of %s cannot be rendered; its %d messages wait", owner, len(items))
                    continue
                if await self._write(connection, digest, now=now):
                    made.append(digest)
        return made

    def all_of(self, waiting: Sequence[Waiting], *, now: datetime) -> list[Digest]:
        """Everybody's, as they would be now; raise RenderError."""
        return [self.of(owner, items, now=now) for owner, items in sorted(_by_owner(waiting).items())]

    def of(self, owner: str, waiting: Sequence[Waiting], *, now: datetime) -> Digest:
        """The digest of one CSM; raise RenderError."""
        member = self._attention.team.member(owner)
        slot = newest_slot(member, now, self._attention.rules.digest_at)
        items = sorted(waiting, key=_order)
        made = [self._row(*way, owner, member, slot, items, now=now) for way in self._ways(member)]
        return Digest(owner_email=owner, slot=slot, items=items, deliveries=made)

    async def _write(self, connection: Connection, digest: Digest, *, now: datetime) -> bool:
        ids = [each.id for each in digest.items]
        if digest.id in await deliveries.reserve(connection, digest.deliveries):
            here = self._attention.team.member(digest.owner_email).local(digest.slot)
            detail = f"told in the digest {digest.id} of {here:%Y-%m-%d %H:%M}"
            await rows.tell_in(connection, ids, digest_id=digest.id, detail=detail)
            return True
        member = self._attention.team.member(digest.owner_email)
        later = next_slot(member, now, self._attention.rules.digest_at)
        await rows.put_off(connection, dict.fromkeys(ids, later))
        return False

    def _ways(self, member: Member) -> list[tuple[str, str]]:
        """(channel, address): by e-mail, and to their Slack where it is known; the ledger says what is not set up."""
        slack = [("slack", member.slack)] if member.slack and "slack" in self._channels else []
        return slack if slack and "email" not in self._channels else [("email", member.email), *slack]

    def _row(
        self,
        channel: str,
        address: str,
        owner: str,
        member: Member,
        slot: datetime,
        items: Sequence[Waiting],
        *,
        now: datetime,
    ) -> dict[str, Any]:
        most = MOST_IN_SLACK if channel == "slack" else MOST_SHOWN
        shown = items[:most]
        made = self._renderer.render(
            channel,
            TEMPLATE,
            {
                "name": member.name or owner,
                "day": f"{member.local(slot):%A, %d %B %Y}",
                "count": len(items),
                "customers": len({each.customer_id for each in items}),
                "items": [self._words(each, owner) for each in shown],
                "more": len(items) - len(shown),
                "link": self._hub_url,
                "company": "",
            },
        )
        parts = "\x1f".join((owner, slot.isoformat(), channel))
        key = f"digest.{slot:%Y%m%d%H%M}.{blake2b(parts.encode(), digest_size=16).hexdigest()}"
        return {
            "id": f"del_{key.rpartition('.')[2]}",
            "dedup_key": key,
            "channel": channel,
            "address": address,
            "subject": made.subject,
            "payload": made.payload,
            "state": DeliveryState.RESERVED.value,
            "attempts": 0,
            "reserved_at": now,
            "audience": CSM,
            "owner_email": owner,
            "severity": Severity.NORMAL.value,
        }

    def _words(self, item: Waiting, owner: str) -> dict[str, Any]:
        told = item.subject or str(item.payload.get("text") or item.channel)
        return {
            "customer": _one_line(item.customer_name or item.customer_id),
            "what": _one_line(told),
            "severity": item.severity,
            "churn_risk": item.churn_risk,
            "arr": item.arr,
            "stake": stake(item.churn_risk, item.arr),
            "link": f"{self._hub_url}/customers/{item.customer_id}",
            "rate": None if self._rate is None or item.run_id is None else self._rate(item.run_id, owner),
        }


def _by_owner(waiting: Sequence[Waiting]) -> dict[str, list[Waiting]]:
    found: dict[str, list[Waiting]] = {}
    for each in waiting:
        found.setdefault(each.owner_email, []).append(each)
    return found


def _order(item: Waiting) -> tuple[float, int, datetime, str]:
    return (-stake(item.churn_risk, item.arr), -weight(item.severity), item.reserved_at, item.id)


def _one_line(text: str) -> str:
    return " ".join(text.split())
