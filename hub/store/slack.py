"""What Slack asked of us, which messages show a run's state, and where we spoke of whom."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import Select, and_, bindparam, delete, or_, select, union, update

from hub.model.actions import Alert
from hub.store.alerts import find_alerts, get_alert
from hub.store.asking import Asking, several
from hub.store.runs import insert_missing
from hub.store.store import Connection
from hub.store.tables import alert, approval, slack_message, slack_request, slack_thread, withheld_call
from hub.store.tables.base import UtcDateTime


@dataclass(frozen=True, slots=True, kw_only=True)
class SlackRequest:
    """One thing that a person did in Slack. `payload`: what is needed of it."""

    id: str
    kind: str
    payload: Mapping[str, Any] = field(repr=False)
    received_at: datetime
    attempts: int = 0
    done_at: datetime | None = None


async def take_request(
    connection: Connection, id_: str, *, kind: str, payload: Mapping[str, Any], now: datetime
) -> bool:
    """Put a request into the inbox; False where it is there already."""
    row = {"id": id_, "kind": kind, "payload": dict(payload), "received_at": now, "attempts": 0}
    statement = insert_missing(connection, slack_request).returning(slack_request.c.id)
    return (await connection.execute(statement, row)).first() is not None


async def find_request(connection: Connection, id_: str) -> SlackRequest | None:
    row = (await connection.execute(select(slack_request).where(slack_request.c.id == id_))).one_or_none()
    return None if row is None else SlackRequest(**row._mapping)


async def finish_request(connection: Connection, id_: str, *, now: datetime) -> None:
    """It is done; what it said is forgotten, for it may hold an address to answer to."""
    await connection.execute(update(slack_request).where(slack_request.c.id == id_).values(done_at=now, payload={}))


async def begin_request(connection: Connection, id_: str) -> None:
    """It is being done, once more."""
    counted = {"attempts": slack_request.c.attempts + 1}
    await connection.execute(update(slack_request).where(slack_request.c.id == id_).values(counted))


async def find_waiting_requests(
    connection: Connection, *, received_by: datetime, attempts: int, limit: int = 500
) -> list[str]:
    """Requests that nobody did so far and that were begun fewer times than `attempts`, the oldest first."""
    statement = (
        select(slack_request.c.id)
        .where(
            slack_request.c.done_at.is_(None),
            slack_request.c.received_at <= received_by,
            slack_request.c.attempts < attempts,
        )
        .order_by(slack_request.c.received_at)
        .limit(limit)
    )
    return list((await connection.execute(statement)).scalars())


async def forget_requests(connection: Connection, *, done_by: datetime) -> None:
    await connection.execute(delete(slack_request).where(slack_request.c.done_at <= done_by))


async def find_threads(
    connection: Connection, about: Collection[tuple[str, str]], *, since: datetime
) -> dict[tuple[str, str], str]:
    """{(address, customer): the ts of the message that others about the customer follow there}, of those of `about` where it
    was posted after `since`."""
    found = await connection.execute(
        _THREADS, {"ids": [f"{address}:{customer_id}" for address, customer_id in about], "since": since}
    )
    return {(each.address, each.customer_id): each.ts for each in found}


_THREADS = select(slack_thread.c.address, slack_thread.c.customer_id, slack_thread.c.ts).where(
    slack_thread.c.id.in_(several("ids")),
    slack_thread.c.opened_at > bindparam("since", type_=slack_thread.c.opened_at.type),
)


async def open_thread(connection: Connection, *, address: str, customer_id: str, ts: str, now: datetime) -> None:
    """From now on messages about the customer follow this one."""
    id_ = f"{address}:{customer_id}"
    row = {"id": id_, "address": address, "customer_id": customer_id, "ts": ts, "opened_at": now}
    await connection.execute(insert_missing(connection, slack_thread), row)
    await connection.execute(update(slack_thread).where(slack_thread.c.id == id_).values(ts=ts, opened_at=now))


@dataclass(frozen=True, slots=True, kw_only=True)
class SlackMessage:
    """A message that shows the state of its run. `shown`: the digest of that state; `version` goes up with each update."""

    delivery_id: str
    run_id: str
    channel: str
    ts: str
    shown: str
    version: int
    shown_at: datetime


async def keep_message(connection: Connection, message: SlackMessage) -> None:
    """A message that was posted; once more is harmless."""
    row = {name: getattr(message, name) for name in SlackMessage.__slots__}
    await connection.execute(insert_missing(connection, slack_message), row)


async def find_messages(
    connection: Connection, *, delivery_ids: Collection[str] | None = None, run_ids: Collection[str] | None = None
) -> list[SlackMessage]:
    asked = _MESSAGES.of(delivery_ids=delivery_ids, run_ids=run_ids)
    return [SlackMessage(**row._mapping) for row in await connection.execute(*asked)]


_MESSAGES = Asking(
    select(slack_message).order_by(slack_message.c.delivery_id),
    delivery_ids=slack_message.c.delivery_id.in_(several("delivery_ids")),
    run_ids=slack_message.c.run_id.in_(several("run_ids")),
)


async def note_shown(connection: Connection, message: SlackMessage, *, shown: str, now: datetime) -> bool:
    """The message shows another state now; False where somebody else updated it since it was read."""
    changed = await connection.execute(
        update(slack_message)
        .where(slack_message.c.delivery_id == message.delivery_id, slack_message.c.version == message.version)
        .values(shown=shown, version=message.version + 1, shown_at=now)
    )
    return bool(changed.rowcount)


async def find_changed_runs(connection: Connection, *, since: datetime, now: datetime) -> list[str]:
    """Runs that messages show, and of which something changed since: a call, a question, or a snooze that is over."""
    return sorted((await connection.execute(_CHANGED_RUNS, {"since": since, "now": now})).scalars())


def _changed_runs() -> Select[str]:
    since, now = bindparam("since", type_=UtcDateTime()), bindparam("now", type_=UtcDateTime())
    moved = or_(alert.c.updated_at > since, and_(alert.c.snoozed_until > since, alert.c.snoozed_until <= now))
    joined = withheld_call.join(alert, alert.c.id == withheld_call.c.alert_id)
    changed = union(
        select(alert.c.run_id).where(moved),
        select(withheld_call.c.run_id).select_from(joined).where(moved),
        select(approval.c.run_id).where(or_(approval.c.asked_at > since, approval.c.decided_at > since)),
    ).subquery()
    return select(slack_message.c.run_id).where(slack_message.c.run_id.in_(select(changed.c.run_id))).distinct()


_CHANGED_RUNS = _changed_runs()


_JOINED = (
    select(withheld_call.c.run_id, withheld_call.c.alert_id)
    .where(withheld_call.c.run_id.in_(several("run_ids")), withheld_call.c.alert_id.is_not(None))
    .distinct()
    .order_by(withheld_call.c.alert_id)
)


async def find_calls(connection: Connection, run_ids: Collection[str]) -> dict[str, list[Alert]]:
    """{run: the calls it opened, and those that its own joined because they were open for the same reason}, newest first."""
    wanted = sorted(run_ids)
    found: dict[str, list[Alert]] = {each: [] for each in wanted}
    for each in await find_alerts(connection, run_ids=wanted):
        found[str(each.run_id)].append(each)
    for run_id, alert_id in (await connection.execute(_JOINED, {"run_ids": wanted})).all():
        if all(each.id != alert_id for each in found[run_id]):
            found[run_id].append(await get_alert(connection, alert_id))
    return found
