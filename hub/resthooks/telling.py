"""Events into the delivery ledger: a row a hook and event, under a key that makes writing it twice harmless.

All of a batch is one transaction: the rows, and the hooks' places in the log. Two processes that tell at the same time write
the same rows once.
"""

import logging
from collections.abc import Sequence
from datetime import datetime
from hashlib import blake2b
from typing import Any

from hub.events import find_place
from hub.model.actions import DeliveryState
from hub.resthooks.events import EVENTS, body_of, type_of
from hub.resthooks.subscribing import ADDRESS
from hub.store import Store
from hub.store.deliveries import reserve
from hub.store.endpoints import find_endpoints
from hub.store.events import Heard, find_events
from hub.store.privacy import secrets as stored
from hub.store.resthooks import RestHook, describe, end_hooks, find_dead, find_hooks, move_places

log = logging.getLogger(__name__)
AT_ONCE = 1_000
CHANNEL = "webhook"


async def tell(store: Store, *, now: datetime) -> int:
    """Reserve what has happened since for every hook; how many messages. Hooks that lead nowhere any more are ended."""
    await _end_dead(store, now=now)
    await find_place(store)  # numbers what has none yet
    reserved = 0
    while True:
        async with store.transaction() as connection:
            hooks = await find_hooks(connection, now=now)
            if not hooks:
                return reserved
            heard = await find_events(connection, after=min(each.place for each in hooks), most=AT_ONCE)
            if not heard:
                return reserved
            wanted = [each for each in heard if type_of(each) in EVENTS and each.customer_id is not None]
            told = await describe(connection, wanted)
            rows = [
                _row(hook, each, body_of(each, told[each.number]), now=now)
                for each in wanted
                if each.number in told
                for hook in hooks
                if _is_for(hook, each)
            ]
            reserved += len(await reserve(connection, rows))
            await move_places(connection, [each.id for each in hooks], to=heard[-1].number)
        if len(heard) < AT_ONCE:
            return reserved


def _is_for(hook: RestHook, heard: Heard) -> bool:
    mine = hook.book is None or (heard.csm_email or "").lower() == hook.book
    return mine and heard.number > hook.place and hook.event == type_of(heard)


def _row(hook: RestHook, heard: Heard, payload: dict[str, Any], *, now: datetime) -> dict[str, Any]:
    key = f"{hook.id}:{heard.number}"
    return {
        "id": f"del_{blake2b(key.encode(), digest_size=16).hexdigest()}",
        "dedup_key": f"resthook.{key}",
        "channel": CHANNEL,
        "address": ADDRESS + hook.id,
        "customer_id": heard.customer_id,
        "subject": hook.event,
        "payload": payload,
        "state": DeliveryState.RESERVED.value,
        "attempts": 0,
        "reserved_at": now,
    }


async def _end_dead(store: Store, *, now: datetime) -> None:
    """Whose token opens no more, and whose address said that it is gone or failed for days."""
    async with store.transaction() as connection:
        dead = await find_dead(connection, now=now)
        disabled = [each.address for each in await find_endpoints(connection, disabled=True) if each.channel == CHANNEL]
        gone = [address.removeprefix(ADDRESS) for address in disabled if address.startswith(ADDRESS)]
        for ids, why in ((dead, "its token opens no more"), (gone, "its address takes nothing any more")):
            await _end(connection, ids, why, now=now)


async def _end(connection: Any, ids: Sequence[str], why: str, *, now: datetime) -> None:
    if ids and await end_hooks(connection, ids, by=why, now=now):
        log.warning("REST hooks are told no more, for %s: %s", why, ", ".join(ids))
        for each in ids:
            await stored.remove(connection, each)
