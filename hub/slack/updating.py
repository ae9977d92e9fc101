"""Finds messages that show what is not so any more, and reserves their updates in the ledger.

What a message shows is compared with how things are, so it does not matter who changed them: a button, the API, a step of a
playbook, a snooze that is over. There is at most one update waiting for what a message shows now, however many changes
there were: it shows all of them when it is sent.
"""

from collections.abc import Collection
from datetime import datetime, timedelta
from hashlib import blake2b
from typing import Any

from hub.model.actions import DeliveryState
from hub.slack.showing import digest
from hub.slack.standing import find_standings
from hub.store import Store
from hub.store import slack as rows
from hub.store.deliveries import find_deliveries, reserve
from hub.store.slack import SlackMessage

LOOK_BACK = timedelta(days=2)
"""What changed before that is shown when it changes again; a hub that stood still for so long has other news."""


async def reserve_updates(store: Store, *, now: datetime, run_ids: Collection[str] | None = None) -> list[str]:
    """Reserve what is due, of these runs or of all that changed lately; the ids of new deliveries."""
    async with store.reading() as connection:
        changed = run_ids
        if changed is None:
            changed = await rows.find_changed_runs(connection, since=now - LOOK_BACK, now=now)
        messages = await rows.find_messages(connection, run_ids=changed) if changed else []
        standings = await find_standings(connection, {each.run_id for each in messages})
    stale = [each for each in messages if digest(standings[each.run_id], now=now) != each.shown]
    if not stale:
        return []
    async with store.transaction() as connection:
        posted = await find_deliveries(connection, ids=[each.delivery_id for each in stale])
        places = {each.id: (each.address, each.customer_id) for each in posted}
        return await reserve(
            connection, [_row(each, *places[each.delivery_id], now=now) for each in stale if each.delivery_id in places]
        )


def _row(message: SlackMessage, address: str, customer_id: str | None, *, now: datetime) -> dict[str, Any]:
    """The update from the version at hand; another one a day, should it have been in vain."""
    key = f"slack_update.{message.delivery_id}.{message.version}.{now:%Y%m%d}"
    return {
        "id": f"del_{blake2b(key.encode(), digest_size=16).hexdigest()}",
        "dedup_key": key,
        "customer_id": customer_id,
        "channel": "slack_update",
        "address": address,
        "payload": {"update_of": message.delivery_id},
        "state": DeliveryState.RESERVED.value,
        "attempts": 0,
        "reserved_at": now,
    }
