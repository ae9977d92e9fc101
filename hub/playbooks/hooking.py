"""Events of other systems that set playbooks off: taken at once and kept, then fired by a job.

    {"type": "invoice.failed", "timestamp": "…", "data": {"customer": "acme.example", "amount": 120}}

`customer` may stand in `data` or beside it: an id, a domain or a key of some source as a text, or {id}, {domain}, or
{key, source}. Whoever it does not name is refused, and kept with the reason: sent again, or tried again by a person once the
customer is known, it is taken. The sender's id makes an event one event, however often it comes.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime
from hashlib import blake2b
from typing import Any

from hub.errors import NotFoundError, RefusedError
from hub.model.conditions import matches
from hub.playbooks.holdout import begin
from hub.playbooks.rows import run_row
from hub.playbooks.settling import settled
from hub.playbooks.spec import Playbook
from hub.store import Connection, Store, hooks, stops
from hub.store.due import is_snoozed
from hub.store.hooks import ACCEPTED, REFUSED, HookEvent
from hub.store.playbooks import find_situations
from hub.store.rests import find_resting

MAX_ID = 300


async def take(store: Store, hook: str, *, event_id: str, payload: Mapping[str, Any], now: datetime) -> HookEvent:
    """Keep an event that was signed; its `state` says whether it names a customer."""
    if not 0 < len(event_id) <= MAX_ID:
        raise RefusedError(f"the id of an event has 1 to {MAX_ID} characters")
    digest = blake2b(f"{hook}\x1f{event_id}".encode(), digest_size=16).hexdigest()
    kind = payload.get("type")
    async with store.transaction() as connection:
        customer_id, reason = await _customer(connection, payload)
        row = {
            "id": f"evt_{digest}",
            "hook": hook,
            "event_id": event_id,
            "type": kind if isinstance(kind, str) else None,
            "customer_id": customer_id,
            "payload": dict(payload),
            "state": ACCEPTED if customer_id else REFUSED,
            "reason": reason,
            "received_at": now,
        }
        return await hooks.keep(connection, row)


async def retry(store: Store, id_: str, *, now: datetime) -> HookEvent:
    """Look again whom a refused event means; NotFoundError, or RefusedError for one that was taken."""
    async with store.reading() as connection:
        found = await hooks.find_events(connection, ids=[id_])
    if not found:
        raise NotFoundError(f"there is no event {id_!r}")
    if found[0].state != REFUSED:
        raise RefusedError(f"the event is {found[0].state}; only a refused one can be tried again")
    return await take(store, found[0].hook, event_id=found[0].event_id, payload=found[0].payload, now=now)


async def _customer(connection: Connection, payload: Mapping[str, Any]) -> tuple[str | None, str | None]:
    """(customer id, None), or (None, why nobody can tell)."""
    data = payload.get("data")
    given = data.get("customer") if isinstance(data, Mapping) else None
    given = payload.get("customer") if given is None else given
    if isinstance(given, str) and given:
        asked: dict[str, Any] = {"id_": given, "domain": given, "key": given}
    elif isinstance(given, Mapping):
        asked = {
            to: given[name]
            for name, to in (("id", "id_"), ("domain", "domain"), ("key", "key"), ("source", "source"))
            if isinstance(given.get(name), str) and given[name]
        }
        if "id_" in asked:
            asked = {"id_": asked["id_"]}
    else:
        asked = {}
    if not asked.keys() - {"source"}:
        return None, "it names no customer: `customer` is an id, a domain, a key, or {id}, {domain} or {key, source}"
    found = await hooks.find_customer_ids(connection, **asked)
    shown = next(value for name, value in asked.items() if name != "source")
    if not found:
        return None, f"no customer is known as {shown!r}"
    if len(found) > 1:
        return None, f"{shown!r} could be {len(found)} customers: {', '.join(found[:5])}"
    return found[0], None


async def fire_event(store: Store, playbooks: Iterable[Playbook], id_: str, *, now: datetime) -> list[str]:
    """Begin the runs an event sets off, once; return their ids. What each playbook did with it is kept."""
    async with store.transaction() as connection:
        found = await hooks.find_events(connection, ids=[id_], states=[ACCEPTED], lock=True)
        if not found:
            return []
        event = found[0]
        assert event.customer_id is not None, "an accepted one names a customer"
        outcome: dict[str, str] = {}
        begun: list[str] = []
        stopped = await stops.find_stops(connection)
        for playbook in playbooks:
            if not playbook.trigger.heeds(event.hook, event.type):
                continue
            if stops.stop_of(stopped, playbook.name) is not None:
                outcome[playbook.name] = "stopped"
                continue
            try:
                ready = await settled(connection, playbook, today=now.date())
            except RefusedError as error:
                outcome[playbook.name] = str(error)
                continue
            outcome[playbook.name], new = await _fire(connection, ready, event, now=now)
            begun += new
        await hooks.finish(connection, event.id, outcome=outcome, now=now)
    return begun


async def _fire(
    connection: Connection, playbook: Playbook, event: HookEvent, *, now: datetime
) -> tuple[str, list[str]]:
    """(what the playbook did, the new run)."""
    id_ = str(event.customer_id)
    situation = (await find_situations(connection, [id_])).get(id_)
    if situation is None:
        return "the customer is gone or was merged into another", []
    if playbook.condition is not None and not matches(playbook.condition, situation.values):
        return "`when` does not hold", []
    if playbook.rest:
        since = now - playbook.rest
        if await find_resting(connection, playbook=playbook.name, customer_ids=[id_], rested_since=since):
            return "rests for this customer", []
    if await is_snoozed(connection, playbook=playbook.name, customer_id=id_, now=now):
        return "snoozed for this customer", []
    values = {**situation.values, "event": words_of(event)}
    row = run_row(
        playbook, id_, values, episode=f"event:{event.id}", cause=playbook.by, by=f"hook {event.hook}"[:254], now=now
    )
    begun = await begin(connection, playbook, [row], now=now)
    if begun.going:
        return "fired", begun.going
    return ("held out" if begun.held else "rests for this customer"), []


def words_of(event: HookEvent) -> dict[str, Any]:
    """What templates may say of it."""
    data = event.payload.get("data")
    return {
        "hook": event.hook,
        "id": event.event_id,
        "type": event.type,
        "data": data if isinstance(data, Mapping) else {},
    }
