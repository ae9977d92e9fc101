"""Events that came in by webhook, and the customer they name."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Row, func, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite

from hub.store.store import Connection
from hub.store.tables import customer, external_id, hook_event

ACCEPTED, REFUSED, DONE = "accepted", "refused", "done"


@dataclass(frozen=True, slots=True, kw_only=True)
class HookEvent:
    """An event as it came. outcome: {playbook: what it did} of one that is done; reason: why one was refused."""

    id: str
    hook: str
    event_id: str
    type: str | None
    customer_id: str | None
    payload: Mapping[str, Any]
    state: str
    received_at: datetime
    reason: str | None = None
    outcome: Mapping[str, str] | None = None
    done_at: datetime | None = None


async def find_customer_ids(
    connection: Connection,
    *,
    id_: str | None = None,
    domain: str | None = None,
    key: str | None = None,
    source: str | None = None,
) -> list[str]:
    """The customers of this id, domain or key of a source (None: of any); of merged ones those they were merged into."""
    into = func.coalesce(customer.c.merged_into_id, customer.c.id)
    known = external_id.c.customer_id.is_not(None) & external_id.c.deleted.is_(False)
    keys = select(external_id.c.customer_id).where(external_id.c.key == key, known)
    if source is not None:
        keys = keys.where(external_id.c.source == source)
    tests = [
        *([] if id_ is None else [customer.c.id == id_]),
        *([] if domain is None else [func.lower(customer.c.domain) == domain.lower()]),
        *([] if key is None else [customer.c.id.in_(keys)]),
    ]
    return sorted((await connection.execute(select(into).where(or_(*tests)).distinct())).scalars())


async def keep(connection: Connection, row: Mapping[str, Any]) -> HookEvent:
    """Keep an event; one that was refused before may be accepted now. Return it as it stands then."""
    insert = (sqlite if connection.dialect.name == "sqlite" else postgresql).insert(hook_event)
    changed = ("type", "customer_id", "payload", "state", "reason", "received_at")
    statement = insert.on_conflict_do_update(
        index_elements=[hook_event.c.id],
        set_={name: insert.excluded[name] for name in changed},
        where=hook_event.c.state == REFUSED,
    )
    await connection.execute(statement, [dict(row)])
    (event,) = await find_events(connection, ids=[row["id"]])
    return event


async def find_events(
    connection: Connection,
    *,
    ids: Iterable[str] | None = None,
    hook: str | None = None,
    states: Iterable[str] | None = None,
    received_by: datetime | None = None,
    lock: bool = False,
    limit: int | None = None,
) -> list[HookEvent]:
    """Events that meet everything asked, newest first. lock: nobody else changes them until the transaction ends."""
    row = hook_event.c
    statement = select(hook_event).order_by(row.received_at.desc(), row.id)
    if ids is not None:
        statement = statement.where(row.id.in_(list(ids)))
    if hook is not None:
        statement = statement.where(row.hook == hook)
    if states is not None:
        statement = statement.where(row.state.in_(list(states)))
    if received_by is not None:
        statement = statement.where(row.received_at <= received_by)
    if limit is not None:
        statement = statement.limit(limit)
    if lock:
        statement = statement.with_for_update()
    return [_event(each) for each in await connection.execute(statement)]


async def finish(connection: Connection, id_: str, *, outcome: Mapping[str, str], now: datetime) -> None:
    """What playbooks did with it."""
    values = {"state": DONE, "outcome": dict(outcome), "done_at": now}
    await connection.execute(update(hook_event).where(hook_event.c.id == id_).values(values))


def _event(row: Row[Any]) -> HookEvent:
    return HookEvent(**{name: row._mapping[name] for name in HookEvent.__dataclass_fields__})
