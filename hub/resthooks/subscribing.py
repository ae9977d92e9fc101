"""Coming and going. Where a hook leads, and what its messages are signed with, is kept as a stored secret."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import orjson

from hub.access import Viewer
from hub.access.vault import Vault
from hub.delivery.base import Rejected
from hub.delivery.reach import Lookup, Network, judged, look_up
from hub.delivery.webhook import Endpoint, new_secret
from hub.errors import NotFoundError, RefusedError
from hub.events import find_place
from hub.resthooks.events import EVENTS, body_of
from hub.store import Store
from hub.store.privacy import secrets as stored
from hub.store.resthooks import RestHook, describe, end_hooks, find_hooks, find_newest, insert_hook

ADDRESS = "resthook:"
"""Before a hook's id: its address in the delivery ledger."""
MOST = 100
"""Hooks of one token."""
LONGEST_URL = 2_000
SAMPLES = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Subscribed:
    """A new hook; `secret` signs what it is told, after the Standard Webhooks specification, and is shown this once."""

    hook: RestHook
    secret: str = field(repr=False)


async def subscribe(
    store: Store,
    viewer: Viewer,
    *,
    event: str,
    url: str,
    vault: Vault | None,
    allowed: Sequence[Network],
    now: datetime,
    lookup: Lookup = look_up,
) -> Subscribed:
    """Begin to tell `url` of events from now on; RefusedError with all that stands against it.

    vault  None where no key for secrets is set: where a hook leads could not be kept
    """
    faults = [*_faults_of(event), *await _against(url, allowed=allowed, lookup=lookup)]
    if vault is None:
        faults.append("where a hook leads is kept encrypted, and there is no key: set secrets_key in hub.yaml")
    if faults or vault is None:
        raise RefusedError("; ".join(faults))
    place = await find_place(store)
    hook = RestHook(
        id=f"rh-{uuid.uuid4().hex}",
        event=event,
        token_id=viewer.token_id,
        actor=viewer.actor,
        book=viewer.book,
        place=place,
        created_at=now,
    )
    secret = new_secret()
    kept = orjson.dumps({"url": url, "secret": secret}).decode()
    async with store.transaction() as connection:
        if len(await find_hooks(connection, now=now, token_id=viewer.token_id)) >= MOST:
            raise RefusedError(f"the token has {MOST} hooks, and gets no more: take some away")
        await insert_hook(connection, hook)
        await stored.put(
            connection, hook.id, token=vault.sealed(hook.id, kept), key_id=vault.key_ids[0], by=viewer.actor, now=now
        )
    return Subscribed(hook=hook, secret=secret)


async def unsubscribe(store: Store, viewer: Viewer, id_: str, *, now: datetime) -> None:
    """Tell it no more. NotFoundError for one that the viewer's token has not made."""
    async with store.transaction() as connection:
        found = await find_hooks(connection, now=now, token_id=viewer.token_id, ids=[id_])
        if not found:
            raise NotFoundError(f"the token has no hook {id_!r}")
        await end_hooks(connection, [id_], by=viewer.actor, now=now)
        await stored.remove(connection, id_)


async def samples(store: Store, viewer: Viewer, *, event: str) -> list[dict[str, Any]]:
    """The newest events of a kind as they would be told, the newest first; at most three. RefusedError for no kind."""
    kind, change, _ = _known(event)
    async with store.reading() as connection:
        heard = await find_newest(connection, kind=kind, change=change, book=viewer.book, limit=SAMPLES)
        told = await describe(connection, heard)
    return [body_of(each, told[each.number]) for each in heard if each.number in told]


async def find_endpoint(store: Store, address: str, *, vault: Vault) -> Endpoint | None:
    """Where an address of the ledger leads; None for a hook that has gone."""
    id_ = address.removeprefix(ADDRESS)
    async with store.reading() as connection:
        tokens = await stored.find_tokens(connection, [id_])
    if id_ not in tokens:
        return None
    kept = orjson.loads(vault.opened(tokens)[id_])
    return Endpoint(url=kept["url"], secrets=(kept["secret"],))


def _known(event: str) -> tuple[str, str, str]:
    for fault in _faults_of(event):
        raise RefusedError(fault)
    return EVENTS[event]


def _faults_of(event: str) -> list[str]:
    return [] if event in EVENTS else [f"there is no event {event!r}; there are: {', '.join(EVENTS)}"]


async def _against(url: str, *, allowed: Sequence[Network], lookup: Lookup) -> list[str]:
    """What stands against sending anything to `url`."""
    if len(url) > LONGEST_URL:
        return [f"an address has at most {LONGEST_URL} characters"]
    try:
        await judged(url, to="the hook", allowed=allowed, lookup=lookup)
    except Rejected as error:
        return [error.reason]
    return []
